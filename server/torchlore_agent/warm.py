"""The agent's side of a nursery: a process that keeps torch imported between runs."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torchlore_agent.wire import Message

CAN_FORK = sys.platform == "linux"
"""Apple's libraries do not survive a fork, and Windows has none."""

LATER = ("torch._dynamo",)
"""What torch itself imports with the first step of an optimizer, in seconds. Loaded when nobody waits."""

_LONGEST_ANSWER = 4096


@dataclass(frozen=True)
class Spare:
    """A process that waits for its order.

    Attributes:
        loaded: how many modules of `LATER` it has imported.
    """

    pid: int
    control: socket.socket
    loaded: int

    def order(self, order: Message, descriptors: Sequence[int]) -> bool:
        """Has it carry out an order. False where it is gone; it is none any more in either case."""
        try:
            os.kill(self.pid, signal.SIGCONT)  # An earlier snippet may have stopped it.
            socket.send_fds(self.control, [json.dumps(order).encode("ascii")], list(descriptors))
        except OSError:
            return False
        finally:
            self.control.close()
        return True


@dataclass(eq=False)
class Nursery:
    """A running nursery.

    Attributes:
        ready: it can be asked for something.
        loaded: it has imported torch.
        ended: it is gone, or was given up.
        unloaded: the modules that it may still import when nobody waits for it.
        spare: a process for the next order; None where there is none.
        unborn: our end of the socket of the one that it was asked for.
        asked: when that was, by the monotonic clock.
        barren: the system forks no more; that is tried again with the next order only.
    """

    popen: subprocess.Popen[bytes]
    control: socket.socket
    ready: bool = False
    loaded: bool = False
    ended: bool = False
    unloaded: list[str] = field(default_factory=lambda: list(LATER))
    spare: Spare | None = None
    unborn: socket.socket | None = None
    asked: float = 0.0
    barren: bool = False

    @property
    def pids(self) -> frozenset[int]:
        """The processes that belong to nobody's run."""
        return frozenset({self.popen.pid} if self.spare is None else {self.popen.pid, self.spare.pid})

    def hear(self, message: Message | None) -> None:
        """Notes what it said. One that cannot import torch is given up: a new interpreter says why."""
        if message is None or message.get("failure") is not None:
            self.give_up()
        elif message.get("type") == "ready":
            self.ready = self.loaded = True
        elif message.get("type") == "born" and self.unborn is not None:
            if self.spare is not None:
                self.spare.control.close()
            self.spare = Spare(message["pid"], self.unborn, len(LATER) - len(self.unloaded))
            self.unborn = None
        elif message.get("type") == "failed":
            self.barren = True

    def bear(self) -> bool:
        """Asks for a process for the next order. False where it cannot be asked any more."""
        if self.unborn is not None:
            self.unborn.close()
        self.asked = time.monotonic()
        self.unborn, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            return self._ask({"bear": True}, [its.fileno()])

    def take(self) -> Spare | None:
        """The process for this order."""
        self.barren = False
        spare, self.spare = self.spare, None
        return spare

    def prepare(self) -> None:
        """Has it make ready for the next order, where it has nothing to do and nobody waits.

        First there is a process, then what may still be imported is, then there is one that has that, too.
        """
        if not self.ready or self.ended or self.barren:
            return
        if self.spare is None:
            self.bear()
        elif self.unloaded:
            self._ask({"preload": self.unloaded.pop(0)}, ())
        elif self.spare.loaded < len(LATER):
            self.bear()

    def give_up(self) -> None:
        """Ends it. That of which it has not told yet is among the agent's descendants then."""
        self.ready, self.ended = False, True
        self._let_go()
        with contextlib.suppress(OSError):
            self.popen.kill()

    def _let_go(self) -> None:
        """What waits for an order ends when nobody is left who could give it one."""
        if self.spare is not None:
            self.spare.control.close()
        if self.unborn is not None:
            self.unborn.close()
        self.spare = self.unborn = None

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
