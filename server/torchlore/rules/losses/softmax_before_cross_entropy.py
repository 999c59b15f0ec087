"""TL401: cross-entropy of what is already a softmax."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.rules.losses import _activations
from torchlore.rules.model import Family, Finding, Rule, Severity


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
        for found in _activations.reaching(analysis, "softmax", ("cross_entropy",)):
            message = (
                f"{found.loss} expects logits and applies log_softmax itself, "
                f"but a softmax{found.where} has already been applied to {found.given}"
            )
            yield _activations.finding(self, analysis, found, message, _activations.removed(analysis, found))
