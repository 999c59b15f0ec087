"""Helpers of the device tests: real processes, each in a temporary directory that the test can look into."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from torchlore.device import Crew, Interpreter, Limits, RunResult, Trust, run

THIS = Interpreter(sys.executable, "the one that runs torchlore")

SMALL = Limits(seconds=20, memory=600_000_000, output=100_000, processes=40)
"""Enough for each well-behaved snippet here; every hostile one reaches one of these soon."""

CREW: Crew | None = None
"""Whose agents `execute` uses; by default each run has its own."""

PATIENCE = 20.0
"""Seconds until something that has to happen counts as not happening. Nothing asserts how soon it happens."""


async def execute(code: str, **arguments: object) -> RunResult:
    """Runs code in this interpreter, under small limits and the name `snippet.py`."""
    settled: dict[str, object] = {
        "name": "snippet.py",
        "interpreter": THIS,
        "trust": Trust.TRUSTED,
        "limits": SMALL,
        "crew": CREW,
    }
    return await run(code, **(settled | arguments))  # type: ignore[arg-type]


def numbers_in(text: str) -> list[int]:
    """The process ids that a snippet printed."""
    return [int(word) for word in text.split() if word.isdigit()]


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def gone(pids: Iterable[int]) -> bool:
    """Whether none of these processes runs any more. One that nobody has collected yet counts as gone."""
    return not any(map(_runs, pids))


def _runs(pid: int) -> bool:
    try:
        if sys.platform == "linux":
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def left_over(folder: Path) -> list[str]:
    """What a run has left where agents have their directories; that of one at rest is not left over."""
    if CREW is None:
        return entries(folder)
    return sorted(path.name for home in folder.iterdir() for path in home.iterdir() if path.name != "nursery")


def script(path: Path, text: str) -> Interpreter:
    """An executable file that pretends to be an interpreter."""
    path.write_text(text)
    path.chmod(0o755)
    return Interpreter(str(path), "setting")
