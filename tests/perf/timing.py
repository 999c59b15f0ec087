"""Clocks.

Work inside this process is timed by the CPU time of this thread: what else runs on the machine does not
count. (The clock of the whole process ticks every few milliseconds only as long as a timer of it runs, as one
does in `stages`.) What waits for another process is timed by the wall clock: that is what a user waits for.
"""

from __future__ import annotations

import ast
import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")


@contextmanager
def collector_off() -> Iterator[None]:
    """As the server and the command line have it while they analyse a file; afterwards it is as it was."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """What `work` gives, and the seconds of CPU time that it took, the collector being off."""
    with collector_off():
        began = time.thread_time()
        result = work()
        return result, time.thread_time() - began


def parse_time(text: str) -> float:
    """Seconds of CPU time that `ast.parse` takes, the best of three."""
    return min(timed(lambda: ast.parse(text))[1] for _ in range(3))


def collect() -> float:
    """Collects garbage; seconds of CPU time that it took."""
    began = time.thread_time()
    gc.collect()
    return time.thread_time() - began


def quantiles(seconds: list[float]) -> str:
    """The usual and the worst of some times, in milliseconds."""
    cuts = statistics.quantiles((1000 * s for s in seconds), n=100)
    return f"p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, worst {1000 * max(seconds):.1f} ms"


def within(seconds: list[float], limit: float) -> str:
    """Whether the usual time (p50) keeps to a limit, in words."""
    return f"under {1000 * limit:.0f} ms: {verdict(statistics.median(seconds) <= limit)}"


def verdict(holds: bool) -> str:
    """Whether a goal is reached, in words."""
    return "holds" if holds else "DOES NOT HOLD"


def peak_memory() -> str:
    """The most that this process ever held, in words."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return "not known on this system"
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{most / (1024**2 if sys.platform == 'darwin' else 1024):.0f} MB"
