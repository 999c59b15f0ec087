"""Clocks.

Work inside this process is timed by its CPU time, so that what else runs on the machine does not count. That
clock may tick as seldom as every ten milliseconds, so what takes less than some ticks is timed by the wall
clock, and the best of a few runs is taken where that is cheap. What waits for another process is timed by the
wall clock: that is what a user waits for.
"""

from __future__ import annotations

import ast
import gc
import statistics
import sys
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


_SHORT = 0.1
"""Seconds of wall time below which CPU time is too coarse a measure."""


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """What `work` gives, and the seconds that it took this process."""
    began, spent = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - began, time.process_time() - spent
    return result, wall if wall < _SHORT else cpu


def parse_time(text: str) -> float:
    """Seconds that `ast.parse` takes, the best of three.

    The collector is off meanwhile: what it costs depends on what else the process holds, and must count
    against torchlore alone.
    """
    on = gc.isenabled()
    gc.disable()
    try:
        return min(timed(lambda: ast.parse(text))[1] for _ in range(3))
    finally:
        if on:
            gc.enable()


def quantiles(seconds: list[float]) -> str:
    """The usual and the worst of some times, in milliseconds."""
    cuts = statistics.quantiles((1000 * s for s in seconds), n=100)
    return f"p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, worst {1000 * max(seconds):.1f} ms"


def within(seconds: list[float], limit: float) -> str:
    """Whether the usual time (p50) keeps to a limit, in words."""
    verdict = "holds" if statistics.median(seconds) <= limit else "DOES NOT HOLD"
    return f"under {1000 * limit:.0f} ms: {verdict}"


def peak_memory() -> str:
    """The most that this process ever held, in words."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return "not known on this system"
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return f"{most / (1024**2 if sys.platform == 'darwin' else 1024):.0f} MB"
