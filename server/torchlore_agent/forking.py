"""Warm processes by forking: a nursery has torch imported and forks the process of each run. Linux only."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torchlore_agent import processes
from torchlore_agent.processes import Child
from torchlore_agent.warm import LATER, LONGEST_IMPORT, Given, temporary_in
from torchlore_agent.wire import Message

_LONGEST_ANSWER = 4096

_LONGEST_WAIT = 10.0
"""Seconds that a job waits for a nursery that imports what torch imports with a step."""

_BIRTH = 5.0
"""Seconds that one may take to fork a process; a snippet may have stopped it."""


@dataclass(frozen=True)
class ForkedSpare:
    """A process that was forked and waits for its order.

    Attributes:
        loaded: how many modules of `LATER` it has imported.
    """

    pid: int
    control: socket.socket
    loaded: int

    def order(self, order: Message) -> Given | None:
        """Has it carry out an order; see `warm.Spare`."""
        pipes = {stream: os.pipe() for stream in ("stdout", "stderr")}
        try:
            os.kill(self.pid, signal.SIGCONT)  # An earlier snippet may have stopped it.
            writing = [its for _, its in pipes.values()]
            socket.send_fds(self.control, [json.dumps(order).encode("ascii")], writing)
        except OSError:
            for ours, _ in pipes.values():
                os.close(ours)
            return None
        finally:
            self.control.close()
            for _, its in pipes.values():
                os.close(its)
        return Given(Child(self.pid), {stream: ours for stream, (ours, _) in pipes.items()})


@dataclass(eq=False)
class ForkingNursery:
    """A running nursery; see `warm.Nursery`.

    Attributes:
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
    spare: ForkedSpare | None = None
    unborn: socket.socket | None = None
    asked: float = 0.0
    barren: bool = False
    has_threads: bool = False

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
            self.spare = ForkedSpare(message["pid"], self.unborn, len(LATER) - len(self.unloaded))
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

    def take(self) -> ForkedSpare | None:
        """The process for this order."""
        self.barren = False
        spare, self.spare = self.spare, None
        return spare

    def prepare_beside(self, seconds: float) -> None:
        """A fork takes no time, so it waits until the run is over."""

    def is_stuck(self, seconds: float) -> bool:
        """Whether a job need not wait any longer."""
        if self.unborn is None:
            return seconds >= (_LONGEST_WAIT if self.loaded else LONGEST_IMPORT)
        return time.monotonic() - self.asked >= _BIRTH

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


def start_forking(inbox: queue.Queue[tuple[str, Any]], directory: str) -> ForkingNursery | None:
    """Starts a nursery, which says `ready` in the inbox once it has imported torch.

    Args:
        inbox: of the agent.
        directory: for its temporary files.

    Returns:
        None where the system starts no more processes.
    """
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        popen = subprocess.Popen(
            processes.own("nursery", str(its.fileno()), str(os.getpid())),
            stdin=subprocess.DEVNULL,
            stdout=2,  # What it says there belongs to nobody's run.
            cwd=os.path.abspath(os.sep),
            env=temporary_in(directory),
            pass_fds=[its.fileno()],
            start_new_session=True,
        )
    except OSError:
        ours.close()
        return None
    finally:
        its.close()
    nursery = ForkingNursery(popen, ours)
    threading.Thread(target=_listen, args=(nursery, inbox), daemon=True).start()
    return nursery


def _listen(nursery: ForkingNursery, inbox: queue.Queue[tuple[str, Any]]) -> None:
    with contextlib.suppress(OSError):
        while data := nursery.control.recv(_LONGEST_ANSWER):
            inbox.put(("nursery", (nursery, json.loads(data))))
    inbox.put(("nursery", (nursery, None)))
    nursery.control.close()
