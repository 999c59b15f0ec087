"""Places where work on a file may be interrupted: between two functions, between two rules.

Whoever analyses can have something done there: look after somebody who waits, or give up by raising. At a
`pause` no file is half analysed; at a `pause_within` one is, and only other files may be asked about.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from enum import Enum


class Pause(Enum):
    """Where the work stands.

    Attributes:
        BETWEEN: nothing is half done.
        WITHIN: one file is half analysed.
    """

    BETWEEN = "between"
    WITHIN = "within"


_AT_PAUSES: ContextVar[Callable[[Pause], None] | None] = ContextVar("at_pauses", default=None)


def do_at_pauses(work: Callable[[Pause], None]) -> None:
    """Has `work` called at each pause of what this thread analyses from now on; what it raises ends that.

    It should raise no `Exception`, which is taken for a failure of the analysis.
    """
    _AT_PAUSES.set(work)


def pause() -> None:
    """To be called between two pieces of work, of which the next one may be asked for anew."""
    _do(Pause.BETWEEN)


def pause_within() -> None:
    """To be called in the middle of an analysis, where no other file is half looked at."""
    _do(Pause.WITHIN)


def _do(where: Pause) -> None:
    work = _AT_PAUSES.get()
    if work is not None:
        work(where)
