"""TL306: `scaled_dot_product_attention` with a dropout that goes on after `eval()`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.values import Const
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import Method, method_around
from torchlore.rules.modules._mode import always_applies, follows_mode
from torchlore.text import Edit, Span


class AttentionDropoutIgnoresEval(Rule):
    """
    ## What it does

    Looks for `F.scaled_dot_product_attention` with a `dropout_p` that is the same in training and in
    evaluation, in the `forward` of a module or in a method that it calls.

    ## Why is this bad?

    The function knows no mode and has no `training` parameter: it drops whenever `dropout_p` is not zero.
    After `model.eval()` attention weights are still dropped at random, so that predictions are worse and
    another run gives others. Nothing is reported.

    ## Example

    ```py
    import torch.nn as nn
    import torch.nn.functional as F


    class Attention(nn.Module):
        def __init__(self, dropout):
            super().__init__()
            self.dropout = dropout

        def forward(self, q, k, v):
            return F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout)
    ```

    ## Use instead

    ```py
    import torch.nn as nn
    import torch.nn.functional as F


    class Attention(nn.Module):
        def __init__(self, dropout):
            super().__init__()
            self.dropout = dropout

        def forward(self, q, k, v):
            return F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout if self.training else 0.0)
    ```

    ## Fix safety

    Safe: in training nothing changes.

    ## Known limits

    Silent where a condition on the way, or the probability itself, may depend on the mode, where the
    probability is a parameter of the method, and in functions and methods that `forward` does not call.

    ## References

    - [torch.nn.functional.scaled_dot_product_attention](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html)
    - [torch.nn.Module.eval](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.eval)
    """

    code = "TL306"
    name = "attention-dropout-ignores-eval"
    family = Family.MODULES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "sdpa"
    trigger = r"\bscaled_dot_product_attention\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("torch.nn.functional.scaled_dot_product_attention"):
            given = call.argument(4, "dropout_p")
            method = method_around(analysis, call.node) if given is not None else None
            if given is None or method is None or not analysis.is_whole(method.node):
                continue
            if _may_be_off(call) or follows_mode(analysis, method, given):
                continue
            if always_applies(analysis, method, call.node):
                written = support.written(analysis, given)
                message = (
                    f"Attention weights are still dropped after `eval()`: `{written}` is the same in both "
                    f"modes of `{method.cls.node.name}`, and the function knows none"
                )
                is_certain = isinstance(given, ast.Constant)  # else it may turn out to be zero
                yield self.finding(
                    message,
                    analysis.source.span(given),
                    fixes=_fixes(analysis, method, given),
                    severity=Severity.ERROR if is_certain else Severity.WARNING,
                )


def _may_be_off(call: Called) -> bool:
    """Whether the probability is zero, or is that for all that the file tells of how it is used."""
    value = call.value(4, "dropout_p")
    return isinstance(value, Const) and not value.value


def _fixes(analysis: Analysis, method: Method, given: ast.expr) -> tuple[Fix, ...]:
    if not isinstance(given, ast.Name | ast.Attribute | ast.Constant | ast.Call | ast.Subscript):
        return ()
    end = analysis.source.span(given).end
    edit = Edit(Span(end, end), f" if {method.receiver}.training else 0.0")
    return (Fix("Drop in training only", (edit,), safe=True),)
