"""TL406: a divergence computed from probabilities, not from their logarithms."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.rules.losses import _activations
from torchlore.rules.model import Family, Finding, Rule, Severity


class KlDivOfProbabilities(Rule):
    """
    ## What it does

    Looks for the output of a softmax that is the first argument of `kl_div` or `KLDivLoss`: directly,
    through variables and functions, or as the last layer of a model.

    ## Why is this bad?

    The first argument has to be log-probabilities; only the second is probabilities. Of two probabilities
    the result is no divergence: it is never above zero, not zero where the two are equal, and smallest
    where the first is certain of the class that the second likes best. Nothing is reported.

    ## Example

    ```py
    import torch
    import torch.nn.functional as F

    student = torch.randn(8, 3, requires_grad=True)
    teacher = torch.randn(8, 3)
    loss = F.kl_div(F.softmax(student, dim=1), F.softmax(teacher, dim=1), reduction="batchmean")
    ```

    ## Use instead

    ```py
    import torch
    import torch.nn.functional as F

    student = torch.randn(8, 3, requires_grad=True)
    teacher = torch.randn(8, 3)
    loss = F.kl_div(F.log_softmax(student, dim=1), F.softmax(teacher, dim=1), reduction="batchmean")
    ```

    ## Fix safety

    Safe where the softmax is written inside the call of the loss. Elsewhere the probabilities may be used
    for more than the loss (metrics, predictions), so that the repair is offered but not applied on save.

    ## Known limits

    Silent where only some paths end in a softmax. Where the loss is in another file, the file that brings
    both together is told, at the call.

    ## References

    - [torch.nn.KLDivLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html)
    - [torch.nn.functional.kl_div](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.kl_div.html)
    """

    code = "TL406"
    name = "kl-div-of-probabilities"
    family = Family.LOSSES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "regression-and-metric-losses"
    trigger = r"\b(?:kl_div|KLDivLoss|loss)\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for found in _activations.reaching(analysis, "softmax", ("kl_div",)):
            message = (
                f"{found.loss} expects log-probabilities as its first argument, "
                f"but a softmax{found.where} makes probabilities of {found.given}"
            )
            yield _activations.finding(self, analysis, found, message, _activations.logged(analysis, found))
