"""Warm processes where none can be forked: one is at rest, torch imported, and the next starts as it runs."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import threading
from dataclasses import dataclass
from typing import Any

from torchlore_agent import processes
from torchlore_agent.processes import Child
from torchlore_agent.warm import LONGEST_IMPORT, Given, temporary_in
from torchlore_agent.wire import CHUNK, Message

_UNDISTURBED = 0.5
"""Seconds that a run has the machine to itself."""


@dataclass(frozen=True)
class SpawnedSpare:
    """A process that imports torch and then waits for its order on stdin.

    Attributes:
        token: what it says on stdout when torch is imported. Nobody who prints something there knows it.
    """

    popen: subprocess.Popen[bytes]
    token: str

    def order(self, order: Message) -> Given | None:
        """Has it carry out an order; see `warm.Spare`."""
        popen = self.popen
        assert popen.stdin is not None and popen.stdout is not None and popen.stderr is not None
        try:
            if os.name == "posix":
                os.kill(popen.pid, signal.SIGCONT)  # An earlier snippet may have stopped it.
            popen.stdin.write(json.dumps(order).encode("ascii") + b"\n")
            popen.stdin.flush()
        except OSError:
            self.end()
            return None
        streams = {
            name: os.dup(pipe.fileno()) for name, pipe in (("stdout", popen.stdout), ("stderr", popen.stderr))
        }
        self._close()
        return Given(Child(popen.pid, popen), streams)

    def end(self) -> None:
        """Ends it."""
        with contextlib.suppress(OSError):
            self.popen.kill()
        self._close()

    def _close(self) -> None:
        for pipe in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            with contextlib.suppress(OSError):
                assert pipe is not None
                pipe.close()


@dataclass(eq=False)
class SpawningNursery:
    """Starts such processes; see `warm.Nursery`.

    Attributes:
        spare: one that has torch imported.
        unborn: one that does that now.
        barren: the last one died on the way; the next order has another one started.
    """

    inbox: queue.Queue[tuple[str, Any]]
    directory: str
    loaded: bool = False
    ended: bool = False
    spare: SpawnedSpare | None = None
    unborn: SpawnedSpare | None = None
    barren: bool = False
    has_threads: bool = True

    @property
    def ready(self) -> bool:
        """One can be started."""
        return not self.ended and self.spare is None and self.unborn is None

    @property
    def pids(self) -> frozenset[int]:
        """The processes that belong to nobody's run."""
        return frozenset(one.popen.pid for one in (self.spare, self.unborn) if one is not None)

    def hear(self, message: Message | None) -> None:
        """Notes what became of the one that is on its way. Where none could ever import torch, none will."""
        unborn = self.unborn
        if message is None or unborn is None or message["token"] != unborn.token:
            return
        self.unborn = None
        if message["type"] == "born":
            self.spare, self.loaded = unborn, True
            return
        unborn.end()
        self.barren = True
        if not self.loaded:
            self.give_up()

    def bear(self) -> bool:
        """Starts one. False where the system starts no more processes."""
        self.unborn = _spawned(self.directory)
        if self.unborn is None:
            self.barren = True
            return False
        threading.Thread(target=_listen, args=(self, self.unborn), daemon=True).start()
        return True

    def take(self) -> SpawnedSpare | None:
        """The process for this order."""
        self.barren = False
        spare, self.spare = self.spare, None
        return spare

    def prepare_beside(self, seconds: float) -> None:
        """A run that is over soon is not disturbed; during a longer one there is time to import torch."""
        if seconds >= _UNDISTURBED:
            self.prepare()

    def prepare(self) -> None:
        """Starts one where there is none."""
        if self.ready and not self.barren:
            self.bear()

    def is_stuck(self, seconds: float) -> bool:
        """Whether a job need not wait any longer."""
        return seconds >= LONGEST_IMPORT

    def give_up(self) -> None:
        """Ends what waits, and what is on its way."""
        self.ended = True
        for one in (self.spare, self.unborn):
            if one is not None:
                one.end()
        self.spare = self.unborn = None


def start_spawning(inbox: queue.Queue[tuple[str, Any]], directory: str) -> SpawningNursery | None:
    """Starts the first process, which has `born` said in the inbox once it has imported torch.

    Args:
        inbox: of the agent.
        directory: for its temporary files.

    Returns:
        None where the system starts no more processes.
    """
    nursery = SpawningNursery(inbox, directory)
    return nursery if nursery.bear() else None


def _spawned(directory: str) -> SpawnedSpare | None:
    token = secrets.token_hex(16)
    try:
        popen = subprocess.Popen(
            processes.own("spare", token, str(os.getpid())),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=os.path.abspath(os.sep),
            env=temporary_in(directory),
            start_new_session=True,
        )
    except OSError:
        return None
    return SpawnedSpare(popen, token)


def _listen(nursery: SpawningNursery, spare: SpawnedSpare) -> None:
    """Waits until it says its token, or ends. What it prints before is nobody's."""
    assert spare.popen.stdout is not None
    token, said = spare.token.encode("ascii"), b""
    # A descriptor of its own: the agent may close the other one meanwhile.
    with (
        contextlib.suppress(OSError, ValueError),
        os.fdopen(os.dup(spare.popen.stdout.fileno()), "rb", 0) as pipe,
    ):
        while token not in said and (data := pipe.read(CHUNK)):
            said = said[-len(token) :] + data
    kind = "born" if token in said else "failed"
    nursery.inbox.put(("nursery", (nursery, {"type": kind, "token": spare.token})))
