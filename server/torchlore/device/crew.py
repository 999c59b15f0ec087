"""Agents that stay between runs, so that a run need not wait for `import torch`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from torchlore.device.agent import Agent, open_agent
from torchlore.device.interpreter import Interpreter
from torchlore.device.leaving import is_ours
from torchlore.device.trust import Trust, require
from torchlore.device.waiting import unhurried, within

log = logging.getLogger(__name__)

IDLE_SECONDS = 600.0
"""How long an agent that has nothing to do stays. It holds 300 MB, which torch takes."""

_CANCEL_SECONDS = 1.0
"""How long an agent may take to end what it runs before it is ended itself."""

_Stamp = tuple[tuple[int, ...] | None, ...]
"""What changes with an interpreter and with the packages that it finds."""


@dataclass(slots=True)
class _Member:
    agent: Agent
    stack: contextlib.AsyncExitStack
    stamp: _Stamp
    leaving: asyncio.TimerHandle | None = None


class Crew:
    """Warm agents, at most one of them at rest for each interpreter. It belongs to one event loop.

    `async with` closes it at the end of the block.

    An agent goes when nobody has needed it for a while, when its interpreter or a folder of packages
    changed, and with this process, however that ends.
    """

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        """`idle_seconds`: how long an agent stays that has nothing to do; 0 for a single run."""
        self._idle_seconds = idle_seconds
        self._resting: dict[str, _Member] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def expects_more(self) -> bool:
        """Whether an agent should make ready for the next run."""
        return self._idle_seconds > 0

    async def __aenter__(self) -> Crew:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @contextlib.asynccontextmanager
    async def hire(self, interpreter: Interpreter) -> AsyncIterator[Agent]:
        """An agent that does nothing else meanwhile.

        Where the block is left early, what it runs is ended first.

        Raises:
            NotAllowed: as `open_agent`.
        """
        member = await self._take(interpreter)
        try:
            yield member.agent
        finally:
            await unhurried(self._give_back(member))

    async def warm(self, interpreter: Interpreter, trust: Trust) -> None:
        """Starts an agent and has it import torch, so that the first run need not wait for it either.

        Raises:
            NotAllowed: as `open_agent`, or the workspace is not trusted.
        """
        require(trust)
        async with self.hire(interpreter) as agent:
            agent.send({"type": "warm"})

    async def close(self) -> None:
        """Ends all agents at rest, and waits for that; those at work end when they are given back."""
        self._closed = True
        for member in self._dismissed():
            self._end(member)
        if self._ending:
            await asyncio.wait(self._ending)

    def dismiss(self) -> None:
        """As `close`, without waiting: the agents notice and clean up after themselves."""
        self._closed = True
        for member in self._dismissed():
            if member.agent.process.stdin is not None:
                member.agent.process.stdin.close()

    async def _take(self, interpreter: Interpreter) -> _Member:
        member = self._resting.pop(interpreter.path, None)
        if member is not None and await self._still_good(member):
            return member
        stack = contextlib.AsyncExitStack()
        agent = await stack.enter_async_context(open_agent(interpreter))
        return _Member(agent, stack, _stamp(agent))

    async def _still_good(self, member: _Member) -> bool:
        """Whether it can be used again; ended where not, also where this is cancelled."""
        if member.leaving is not None:
            member.leaving.cancel()
        good = False
        try:
            # On another thread: the folders may lie on a disk of the network.
            stamp = await asyncio.to_thread(_stamp, member.agent)
            good = stamp == member.stamp and _is_well(member.agent)
        finally:
            if not good:
                log.info("the agent of %s ended, or the environment changed", member.agent.interpreter)
                await unhurried(member.stack.aclose())
        return good

    async def _give_back(self, member: _Member) -> None:
        agent = member.agent
        if agent.busy:
            await interrupt(agent)
        path = agent.interpreter.path
        if self._closed or not _is_well(agent) or path in self._resting:
            await member.stack.aclose()
            return
        self._resting[path] = member
        loop = asyncio.get_running_loop()
        member.leaving = loop.call_later(self._idle_seconds, self._leave, path)

    def _leave(self, path: str) -> None:
        self._end(self._resting.pop(path))

    def _end(self, member: _Member) -> None:
        task = asyncio.ensure_future(member.stack.aclose())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _dismissed(self) -> list[_Member]:
        members = list(self._resting.values())
        self._resting.clear()
        for member in members:
            if member.leaving is not None:
                member.leaving.cancel()
        return members


async def interrupt(agent: Agent) -> None:
    """Ends what it runs and nothing else; the agent, too, where that takes it too long."""
    agent.send({"type": "cancel"})
    try:
        await within(_CANCEL_SECONDS, _result(agent))
    except (asyncio.TimeoutError, ConnectionError):
        await agent.kill()


async def _result(agent: Agent) -> None:
    while agent.busy:
        await agent.receive()


def _is_well(agent: Agent) -> bool:
    process = agent.process
    over = process.stdout is None or process.stdout.at_eof()
    return process.returncode is None and not over and is_ours(agent.directory)


def _stamp(agent: Agent) -> _Stamp:
    """Reads times of files and folders; installing a package changes that of its folder."""
    python = Path(agent.interpreter.path)
    places = [python, python.parent.parent / "pyvenv.cfg", *map(Path, agent.hello.get("paths", ()))]
    return tuple(map(_changed, places))


def _changed(place: Path) -> tuple[int, ...] | None:
    try:
        found = place.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns
