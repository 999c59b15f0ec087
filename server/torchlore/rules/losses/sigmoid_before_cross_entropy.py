"""TL405: cross-entropy of what is already a sigmoid."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.rules.losses import _activations
from torchlore.rules.model import Family, Finding, Rule, Severity


class SigmoidBeforeCrossEntropy(Rule):
    """
    ## What it does

    Looks for the output of a sigmoid that reaches `cross_entropy` or `CrossEntropyLoss`: directly, through
    variables and functions, or as the last layer of a model.

    ## Why is this bad?

    `cross_entropy` expects logits, which may be any number, and applies `log_softmax` itself. Scores
    between 0 and 1 differ by 1 at most: of ten classes the right one gets a probability of 0.23 at best,
    the loss stays above 1.4, and the gradients are small. Nothing is reported.

    ## Example

    ```py
    import torch
    import torch.nn.functional as F

    logits = torch.randn(8, 3, requires_grad=True)
    target = torch.randint(3, (8,))
    loss = F.cross_entropy(torch.sigmoid(logits), target)
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

    Safe where the sigmoid is written inside the call of the loss. Elsewhere the scores may be used for more
    than the loss (metrics, predictions), so that the repair is offered but not applied on save.

    ## Known limits

    Silent where only some paths end in a sigmoid. Where the loss is in another file, the file that brings
    both together is told, at the call. Where several labels of one example may be right, the loss is the
    mistake and not the sigmoid: `binary_cross_entropy_with_logits` is what is meant then.

    ## References

    - [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html)
    - [torch.nn.functional.cross_entropy](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html)
    """

    code = "TL405"
    name = "sigmoid-before-cross-entropy"
    family = Family.LOSSES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "cross-entropy-logits"
    trigger = r"\b(?:cross_entropy|CrossEntropyLoss|loss)\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for found in _activations.reaching(analysis, "sigmoid", ("cross_entropy",)):
            message = (
                f"{found.loss} expects logits and applies log_softmax itself, "
                f"but a sigmoid{found.where} has already been applied to {found.given}"
            )
            yield _activations.finding(self, analysis, found, message, _activations.removed(analysis, found))
