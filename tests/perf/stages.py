"""Which part of the analysis the time goes to.

Names, values and events come out of one pass, so no clock can be put between them. Instead the pass is
interrupted after every millisecond of CPU time, and the innermost function of torchlore that is running then
tells the part. That costs next to nothing and, over seconds, is right to a few per cent.
"""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePath
from types import FrameType

_INTERVAL = 0.001
"""Seconds of CPU time between two looks."""

NAMES = "names"
VALUES = "values"
EVENTS = "events"
OTHERS = "reading the files that are imported from"

LEGEND = f"""\
{NAMES}: scopes, imports, looking names up, joining them after branches
{VALUES}: everything else of the pass: evaluating expressions and statements, following calls
{EVENTS}: writing what happens to whom, and which calls hand what to code that cannot be seen
{OTHERS}: parsing them and listing what they define; not parsing the file itself"""

_NAMES = frozenset({"frames", "names", "imports", "pulling", "workspace", "scope"})
_EVENTS = frozenset({"events"})
_EVENT_FUNCTIONS = frozenset({"emit", "emit_each", "escape", "writing", "reachable", "_parts"})
_NAME_FUNCTIONS = frozenset({"join_names", "_mentions", "_import", "_global", "_nonlocal"})
_OTHERS = frozenset({"interface", "store", "parse", "repair", "source"})


@dataclass(slots=True)
class Looks:
    """How often each part was found running; looks count only while `on`."""

    on: bool = False
    found: Counter[str] = field(default_factory=Counter)

    def during(self, work: Callable[[], object]) -> None:
        """Does `work`, and counts the looks that fall into it."""
        self.on = True
        try:
            work()
        finally:
            self.on = False


@contextmanager
def sampled() -> Iterator[Looks]:
    """Looks every millisecond while the block runs; never where the system has no such timer."""
    looks = Looks()
    if not hasattr(signal, "setitimer"):  # Windows
        yield looks
        return

    def look(_: int, frame: FrameType | None) -> None:
        if looks.on:
            looks.found[part_of(frame)] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL)
    try:
        yield looks
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def part_of(frame: FrameType | None) -> str:
    """The part of the analysis that a frame belongs to: by its innermost function of torchlore."""
    while frame is not None:
        place = PurePath(frame.f_code.co_filename)
        if place.parent.name in ("analysis", "text") and "torchlore" in place.parts:
            return part(place.stem, frame.f_code.co_name)
        frame = frame.f_back
    return VALUES


def part(module: str, function: str) -> str:
    """The part that a function belongs to."""
    if module in _OTHERS:
        return OTHERS
    if module in _EVENTS or function in _EVENT_FUNCTIONS:
        return EVENTS
    return NAMES if module in _NAMES or function in _NAME_FUNCTIONS else VALUES
