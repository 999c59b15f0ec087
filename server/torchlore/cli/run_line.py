"""How far a run is, on the last line of a terminal, below what it prints."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TextIO

_SOON = 0.5
"""Seconds that nobody need be told of."""

_PERIOD = 0.2
_BAR = 24


@dataclass(slots=True)
class RunLine:
    """The line, and what is printed above it.

    Attributes:
        stream: the terminal; None where nobody looks.
        limit: seconds after which the run is stopped.
        begun: when it was asked for, by the monotonic clock.
        started: when its process was, torch imported; None until then.
        is_shown: the line is there, and has to go before something is printed.
        is_alone: what was printed last ended its line, so that ours may follow.
    """

    stream: TextIO | None
    limit: float
    begun: float
    started: float | None = None
    is_shown: bool = False
    is_alone: bool = True

    def start(self) -> None:
        """Its process runs now."""
        self.started = time.monotonic()

    def print(self, text: str, target: TextIO) -> None:
        """Prints something of the run in the place of the line, which comes back below it."""
        self.hide()
        target.write(text)
        target.flush()
        self.is_alone = text.endswith("\n")

    def show(self) -> None:
        """Draws the line as it is now, unless that would tear apart what the run draws itself."""
        now = time.monotonic()
        if self.stream is None or not self.is_alone or now - self.begun < _SOON:
            return
        room = shutil.get_terminal_size().columns - 1
        self.stream.write(f"\r{self._text(now)[:room]}\x1b[K")
        self.stream.flush()
        self.is_shown = True

    def hide(self) -> None:
        """Takes it away."""
        if self.stream is not None and self.is_shown:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
            self.is_shown = False

    def _text(self, now: float) -> str:
        if self.started is None:
            return f"importing torch, {now - self.begun:.0f} s"
        seconds = min(now - self.started, self.limit)
        encoding = getattr(self.stream, "encoding", None) or ""
        full, empty = "█░" if "utf" in encoding.lower() else "#."
        done = int(_BAR * seconds / self.limit)
        return f"running {full * done}{empty * (_BAR - done)} {seconds:.0f} of at most {self.limit:g} s"


@contextlib.asynccontextmanager
async def run_line(limit: float) -> AsyncIterator[RunLine]:
    """The line of a run that may take so many seconds, shown where standard error is a terminal."""
    looked_at = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    line = RunLine(sys.stderr if looked_at else None, limit, time.monotonic())
    drawing = asyncio.ensure_future(_keep(line)) if looked_at else None
    try:
        yield line
    finally:
        if drawing is not None:
            drawing.cancel()
        line.hide()


async def _keep(line: RunLine) -> None:
    while True:
        line.show()
        await asyncio.sleep(_PERIOD)
