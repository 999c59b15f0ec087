"""What becomes of a run when its agent is killed, in every phase, and how soon the next one is over."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from torchlore.device import Crew, Interpreter, Limits, RunResult, Trust, run

from tests.perf.timing import verdict

PATIENCE = 20.0

Phase = Callable[[Crew], Awaitable[RunResult]]


async def print_deaths() -> None:
    """Prints for each phase how the run ended whose agent was killed, and how the next one did."""
    if sys.platform != "linux":
        return  # Only there can one look for it.
    for name, phase, outcome in _PHASES:
        crew = Crew()
        try:
            told = (await phase(crew)).outcome
            began = time.perf_counter()
            following = await _run("print(1)", crew)
            seconds = time.perf_counter() - began
        finally:
            await crew.close()
        well = told == outcome and following.outcome == "finished"
        next_one = f"the next run {following.outcome} in {seconds:.1f} s"
        print(f"agent dies {name:<11} {told}; {next_one}: {verdict(well)}")


async def _before(crew: Crew) -> RunResult:
    await _run("print(1)", crew)
    _kill_agent()
    return await _run("print(1)", crew)


async def _importing(crew: Crew) -> RunResult:
    task = asyncio.ensure_future(_run("print(1)", crew))
    await _until(lambda: bool(_children(_agent())))  # The nursery, which imports torch now.
    _kill_agent()
    return await task


async def _during(crew: Crew) -> RunResult:
    printed = asyncio.Event()
    code = "import time\nprint(1, flush=True)\ntime.sleep(60)"
    task = asyncio.ensure_future(_run(code, crew, lambda stream, text: printed.set()))
    await asyncio.wait_for(printed.wait(), PATIENCE)
    _kill_agent()
    return await task


async def _after(crew: Crew) -> RunResult:
    result = await _run("print(1)", crew)
    _kill_agent()
    return result


_PHASES: tuple[tuple[str, Phase, str], ...] = (
    ("importing", _importing, "finished"),
    ("before", _before, "finished"),
    ("during", _during, "killed"),
    ("after", _after, "finished"),
)
"""What a run is told to be whose agent is killed then: what has not begun is begun again."""


async def _run(code: str, crew: Crew, on_output: Callable[[str, str], None] | None = None) -> RunResult:
    this = Interpreter(sys.executable, "this")
    limits = Limits(network=False)
    return await run(
        code,
        name="x.py",
        interpreter=this,
        trust=Trust.TRUSTED,
        limits=limits,
        on_output=on_output,
        crew=crew,
    )


def _kill_agent() -> None:
    pid = _agent()
    assert pid, "no agent runs"  # To kill process 0 means to kill this one.
    os.kill(pid, signal.SIGKILL)


async def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def _agent() -> int:
    """The agent of this process; 0 where it has none yet."""
    agents = [pid for pid in _children(os.getpid()) if b"torchlore_agent" in _command(pid)]
    return agents[0] if agents else 0


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
