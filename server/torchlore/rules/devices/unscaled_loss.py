"""TL613: a gradient scaler steps an optimizer although the loss was never scaled."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.events import Event, Kind, Place, Root
from torchlore.analysis.queries import options
from torchlore.analysis.values import Instance, Tensor, Unknown, Value
from torchlore.rules import bindings, support
from torchlore.rules.devices import _scaling
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source, Span


class UnscaledLoss(Rule):
    """
    ## What it does

    Looks for `loss.backward()` whose gradients `scaler.step(optimizer)` uses: the loss was not scaled.

    ## Why is this bad?

    `scaler.step` divides the gradients by the scale whether the loss was multiplied by it or not.
    A scaler that has never scaled anything raises AssertionError; one that has makes this step as many times
    too small as its scale is large. And small gradients in float16 become zero, as without a scaler.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    loss = model(torch.randn(8, 4)).mean()
    loss.backward()
    scaler.step(optimizer)
    scaler.update()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    loss = model(torch.randn(8, 4)).mean()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    ```

    ## Fix safety

    Safe: the rule speaks only where no path to the step scales the loss, and a scaler that is switched off
    leaves it as it is.

    ## Known limits

    Where the file scales something, silent if the loss is not surely a tensor, or the optimizer not known.
    Silent where a loss is handed over by callers, where gradients are written by hand, and where code that
    cannot be seen has the scaler or the optimizer.

    ## References

    - [Automatic mixed precision examples](https://docs.pytorch.org/docs/stable/notes/amp_examples.html)
    - [torch.amp: gradient scaling](https://docs.pytorch.org/docs/stable/amp.html#gradient-scaling)
    """

    code = "TL613"
    name = "unscaled-loss"
    family = Family.DEVICES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "mixed-precision"
    trigger = r"\bGradScaler\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return ".step(" in source.text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        reported: set[ast.AST] = set()
        for root in analysis.roots:
            for optimizer, place in _scaling.steps(root):
                scaler = _scaling.scaler_of(analysis, place.event.node)
                if scaler is None or support.is_held(root, scaler):
                    continue
                if not isinstance(optimizer, Instance) and _may_scale(analysis):
                    continue  # what other optimizers step on may be scaled
                states = _scaling.gradients(root, optimizer).get(place.event, set())
                if {state.state for state in states} not in ({"plain"}, {"plain", "none"}):
                    continue
                if any(_is_reckoned_with(analysis, call) for call in analysis.called("GradScaler.get_scale")):
                    continue  # somebody scales by hand
                for backward in _backwards(root, place.event):
                    if backward.event.node not in reported:
                        reported.add(backward.event.node)
                        yield from self._report(analysis, backward, place)

    def _report(self, analysis: Analysis, backward: Place, step: Place) -> Iterator[Finding]:
        call, stepping = backward.event.node, step.event.node
        if not isinstance(call, ast.Call) or not isinstance(stepping, ast.Call) or not analysis.owns(call):
            return
        if not isinstance(call.func, ast.Attribute):
            return
        loss = backward.event.value
        if not support.is_surely_tensor(loss) and (_may_scale(analysis) or not _is_given_by_a_call(loss)):
            return
        if not support.is_seen_whole(analysis, backward, call, stepping):
            return
        scaler = support.receiver(analysis, stepping)
        message = (
            f"`{support.written(analysis, call.func.value)}` is not scaled, but `{scaler}.step` "
            f"{support.on_line(analysis, stepping)} divides its gradients by the scale"
        )
        related = support.related(analysis, stepping, "the gradients are divided here")
        fixes = _fixes(analysis, call.func.value, stepping)
        yield self.finding(message, analysis.source.span(call), fixes=fixes, related=related)


def _may_scale(analysis: Analysis) -> bool:
    """Whether the file has a word for scaling a loss: else no scaler of it that nobody else has does that."""
    return _SCALES.search(analysis.source.text) is not None


_SCALES = re.compile(r"\bscale\b(?=\s*\()|[\"']scale[\"']")


def _is_given_by_a_call(loss: Value | None) -> bool:
    """Whether code that has no scaler gave a loss that is not known: who hands one over may scale it."""
    found = options(loss) if loss is not None else ()
    return bool(found) and all(
        isinstance(one, Tensor) or (isinstance(one, Unknown) and bool(one.tokens)) for one in found
    )


def _is_reckoned_with(analysis: Analysis, call: Called) -> bool:
    """Whether something is computed with the result of a call, or may be."""
    parent = support.parent(analysis, call.node)
    return isinstance(parent, ast.BinOp | ast.UnaryOp | ast.Assign | ast.AugAssign | ast.Return)


def _backwards(root: Root, step: Event) -> list[Place]:
    """What computes gradients before a step, as the text goes, since the step before it."""
    found: list[Place] = []
    for place in root.places:
        if place.event is step:
            return found
        if place.event.kind is Kind.STEP:
            found = []
        if place.event.kind is Kind.BACKWARD:
            found.append(place)
    return found


def _fixes(analysis: Analysis, loss: ast.expr, step: ast.Call) -> tuple[Fix, ...]:
    function = bindings.scope_of(analysis, loss)
    if not analysis.owns(step) or function is not bindings.scope_of(analysis, step):
        return ()
    if not isinstance(step.func, ast.Attribute) or not support.is_name(step.func.value):
        return ()
    scaler, span = support.written(analysis, step.func.value), analysis.source.span(loss)
    if analysis.source.text[span.start - 1 : span.start] == "(" and not isinstance(
        loss, ast.Name | ast.Attribute | ast.Call | ast.Subscript
    ):
        edits: tuple[Edit, ...] = (Edit(Span(span.start - 1, span.start), f"{scaler}.scale("),)
    else:
        edits = support.wrapped(analysis, loss, f"{scaler}.scale(")
    return (Fix(f"Scale the loss: `{scaler}.scale(…)`", edits, safe=True),)
