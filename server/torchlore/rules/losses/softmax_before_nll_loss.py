"""TL402: the negative log-likelihood of probabilities, not of their logarithms."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.rules.losses import _activations
from torchlore.rules.model import Family, Finding, Rule, Severity


class SoftmaxBeforeNllLoss(Rule):
    """
    ## What it does

    Looks for the output of a softmax that reaches `nll_loss` or `NLLLoss`: directly, through variables and
    functions, or as the last layer of a model.

    ## Why is this bad?

    `nll_loss` takes log-probabilities and does not compute a logarithm, whatever its name says. Of
    probabilities it gives minus the mean probability of the right class: the loss is negative, a prediction
    that is surely wrong costs no more than 1, and its gradient all but vanishes. Nothing is reported.

    ## Example

    ```py
    import torch
    import torch.nn.functional as F

    logits = torch.randn(8, 3, requires_grad=True)
    target = torch.randint(3, (8,))
    loss = F.nll_loss(F.softmax(logits, dim=1), target)
    ```

    ## Use instead

    ```py
    import torch
    import torch.nn.functional as F

    logits = torch.randn(8, 3, requires_grad=True)
    target = torch.randint(3, (8,))
    loss = F.nll_loss(F.log_softmax(logits, dim=1), target)
    ```

    ## Fix safety

    Safe where the softmax is written inside the call of the loss. Elsewhere the probabilities may be used
    for more than the loss (metrics, predictions), so that the repair is offered but not applied on save.

    ## Known limits

    Silent where only some paths end in a softmax. Where the loss is in another file, the file that brings
    both together is told, at the call.

    ## References

    - [torch.nn.NLLLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html)
    - [torch.nn.functional.nll_loss](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html)
    - [torch.nn.LogSoftmax](https://docs.pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html)
    """

    code = "TL402"
    name = "softmax-before-nll-loss"
    family = Family.LOSSES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "cross-entropy-logits"
    trigger = r"\b(?:nll_loss|NLLLoss|loss)\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for found in _activations.reaching(analysis, "softmax", ("nll_loss",)):
            message = (
                f"{found.loss} expects log-probabilities and takes no logarithm itself, "
                f"but a softmax{found.where} makes probabilities of {found.given}"
            )
            yield _activations.finding(self, analysis, found, message, _activations.logged(analysis, found))
