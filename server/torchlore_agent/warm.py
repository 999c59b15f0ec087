"""The agent's side of a nursery: a process that keeps torch imported between runs."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torchlore_agent.wire import Message

CAN_FORK = sys.platform == "linux"
"""Apple's libraries do not survive a fork, and Windows has none."""

LATER = ("torch._dynamo",)
"""What torch itself imports with the first step of an optimizer, in seconds. Loaded when nobody waits."""

_LONGEST_ANSWER = 4096


@dataclass(eq=False)
class Nursery:
    """A running nursery.

    Attributes:
        ready: it can be asked for something.
        loaded: it has imported torch.
        ended: it is gone, or was given up.
        unloaded: the modules that it may still import when nobody waits for it.
    """

    popen: subprocess.Popen[bytes]
    control: socket.socket
    ready: bool = False
    loaded: bool = False
    ended: bool = False
    unloaded: list[str] = field(default_factory=lambda: list(LATER))

    @property
    def pid(self) -> int:
        return self.popen.pid

    def hear(self, message: Message | None) -> None:
        """Notes what it said. One that cannot import torch is given up: a new interpreter says why."""
        if message is None or message.get("failure") is not None:
            self.give_up()
        elif message.get("type") == "ready":
            self.ready = self.loaded = True

    def bear(self, order: Message, descriptors: Sequence[int]) -> bool:
        """Asks for a process that carries out an order. False where it cannot be asked any more."""
        return self._ask({"order": order}, descriptors)

    def load_more(self) -> None:
        """Has it import one module more, where it has nothing to do."""
        if self.ready and not self.ended and self.unloaded:
            self._ask({"preload": self.unloaded.pop(0)}, ())

    def give_up(self) -> None:
        """Ends it. That of which it has not told yet is among the agent's descendants then."""
        self.ready, self.ended = False, True
        with contextlib.suppress(OSError):
            self.popen.kill()

    def _ask(self, request: Message, descriptors: Sequence[int]) -> bool:
        self.ready = False
        try:
            socket.send_fds(self.control, [json.dumps(request).encode("ascii")], list(descriptors))
        except OSError:
            self.give_up()
        return not self.ended


def start(inbox: queue.Queue[tuple[str, Any]]) -> Nursery | None:
    """Starts a nursery, which says `ready` in the inbox once it has imported torch.

    Returns:
        None where there can be none.
    """
    if not CAN_FORK:
        return None
    directory = os.path.join(os.environ["TMPDIR"], "nursery")
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    here = os.path.dirname(os.path.abspath(__file__))
    try:
        os.makedirs(directory, exist_ok=True)
        popen = subprocess.Popen(
            [sys.executable, "-E", "-B", here, "nursery", str(its.fileno()), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=2,  # What it says there belongs to nobody's run.
            cwd=os.path.abspath(os.sep),
            env={**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), directory)},
            pass_fds=[its.fileno()],
            start_new_session=True,
        )
    except OSError:
        ours.close()
        return None
    finally:
        its.close()
    nursery = Nursery(popen, ours)
    threading.Thread(target=_listen, args=(nursery, inbox), daemon=True).start()
    return nursery


def _listen(nursery: Nursery, inbox: queue.Queue[tuple[str, Any]]) -> None:
    with contextlib.suppress(OSError):
        while data := nursery.control.recv(_LONGEST_ANSWER):
            inbox.put(("nursery", (nursery, json.loads(data))))
    inbox.put(("nursery", (nursery, None)))
    nursery.control.close()
