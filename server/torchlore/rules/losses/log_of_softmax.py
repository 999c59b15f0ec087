"""TL412: a logarithm of probabilities that have been rounded to zero."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.values import Instance, Tensor, Value
from torchlore.rules import spellings, support
from torchlore.rules.losses import _activations
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.text import Edit, Source, Span


class LogOfSoftmax(Rule):
    """
    ## What it does

    Looks for the logarithm of what is exactly the output of a softmax or a sigmoid.

    ## Why is this bad?

    Of scores that differ by more than about 100 the smaller probability is zero in float32, and its
    logarithm is minus infinity: the loss is infinite, and its gradient NaN. `log_softmax` and `logsigmoid`
    compute the logarithm without the probability and are exact for all scores. They are quicker, too.

    ## Example

    ```py
    import torch

    logits = torch.randn(8, 3, requires_grad=True)
    log_probabilities = torch.log(torch.softmax(logits, dim=1))
    ```

    ## Use instead

    ```py
    import torch

    logits = torch.randn(8, 3, requires_grad=True)
    log_probabilities = torch.log_softmax(logits, dim=1)
    ```

    ## Fix safety

    Safe where the softmax is written inside the logarithm: the same numbers, where those were finite.
    Elsewhere no repair is offered, as the probabilities may be used for more.

    ## Known limits

    Silent where something is done to the probabilities before, as adding a small number or `clamp`. It is
    information where no gradients are computed: minus infinity may be as good as any small number there.
    Silent where a range is given to the sigmoid: how far that goes was chosen.

    ## References

    - [torch.nn.functional.log_softmax](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html)
    - [torch.nn.functional.logsigmoid](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.logsigmoid.html)
    """

    code = "TL412"
    name = "log-of-softmax"
    family = Family.LOSSES
    severity = Severity.WARNING
    since = "0.1.0"
    card = "activations"
    trigger = r"\blog\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return any(word in source.text for word in ("oftmax", "igmoid", "expit"))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("torch.log", "Tensor.log"):
            argument, value = _input(call)
            if argument is None or not isinstance(value, Tensor) or not value.certain:
                continue
            better = _BETTER.get(value.activation or "")
            if better is not None and not _is_table(analysis, argument):
                yield self._report(analysis, call, argument, value, better)

    def _report(
        self, analysis: Analysis, call: Called, argument: ast.expr, value: Tensor, better: str
    ) -> Finding:
        applied = value.made_at
        is_inside = applied is argument
        where = "" if is_inside or applied is None else f" {support.on_line(analysis, applied)}"
        message = (
            f"`{support.written(analysis, call.node)}` is minus infinity where the {value.activation}{where} "
            f"has rounded to zero: `{better}` is not"
        )
        fix = _fix(analysis, call, argument, value) if is_inside else None
        related: tuple[Related, ...] = ()
        if where and applied is not None:
            related = support.related(analysis, applied, f"the {value.activation}")
        fixes = (fix,) if fix is not None else ()
        severity = Severity.INFORMATION if value.attached is False else Severity.WARNING
        span = analysis.source.span(call.node)
        return self.finding(message, span, fixes=fixes, related=related, severity=severity)


_BETTER = {"softmax": "log_softmax", "sigmoid": "logsigmoid"}


def _is_table(analysis: Analysis, activation: ast.expr) -> bool:
    """Whether the activation is applied to a range that is written there: how far that goes was chosen."""
    given = _activations.applied_to(analysis, activation) if isinstance(activation, ast.Call) else None
    value = analysis.value(given) if given is not None else None
    return isinstance(value, Tensor) and value.made_by in ("torch.arange", "torch.linspace")


def _input(call: Called) -> tuple[ast.expr | None, Value | None]:
    """What the logarithm is taken of, as it is written, and what that is."""
    if call.receiver is None:
        return call.argument(0, "input"), call.value(0, "input")
    return (call.node.func.value if isinstance(call.node.func, ast.Attribute) else None), call.receiver


def _fix(analysis: Analysis, call: Called, argument: ast.expr, value: Tensor) -> Fix | None:
    """Takes the logarithm away, and the function that computes it for the other one."""
    if not isinstance(argument, ast.Call) or len(call.node.args) + len(call.node.keywords) > (
        call.receiver is None
    ):
        return None
    around, inner = analysis.source.span(call.node), analysis.source.span(argument)
    out = (Edit(Span(around.start, inner.start), ""), Edit(Span(inner.end, around.end), ""))
    if value.activation == "softmax":
        edit = _activations.renamed(analysis, argument, "softmax", "log_softmax")
        return Fix("Compute it with `log_softmax`", (*out, edit), safe=True) if edit is not None else None
    given = _activations.applied_to(analysis, argument)
    if given is None or isinstance(analysis.run.values.get(argument.func), Instance):
        return None
    found = spellings.spelled_anyhow(analysis, call.node, "torch.nn.functional.logsigmoid")
    if found is None:
        return None
    name, imported = found
    text = f"{name}({analysis.source.segment(analysis.source.span(given))})"
    return Fix("Compute it with `logsigmoid`", (*imported, Edit(around, text)), safe=True)
