"""A line that says how far a long run is, where somebody looks at it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LONG = 1.0
"""Seconds after which a run is worth a line."""


@contextmanager
def progress(total: int) -> Iterator[Callable[[int], None]]:
    """What to call with the number of files that were done: a terminal on standard error shows it.

    Nothing is shown of a run that ends soon, and nothing is left of the line at the end.
    """
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    begun, done, is_shown = time.monotonic(), 0, False

    def advance(count: int) -> None:
        nonlocal done, is_shown
        done += count
        if time.monotonic() - begun > _LONG:
            is_shown = True
            sys.stderr.write(f"\r{done} of {total} files")
            sys.stderr.flush()

    try:
        yield advance
    finally:
        if is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
