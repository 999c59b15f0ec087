"""The output of a softmax or sigmoid that reaches a loss: where, by what way, and how it is mended."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis, torch_facts
from torchlore.analysis.events import Kind, Place
from torchlore.analysis.members import kind_of
from torchlore.analysis.queries import options, reachable
from torchlore.analysis.values import Instance, Ref, Tensor, Value
from torchlore.rules import support
from torchlore.rules.model import Finding, Fix, Related, Rule
from torchlore.text import Edit, Source, Span


@dataclass(frozen=True, slots=True)
class Reached:
    """A loss that is computed from what is surely the output of an activation.

    Attributes:
        call: the call of the loss.
        argument: what it is given, as it is written there.
        name: of the activation: "softmax", "log_softmax" or "sigmoid".
        applied: the call that applied it; None where several did.
        shown: where in this file to speak of it: the argument, or the call that leads to another file.
        loss: the loss and where it is, in words: "`F.nll_loss` on line 7 of steps.py".
        given: the argument, in words.
        where: the place of the activation, in words; empty where it is inside of what is shown.
        is_inside: whether the activation is written inside the call of the loss, in this file.
    """

    call: ast.Call
    argument: ast.expr
    name: str
    applied: ast.expr | None
    shown: ast.expr | ast.stmt
    loss: str
    given: str
    where: str
    is_inside: bool


def reaching(analysis: Analysis, activation: str, losses: Collection[str]) -> Iterator[Reached]:
    """Where the output of an activation is the input of a loss, on all paths.

    Args:
        analysis: of the file.
        activation: "softmax", "log_softmax" or "sigmoid".
        losses: the functions that compute them ("nll_loss": see `torch_facts.LOSSES`).
    """
    for root in analysis.roots:
        for place in root.places_of(Kind.LOSS):
            call = place.event.node
            if not isinstance(call, ast.Call) or torch_facts.LOSSES[str(place.event.key)] not in losses:
                continue
            found = _reached(analysis, place, call, activation)
            if found is not None:
                yield found


def _reached(analysis: Analysis, place: Place, call: ast.Call, activation: str) -> Reached | None:
    inputs = options(place.event.value) if place.event.value is not None else ()
    made = [v for v in inputs if isinstance(v, Tensor) and v.activation == activation and v.certain]
    argument = input_of(call)
    if not made or len(made) < len(inputs) or argument is None:
        return None
    applied = made[0].made_at if len(made) == 1 else None
    shown: ast.expr | ast.stmt | None = argument
    if not analysis.owns(call):
        shown = _brought_from_here(analysis, place, applied, call, activation)
    if shown is None or not support.is_seen_whole(analysis, place, applied, call):
        return None
    source = analysis.source
    here = applied is not None and analysis.owns(applied)
    inside = applied is not None and here and source.span(applied).start in source.span(shown)
    where = "" if applied is None or inside else f" {support.on_line(analysis, applied)}"
    at = "" if analysis.owns(call) else f" {support.on_line(analysis, call)}"
    loss = f"`{support.written(analysis, call.func)}`{at}"
    given = f"`{_short(support.written(analysis, argument))}`"
    is_inside = inside and analysis.owns(call)
    return Reached(call, argument, activation, applied, shown, loss, given, where, is_inside)


def finding(
    rule: Rule,
    analysis: Analysis,
    found: Reached,
    message: str,
    fix: Fix | None,
    related: tuple[Related, ...] = (),
) -> Finding:
    """The finding of a rule where an activation has reached the wrong loss; `related` to more than that."""
    if found.applied is not None and found.where:
        related = (*support.related(analysis, found.applied, f"the {found.name}"), *related)
    fixes = (fix,) if fix is not None else ()
    return rule.finding(message, analysis.source.span(found.shown), fixes=fixes, related=related)


def _brought_from_here(
    analysis: Analysis, place: Place, applied: ast.expr | None, loss: ast.Call, activation: str
) -> ast.expr | None:
    """The call that leads from this file to a loss in another one, if the activation reaches it by this."""
    shown = support.shown(analysis, place)
    other = analysis.source_of(loss)
    if not isinstance(shown, ast.Call) or applied is None:
        return None
    parts = (part for value in support.handed_over(analysis, shown) for part in reachable(value))
    return shown if any(_may_bring(analysis, part, other, activation) for part in parts) else None


def _may_bring(analysis: Analysis, part: Value, other: Source, activation: str) -> bool:
    """Whether this is the output of the activation, or a model (not made in `other`) whose output may be."""
    if isinstance(part, Instance):
        return kind_of(part) == "Module" and analysis.source_of(part.node) is not other
    return isinstance(part, Tensor) and part.activation == activation


def input_of(call: ast.Call) -> ast.expr | None:
    """The first argument of a loss or an activation, as it is written."""
    if call.args:
        return None if isinstance(call.args[0], ast.Starred) else call.args[0]
    return next((keyword.value for keyword in call.keywords if keyword.arg == "input"), None)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def removed(analysis: Analysis, found: Reached) -> Fix | None:
    """Puts what went into the activation in its place, or takes the layer out of its `nn.Sequential`."""
    applied = found.applied
    if not isinstance(applied, ast.Call) or not analysis.owns(applied):
        return None
    inner = applied_to(analysis, applied)
    if inner is not None:
        title = f"Remove the {found.name}: the loss expects logits"
        return Fix(title, (_without(analysis, applied, inner),), safe=found.is_inside)
    before = _layer_before(analysis, applied)
    if before is None:
        return None
    span, end = analysis.source.span(applied), analysis.source.span(before).end
    title = f"Remove the {found.name} layer: the loss expects logits"
    return Fix(title, (Edit(Span(end, span.end), ""),), safe=False)


def _without(analysis: Analysis, applied: ast.Call, inner: ast.expr) -> Edit:
    """Puts `inner` in the place of the activation, or takes the line out that would say `x = x`."""
    text = support.bracketed(analysis, inner)
    statement = support.statement_of(analysis, applied)
    if isinstance(statement, ast.Assign) and statement.value is applied:
        targets = [support.written(analysis, target) for target in statement.targets]
        lines = support.own_lines(analysis, statement) if targets == [text] else None
        is_bare = lines is not None and "#" not in analysis.source.segment(lines)
        if lines is not None and is_bare and len(support.block_of(analysis, statement)) > 1:
            return Edit(lines, "")
    return Edit(analysis.source.span(applied), text)


def logged(analysis: Analysis, found: Reached) -> Fix | None:
    """Takes `log_softmax` in the place of `softmax`, or its layer in the place of the other layer."""
    applied = found.applied
    if not isinstance(applied, ast.Call) or not analysis.owns(applied):
        return None
    title = "Take `log_softmax` instead: the loss expects log-probabilities"
    if applied_to(analysis, applied) is None or _is_layer(analysis, applied):
        edit = renamed(analysis, _maker(analysis, applied), "Softmax", "LogSoftmax")
        return Fix(title, (edit,), safe=False) if edit is not None else None
    edit = renamed(analysis, applied, "softmax", "log_softmax") or _as_method(analysis, applied)
    return Fix(title, (edit,), safe=found.is_inside) if edit is not None else None


def _is_layer(analysis: Analysis, applied: ast.Call) -> bool:
    return isinstance(analysis.run.values.get(applied.func), Instance)


def _maker(analysis: Analysis, applied: ast.Call) -> ast.AST:
    """The call that made the layer that `applied` calls; `applied` itself where that is one."""
    layer = analysis.run.values.get(applied.func)
    return layer.node if isinstance(layer, Instance) else applied


def renamed(analysis: Analysis, call: ast.AST, old: str, new: str) -> Edit | None:
    """`F.softmax(…)` as `F.log_softmax(…)`; None where that is written in another way."""
    if not isinstance(call, ast.Call) or not analysis.owns(call):
        return None
    if not isinstance(call.func, ast.Attribute) or call.func.attr != old:
        return None
    end = analysis.source.span(call.func).end
    return Edit(Span(end - len(old), end), new)


def _as_method(analysis: Analysis, call: ast.Call) -> Edit | None:
    """`softmax(x, dim=1)` as `x.log_softmax(dim=1)`, which needs no import."""
    if not call.args or isinstance(call.args[0], ast.Starred) or not isinstance(call.func, ast.Name):
        return None
    rest = [*call.args[1:], *(keyword.value for keyword in call.keywords)]
    span, first = analysis.source.span(call), call.args[0]
    after = analysis.source.text[analysis.source.span(first).end : span.end]
    comma = after.find(",")
    if rest and comma < 0:
        return None
    given = after[comma + 1 :].lstrip() if rest else ")"
    return Edit(span, f"{support.bracketed(analysis, first)}.log_softmax({given}")


def applied_to(analysis: Analysis, activation: ast.Call) -> ast.expr | None:
    """What an activation is applied to; None if this call only makes a layer."""
    called = analysis.run.values.get(activation.func)
    if isinstance(called, Ref):
        return None if torch_facts.is_class_name(called.name) else input_of(activation)
    if isinstance(activation.func, ast.Attribute):
        owner = analysis.run.owners.get(activation.func)
        if isinstance(owner, Tensor):
            return activation.func.value
    return input_of(activation)


def _layer_before(analysis: Analysis, layer: ast.Call) -> ast.expr | None:
    """The argument before `layer` in the call that `layer` is an argument of."""
    parent = support.parent(analysis, layer)
    if not isinstance(parent, ast.Call) or layer not in parent.args:
        return None
    index = parent.args.index(layer)
    return parent.args[index - 1] if index > 0 else None
