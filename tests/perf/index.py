"""What the symbol index costs: reading it, asking it, holding it."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from torchlore.knowledge.symbols import all_symbols, index_path, symbol, use_index

from tests.perf.timing import quantiles, timed, verdict

ROUNDS = 9
LIMIT_MS, LIMIT_MB = 40, 30

# In a process of its own, since what this one has freed would hide what the index takes.
_HELD = """
import tracemalloc
from torchlore.knowledge import symbol
tracemalloc.start()
symbol("torch.nn.Linear")
print(*tracemalloc.get_traced_memory())
"""


def print_index() -> None:
    """Prints the time of the first question and of the next ones, and the memory that answering takes."""
    path = index_path()
    assert path is not None
    print(f"symbol index           {path.name}, {path.stat().st_size / 1024:.0f} KiB")
    first = [1000 * _afresh(lambda: symbol("torch.nn.Linear")) for _ in range(ROUNDS)]
    told = verdict(statistics.median(first) <= LIMIT_MS)
    print(f"first question         {statistics.median(first):.1f} ms; under {LIMIT_MS} ms: {told}")
    names = [each.name for each in all_symbols()]
    use_index(None)
    symbol("torch.nn.Linear")
    print(f"other questions        {quantiles([_asked(name) for name in names])} ({len(names)} names)")
    done = subprocess.run([sys.executable, "-c", _HELD], capture_output=True, text=True, check=True)
    held, peak = (int(part) / 1024**2 for part in done.stdout.split())
    told = verdict(peak <= LIMIT_MB)
    print(f"memory                 {held:.1f} MB, {peak:.1f} MB while reading; under {LIMIT_MB} MB: {told}\n")


def _afresh(work: Callable[[], object]) -> float:
    use_index(None)
    return timed(work)[1]


def _asked(name: str) -> float:
    began = time.perf_counter()
    symbol(name)
    return time.perf_counter() - began
