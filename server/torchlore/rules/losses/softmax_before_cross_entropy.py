"""TL401: cross-entropy of what is already a softmax."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis, torch_facts
from torchlore.analysis.events import Kind, Place
from torchlore.analysis.members import kind_of
from torchlore.analysis.queries import options, reachable
from torchlore.analysis.values import Instance, Ref, Tensor, Value
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source, Span


class SoftmaxBeforeCrossEntropy(Rule):
    """
    ## What it does

    Looks for the output of a softmax that reaches `cross_entropy` or `CrossEntropyLoss`: directly, through
    variables and functions, or as the last layer of a model.

    ## Why is this bad?

    `cross_entropy` expects logits and applies `log_softmax` itself.
    A second softmax squeezes all scores into [0, 1]: the loss of a perfect prediction cannot reach zero, the
    gradients are small, and training is slow and ends worse. Nothing is reported.

    ## Example

    ```py
    import torch
    import torch.nn.functional as F

    logits = torch.randn(8, 3, requires_grad=True)
    target = torch.randint(3, (8,))
    loss = F.cross_entropy(F.softmax(logits, dim=1), target)
    ```

    ## Use instead

    ```py
    import torch
    import torch.nn.functional as F

    logits = torch.randn(8, 3, requires_grad=True)
    target = torch.randint(3, (8,))
    loss = F.cross_entropy(logits, target)
    ```

    ## Fix safety

    Safe where the softmax is written inside the call of the loss. Elsewhere the probabilities may be used for
    more than the loss (metrics, predictions), so that removing the softmax is offered but not applied
    on save.

    ## Known limits

    `log_softmax` before cross-entropy is not reported: it is superfluous, but applying it twice changes
    nothing.
    Silent where only some paths end in a softmax (`if not self.training:`). Where the loss is in another
    file, the file that brings both together is told, at the call.

    ## References

    - [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html)
    - [torch.nn.functional.cross_entropy](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html)
    """

    code = "TL401"
    name = "softmax-before-cross-entropy"
    family = Family.LOSSES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "cross-entropy-logits"
    trigger = r"\b(?:cross_entropy|CrossEntropyLoss|loss)\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for root in analysis.roots:
            for place in root.places_of(Kind.LOSS):
                if isinstance(place.event.node, ast.Call):
                    yield from self._check_loss(analysis, place, place.event.node)

    def _check_loss(self, analysis: Analysis, place: Place, call: ast.Call) -> Iterator[Finding]:
        event = place.event
        inputs = options(event.value) if event.value is not None else ()
        softmaxed = [v for v in inputs if isinstance(v, Tensor) and v.activation == "softmax" and v.certain]
        argument = _input(call)
        if not softmaxed or len(softmaxed) < len(inputs) or argument is None:
            return
        softmax = softmaxed[0].made_at if len(softmaxed) == 1 else None
        shown: ast.expr | ast.stmt | None = argument
        if not analysis.owns(call):
            shown = _brought_from_here(analysis, place, softmax, call)
        if shown is None or not support.is_seen_whole(analysis, place, softmax, call):
            return
        source = analysis.source
        here = softmax is not None and analysis.owns(softmax)
        inside = softmax is not None and here and source.span(softmax).start in source.span(shown)
        where = "" if softmax is None or inside else f" {support.on_line(analysis, softmax)}"
        at = "" if analysis.owns(call) else f" {support.on_line(analysis, call)}"
        loss, given = support.written(analysis, call.func), _short(support.written(analysis, argument))
        message = (
            f"`{loss}`{at} expects logits and applies log_softmax itself, "
            f"but a softmax{where} has already been applied to `{given}`"
        )
        related = () if softmax is None or inside else support.related(analysis, softmax, "the softmax")
        fix = _fix(analysis, softmax, safe=inside and analysis.owns(call)) if here else None
        yield self.finding(
            message, source.span(shown), fixes=(fix,) if fix is not None else (), related=related
        )


def _brought_from_here(
    analysis: Analysis, place: Place, softmax: ast.expr | None, loss: ast.Call
) -> ast.expr | None:
    """The call that leads from this file to a loss in another one, if a softmax reaches it by way of this."""
    shown = support.shown(analysis, place)
    other = analysis.source_of(loss)
    if not isinstance(shown, ast.Call) or softmax is None:
        return None
    parts = (part for value in support.handed_over(analysis, shown) for part in reachable(value))
    return shown if any(_may_bring(analysis, part, other) for part in parts) else None


def _may_bring(analysis: Analysis, part: Value, other: Source) -> bool:
    """Whether this is the output of a softmax, or a model (not made in `other`) whose output may be."""
    if isinstance(part, Instance):
        return kind_of(part) == "Module" and analysis.source_of(part.node) is not other
    return isinstance(part, Tensor) and part.activation == "softmax"


def _input(call: ast.Call) -> ast.expr | None:
    if call.args:
        return call.args[0]
    return next((keyword.value for keyword in call.keywords if keyword.arg == "input"), None)


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _fix(analysis: Analysis, softmax: ast.expr | None, safe: bool) -> Fix | None:
    """Puts what went into the softmax in its place, or takes the layer out of its `nn.Sequential`."""
    if not isinstance(softmax, ast.Call):
        return None
    span = analysis.source.span(softmax)
    inner = _inner(analysis, softmax)
    if inner is not None:
        text = analysis.source.segment(analysis.source.span(inner))
        if not isinstance(inner, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.Constant):
            text = f"({text})"
        return Fix("Remove the softmax: the loss expects logits", (Edit(span, text),), safe)
    before = _layer_before(analysis, softmax)
    if before is None:
        return None
    end = analysis.source.span(before).end
    title = "Remove the softmax layer: the loss expects logits"
    return Fix(title, (Edit(Span(end, span.end), ""),), safe=False)


def _inner(analysis: Analysis, softmax: ast.Call) -> ast.expr | None:
    """What the softmax is applied to; None if this call only makes a layer."""
    called = analysis.run.values.get(softmax.func)
    if isinstance(called, Ref):
        return None if torch_facts.is_class_name(called.name) else _input(softmax)
    if isinstance(softmax.func, ast.Attribute) and isinstance(analysis.run.owners.get(softmax.func), Tensor):
        return softmax.func.value
    return _input(softmax)


def _layer_before(analysis: Analysis, layer: ast.Call) -> ast.expr | None:
    """The argument before `layer` in the call that `layer` is an argument of."""
    parent = (analysis.around(layer) or (None,))[-1]
    if not isinstance(parent, ast.Call) or layer not in parent.args:
        return None
    index = parent.args.index(layer)
    return parent.args[index - 1] if index > 0 else None
