"""TL407: a target of `kl_div` that is not what `log_target` says."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.values import Tensor
from torchlore.rules import arguments, support
from torchlore.rules.losses import _making
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity


class LogTargetMismatch(Rule):
    """
    ## What it does

    Looks for calls of `kl_div` and `KLDivLoss` whose second argument is the output of a `log_softmax`,
    though `log_target` is not set, or that of a softmax, though it is.

    ## Why is this bad?

    `log_target` says whether the second argument is log-probabilities. Where it is not set, the logarithm
    of the target is taken: of log-probabilities, which are negative, that is NaN, and so is every parameter
    after the next step. Where it is set, the exponential is taken, and of probabilities that is none.
    Nothing is reported.

    ## Example

    ```py
    import torch
    import torch.nn.functional as F

    student = torch.randn(8, 3, requires_grad=True)
    teacher = torch.randn(8, 3)
    p, q = F.log_softmax(student, dim=1), F.log_softmax(teacher, dim=1)
    loss = F.kl_div(p, q, reduction="batchmean")
    ```

    ## Use instead

    ```py
    import torch
    import torch.nn.functional as F

    student = torch.randn(8, 3, requires_grad=True)
    teacher = torch.randn(8, 3)
    p, q = F.log_softmax(student, dim=1), F.log_softmax(teacher, dim=1)
    loss = F.kl_div(p, q, reduction="batchmean", log_target=True)
    ```

    ## Fix safety

    Safe: the loss was NaN, or none, before. It is not applied on save where a `KLDivLoss` is made in
    another place than it is called, as it may be called with other targets too.

    ## Known limits

    Silent where the target is neither surely a softmax nor surely a log_softmax, or where `log_target` is
    not a literal.

    ## References

    - [torch.nn.KLDivLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html)
    - [torch.nn.functional.kl_div](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html)
    """

    code = "TL407"
    name = "log-target-mismatch"
    family = Family.LOSSES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "regression-and-metric-losses"
    trigger = r"\b(?:kl_div|KLDivLoss)\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("torch.nn.functional.kl_div", "torch.nn.KLDivLoss()"):
            target, argument = call.value(1, "target"), call.argument(1, "target")
            if not isinstance(target, Tensor) or not target.certain or argument is None:
                continue
            made = _making.making(analysis, call, "log_target")
            if made is None or (target.activation, bool(made.told)) not in _WRONG:
                continue
            given, loss = support.written(analysis, argument), support.written(analysis, call.node.func)
            is_log = target.activation == "log_softmax"
            message = (
                f"The target `{given}` is log-probabilities, but `{loss}` takes its logarithm: "
                "without `log_target=True` the result is NaN"
                if is_log
                else f"The target `{given}` is probabilities, but `log_target=True` makes `{loss}` "
                "take it for their logarithms"
            )
            edit = arguments.with_keyword(analysis, made.node, "log_target", str(is_log))
            title = f"Set `log_target={is_log}`"
            fix = Fix(title, (edit,), safe=made.node is call.node) if edit is not None else None
            yield self.finding(message, analysis.source.span(argument), fixes=(fix,) if fix else ())


_WRONG = {("log_softmax", False), ("softmax", True)}
"""What a target is, and what `log_target` says of it."""
