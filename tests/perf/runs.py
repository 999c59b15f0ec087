"""What a run on a warm agent costs beside the snippet, and what many runs leave behind."""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from torchlore.device import Crew, Interpreter, Limits, RunResult, Trust, run

from tests.perf.corpus import ROOT
from tests.perf.deaths import print_deaths
from tests.perf.timing import quantiles, verdict

SNIPPET = ROOT / "knowledge" / "snippets" / "zero-grad.py"
ROUNDS = 7
RUNS = 200
CANCELS = 100
OVERHEAD = 0.150
FASTER = 8
CANCELLED = 0.200

# Runs the snippet whenever it is told to, in one interpreter, and says how long the snippet itself took.
PLAIN = """
import contextlib, io, sys, time
import torch
code = compile(open(sys.argv[1], encoding='utf-8').read(), sys.argv[1], 'exec')
for _ in sys.stdin:
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, {'__name__': '__main__'})
    print(time.perf_counter() - began, flush=True)
"""


async def print_runs() -> None:
    """Prints what runs cost, how soon one is cancelled, what many leave, and what the agent's death does."""
    with tempfile.TemporaryDirectory() as folder:
        before, tempfile.tempdir = tempfile.tempdir, folder
        crew = Crew()
        try:
            await _print_cost(crew)
            await _print_cancelling(crew)
            await _print_left(crew, Path(folder))
        finally:
            await crew.close()
        try:
            await print_deaths()
        finally:
            tempfile.tempdir = before
    print()


async def _print_cost(crew: Crew) -> None:
    code = SNIPPET.read_text(encoding="utf-8")
    own, warm, cold = [], [], []
    with _plain_interpreter() as plain:
        _own(plain)  # The first time imports what later ones find.
        await _run(code, crew)
        await asyncio.sleep(5)  # The nursery imports the same when nobody waits for it.
        for _ in range(ROUNDS):  # By turns, so that all meet the same load.
            own.append(_own(plain))
            warm.append(await _timed(lambda: _run(code, crew)))
            cold.append(await _timed(lambda: _cold()))
    overhead = statistics.median(one - other for one, other in zip(warm, own, strict=True))
    faster = statistics.median(one / other for one, other in zip(cold, warm, strict=True))
    print(f"snippet itself         {quantiles(own)}")
    print(f"warm run               {quantiles(warm)}")
    print(f"beside the snippet     {1000 * overhead:.0f} ms: {verdict(overhead <= OVERHEAD)}")
    print(f"python snippet.py      {quantiles(cold)}, {faster:.1f} x as long: {verdict(faster >= FASTER)}")


async def _print_cancelling(crew: Crew) -> None:
    """Cancels at any moment, from the first message to the agent on."""
    found = []
    chance = random.Random(0)
    for _ in range(CANCELS):
        task = asyncio.ensure_future(_run("import time\ntime.sleep(60)", crew))
        await asyncio.sleep(chance.uniform(0, 0.2))
        task.cancel()
        began = time.perf_counter()
        await asyncio.wait({task})
        found.append(time.perf_counter() - began)
    p99 = statistics.quantiles(found, n=100)[98]
    print(f"cancel -> all gone     {quantiles(found)}, p99 {1000 * p99:.0f} ms: {verdict(p99 <= CANCELLED)}")


async def _print_left(crew: Crew, folder: Path) -> None:
    if sys.platform != "linux":
        return  # Only there can one look.
    await _run("print(1)", crew)
    before = _left(folder)
    for _ in range(RUNS):
        await _run("print(1)", crew)
    after = _left(folder)
    for name, count in after.items():
        print(f"{name:<22} {before[name]} before, {count} after {RUNS} runs")


def _left(folder: Path) -> dict[str, int]:
    pids = _family(os.getpid())
    return {
        "processes": len(pids),
        "descriptors": sum(1 for pid in pids for _ in Path(f"/proc/{pid}/fd").iterdir()),
        "entries in temp": sum(1 for _ in folder.rglob("*")),
        "MiB of agent, nursery": sum(_resident(pid) for pid in pids[1:]) >> 20,
    }


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += _family(int(child))
    return found


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _run(code: str, crew: Crew) -> RunResult:
    this = Interpreter(sys.executable, "this")
    limits = Limits(network=False)
    return await run(code, name="x.py", interpreter=this, trust=Trust.TRUSTED, limits=limits, crew=crew)


async def _cold() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SNIPPET), stdout=asyncio.subprocess.DEVNULL
    )
    await process.wait()


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


def _plain_interpreter() -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PLAIN, str(SNIPPET)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _own(plain: subprocess.Popen[str]) -> float:
    assert plain.stdin is not None and plain.stdout is not None
    plain.stdin.write("\n")
    plain.stdin.flush()
    return float(plain.stdout.readline())
