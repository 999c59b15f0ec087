"""`try`: what its handlers and its `finally` see of a body that may stop anywhere."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from torchlore.analysis import expressions, statements
from torchlore.analysis.events import Finally, Path, has_jump
from torchlore.analysis.run import Run
from torchlore.analysis.values import Unknown, Value


def run_try(run: Run, node: ast.Try) -> bool:
    """Runs a `try` with its handlers; tells whether it leaves."""
    if not node.finalbody:
        return _try_except(run, node)
    path: Path = []
    before = dict(run.frame.names)
    reached: dict[str, Value | None] = {}
    with run.writing(path), run.frame.watched(reached):
        left = _try_except(run, node)
    final: Path = []
    with run.writing(final):
        left_finally = _finally(run, node.finalbody, [reached, {name: before.get(name) for name in reached}])
    if final and has_jump(path):
        run.path.append(Finally(node, path, final))
    else:
        run.path += [*path, *final]
    return left or left_finally


def _finally(run: Run, body: Sequence[ast.stmt], earlier: list[dict[str, Value | None]]) -> bool:
    """Runs what comes at last, however far the rest got; what follows knows that it got to its end.

    Args:
        run: the interpretation.
        body: what runs.
        earlier: what names may have been bound to before the end of the rest.
    """
    frame = run.frame
    outer = frame.begin_trial()
    frame.merge([{}, *earlier])
    entered = frame.now(earlier[0])
    left = statements.run_block(run, body)
    changed = frame.end_trial(outer)
    frame.merge([{name: value for name, value in changed.items() if entered.get(name) is not value}])
    return left


def _try_except(run: Run, node: ast.Try) -> bool:
    if not node.handlers:
        return statements.run_block(run, node.body) or statements.run_block(run, node.orelse)
    reached: dict[str, Value | None] = {}

    def body() -> bool:
        with run.frame.watched(reached):
            left = statements.run_block(run, node.body)
        return left or statements.run_block(run, node.orelse)

    return run.branch(node, [body, *(_handler(run, handler, reached) for handler in node.handlers)])


def _handler(run: Run, handler: ast.ExceptHandler, reached: dict[str, Value | None]) -> Callable[[], bool]:
    def arm() -> bool:
        run.frame.merge([{}, reached])  # any part of the body may have run
        if handler.type is not None:
            expressions.evaluate(run, handler.type)
        if handler.name is not None:
            run.frame.bind(handler.name, Unknown())
        left = statements.run_block(run, handler.body)
        if handler.name is not None:
            run.frame.unbind(handler.name)
        return left

    return arm
