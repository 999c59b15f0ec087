"""What a loss is told when it is made, or, where it is a function, when it is called."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass

from torchlore.analysis import Analysis
from torchlore.analysis.called import MISSING, Called
from torchlore.analysis.values import Const, Instance, Ref
from torchlore.rules import spellings
from torchlore.text import Edit


@dataclass(frozen=True, slots=True)
class Making:
    """Where a loss is told how to work.

    Attributes:
        node: the call of its function, or of its class; it may be of another file.
        told: the literal that it is given for the parameter in question; None where it is given none.
    """

    node: ast.Call
    told: object


def making(analysis: Analysis, call: Called, keyword: str) -> Making | None:
    """Where a loss is told its `keyword`, which has no position; None where that is not known."""
    if call.receiver is None:
        told, is_known = call.literal(-1, keyword), call.is_complete
        is_given = any(keyword in given.keywords for given in call.given)
    elif isinstance(call.receiver, Instance) and call.receiver.arguments is not None:
        arguments = call.receiver.arguments
        value, is_known = arguments.keywords.get(keyword), arguments.complete
        is_given, told = value is not None, value.value if isinstance(value, Const) else MISSING
    else:
        return None
    if not is_known or (is_given and told is MISSING):
        return None
    return Making(maker(analysis, call.node), told if is_given else None)


def maker(analysis: Analysis, call: ast.Call) -> ast.Call:
    """The call that made the loss that `call` calls; `call` itself where that is one of a function."""
    loss = analysis.value(call.func)
    return loss.node if isinstance(loss, Instance) and isinstance(loss.node, ast.Call) else call


def with_logits(analysis: Analysis, call: ast.Call, given_logits: Collection[ast.Call]) -> tuple[Edit, ...]:
    """Takes the binary cross-entropy that expects logits; empty where that is not possible here.

    Args:
        analysis: of the file.
        call: of the loss. It may be made in another file; then there are no edits.
        given_logits: the calls that are given logits, or will be. A loss that others call, too, stays.
    """
    made = maker(analysis, call)
    others = (each.node for each in analysis.called("torch.nn.BCELoss()"))
    if any(other not in given_logits and maker(analysis, other) is made for other in others):
        return ()
    called = analysis.value(made.func)
    if not isinstance(called, Ref) or called.name not in _WITH_LOGITS or not analysis.owns(made):
        return ()
    found = spellings.spelled_anyhow(analysis, made.func, _WITH_LOGITS[called.name])
    return () if found is None else (*found[1], Edit(analysis.source.span(made.func), found[0]))


_WITH_LOGITS = {
    "torch.nn.functional.binary_cross_entropy": "torch.nn.functional.binary_cross_entropy_with_logits",
    "torch.nn.BCELoss": "torch.nn.BCEWithLogitsLoss",
}
