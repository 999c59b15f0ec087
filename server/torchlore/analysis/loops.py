"""Loops: how often a body is run, and what holds afterwards."""

from __future__ import annotations

import ast
from collections.abc import Callable

from torchlore.analysis.events import Branch, Loop, Path
from torchlore.analysis.queries import has_new_kind
from torchlore.analysis.run import Run, same_mode
from torchlore.analysis.values import Value

_MAX_REPEATED_LOOPS = 3
"""Loops in loops deeper than this run once: each level would double the work."""


def END() -> bool:
    """What runs when a loop ends by itself, where that is nothing."""
    return False


def loop(
    run: Run,
    node: ast.AST,
    body: Callable[[], bool],
    stored: frozenset[str] = frozenset(),
    orelse: Callable[[], bool] | None = END,
) -> None:
    """Runs `body` until what it reads no longer changes, twice at most; the path tells that it repeats.

    Args:
        run: the interpretation.
        node: the loop.
        body: runs one iteration and tells whether it left.
        stored: the names of this scope that an iteration may bind.
        orelse: what runs when the loop ends by itself; None where it does not end but by `break`.
    """
    frame, grad, heap = run.frame, run.grad, run.heap_changes
    for name in stored:
        frame.widen(name)
    before = frame.now(stored)
    outer, frame.jumps, frame.stored = (frame.jumps, frame.stored), [], stored
    run.loops += 1
    path = _iterate(run, body, stored)
    again = frame.now(stored)
    changed = heap != run.heap_changes or any(has_new_kind(before[name], again[name]) for name in stored)
    if changed and run.loops <= _MAX_REPEATED_LOOPS:
        path = _iterate(run, body, stored)
    run.loops -= 1
    breaks = [names for kind, names in frame.jumps if kind == "break"]
    frame.jumps, frame.stored = outer
    run.grad = same_mode([grad, run.grad])
    run.path.append(Loop(node, path))  # even if nothing happens in it: what it goes through may start workers
    _leave(run, node, breaks, orelse)


def _leave(
    run: Run, node: ast.AST, breaks: list[dict[str, Value | None]], orelse: Callable[[], bool] | None
) -> None:
    """What holds after a loop: the end of its `else`, or what held at a `break`."""
    if orelse is None or orelse is END:
        if breaks:
            run.frame.merge(breaks if orelse is None else [*breaks, {}])
        return
    outer = run.frame.begin_trial()
    path: Path = []
    with run.writing(path):
        left = orelse()
    changed = run.frame.end_trial(outer)
    run.frame.merge([*breaks, *([] if left else [changed])])
    if path:
        run.path.append(Branch(node, (path, [])) if breaks else Branch(node, (path,)))


def _iterate(run: Run, body: Callable[[], bool], stored: frozenset[str]) -> Path:
    """One iteration from the names as they are; afterwards they are what they were or became."""
    frame = run.frame
    ends: list[dict[str, Value | None]] = [frame.now(stored)]
    path: Path = []
    outer, run.path = run.path, path
    try:
        if not body():
            ends.append(frame.now(stored))
    finally:
        run.path = outer
    frame.merge([*ends, *(names for kind, names in frame.jumps or () if kind == "continue")])
    return path
