"""Places where an analysis may be interrupted: between two functions, between two rules.

Whoever runs analyses can have something done there: look after somebody who waits, or give up by raising.
Nothing is half done at such a place that another analysis could come upon.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

_AT_PAUSES: ContextVar[Callable[[], None] | None] = ContextVar("at_pauses", default=None)


def do_at_pauses(work: Callable[[], None]) -> None:
    """Has `work` called at each pause of what this thread analyses from now on; what it raises ends that.

    It should raise no `Exception`, which is taken for a failure of the analysis.
    """
    _AT_PAUSES.set(work)


def pause() -> None:
    """Does what `do_at_pauses` was given on this thread, if anything."""
    work = _AT_PAUSES.get()
    if work is not None:
        work()
