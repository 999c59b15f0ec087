"""Calls of `step` that lack an argument which the class requires."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.events import Kind
from torchlore.analysis.members import class_name
from torchlore.analysis.queries import options
from torchlore.analysis.values import Instance


def steps_without_argument(analysis: Analysis, kind: Kind, cls: str) -> Iterator[Called]:
    """The calls of `step`, without any argument, of what is surely of the torch class `cls`.

    Args:
        analysis: of the file.
        kind: the event that such a step is: one of an optimizer or of a scheduler.
        cls: the dotted name of the class.
    """
    for call in analysis.called("Optimizer.step" if kind is Kind.STEP else "Scheduler.step"):
        if call.node.args or call.node.keywords or call.receiver is None:
            continue
        is_of_class = all(
            isinstance(option, Instance) and class_name(option) == cls for option in options(call.receiver)
        )
        if is_of_class and analysis.is_whole(call.node) and not is_expected(analysis, call.node):
            yield call


def is_expected(analysis: Analysis, node: ast.AST) -> bool:
    """Whether the code around a call waits for its error: a `try`, or a test that it raises."""
    for outer in analysis.around(node) or ():
        if isinstance(outer, ast.Try) and outer.handlers:
            return True
        if isinstance(outer, ast.With) and any(_expects(item.context_expr) for item in outer.items):
            return True
    return False


def _expects(context: ast.expr) -> bool:
    called = context.func if isinstance(context, ast.Call) else context
    return isinstance(called, ast.Attribute) and called.attr.startswith(("raises", "assertRaises"))
