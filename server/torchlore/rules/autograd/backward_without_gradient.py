"""TL207: what `backward` is called on has lost its graph, or has gradients of zero."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Event
from torchlore.analysis.values import Tensor
from torchlore.rules import support
from torchlore.rules.autograd._flow import FLAT, Flow, Stop
from torchlore.rules.autograd._losses import losses
from torchlore.rules.autograd._names import MAKERS
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Span


class BackwardWithoutGradient(Rule):
    """
    ## What it does

    Looks for losses through which no gradient can flow, as all that they are computed from has passed
    `.detach()`, `argmax`, a comparison, a cast to whole numbers, `torch.no_grad()`, or a function that is
    flat wherever it has a derivative (`round`, `sign`).

    ## Why is this bad?

    Without a graph `backward` raises RuntimeError. What `round` and its like give has one, so that nothing is
    reported: but all gradients are zero, and no step changes anything.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    out = model(torch.randn(8, 4)).detach()
    loss = out.pow(2).mean()
    loss.backward()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    out = model(torch.randn(8, 4))
    loss = out.pow(2).mean()
    loss.backward()
    ```

    ## Fix safety

    Removing `.detach()` or `.data` is unsafe: what else uses the tensor may want it without its graph. There
    is no mechanical repair for `argmax`, comparisons and rounding: train on what they are applied to.

    ## Known limits

    Follows a loss back through operators, functions and methods of torch, losses and names that one function
    assigns. Silent as soon as one part may carry gradients.

    ## References

    - [torch.Tensor.backward](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html)
    - [Gradients for non-differentiable functions](https://docs.pytorch.org/docs/stable/notes/autograd.html#gradients-for-non-differentiable-functions)
    """

    code = "TL207"
    name = "backward-without-gradient"
    family = Family.AUTOGRAD
    severity = Severity.ERROR
    since = "0.1.0"
    card = "autograd-basics"
    trigger = r"\bbackward\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        found = losses(analysis)
        is_flat = bool(found) and any(analysis.called(*FLAT))
        flow = Flow(analysis)
        for loss, events in found.items():
            has_none = all(_has_no_graph(analysis, event) for event in events)
            if (has_none or is_flat) and analysis.owns(loss):
                stop = flow.stop(loss)
                if stop is not None and stop.is_flat is not has_none and analysis.is_whole(stop.node):
                    yield self._report(analysis, loss, stop)

    def _report(self, analysis: Analysis, loss: ast.expr, stop: Stop) -> Finding:
        name, where = support.written(analysis, loss), support.on_line(analysis, stop.node)
        if stop.is_flat:
            harm = "all gradients are zero, and nothing is trained"
            message = f"`{name}` comes of {stop.cause} {where}, which is flat: {harm}"
        else:
            message = f"`{name}` has no graph to go back through: {stop.cause} {where} ends it"
        related = support.related(analysis, stop.node, "no gradient passes here")
        return self.finding(
            message, analysis.source.span(loss), fixes=_fixes(analysis, stop), related=related
        )


def _has_no_graph(analysis: Analysis, event: Event) -> bool:
    """Whether what is differentiated surely has none, for another reason than TL206 tells of."""
    value = event.value
    if not isinstance(value, Tensor) or not value.certain or value.attached is not False:
        return False
    made = (analysis.call_at(token) for token in value.tokens)
    return not any(call is not None and call.name in MAKERS for call in made)


def _fixes(analysis: Analysis, stop: Stop) -> tuple[Fix, ...]:
    match stop.node:
        case (
            ast.Call(func=ast.Attribute(value=kept, attr="detach" as cut))
            | ast.Attribute(value=kept, attr="data" as cut)
        ):
            source = analysis.source
            edit = Edit(Span(source.span(kept).end, source.span(stop.node).end), "")
            return (Fix(f"Keep the graph: without `.{cut}`", (edit,), safe=False),)
        case _:
            return ()
