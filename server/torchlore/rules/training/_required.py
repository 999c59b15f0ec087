"""Calls of `step` that lack an argument which the class requires."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.events import Kind
from torchlore.analysis.members import class_name
from torchlore.analysis.queries import options
from torchlore.analysis.values import Instance
from torchlore.rules import support


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
        if is_of_class and not support.expects_an_error(analysis, call.node):
            yield call
