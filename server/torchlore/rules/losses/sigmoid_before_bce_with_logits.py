"""TL403: binary cross-entropy with logits of what is already a sigmoid."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.rules.losses import _activations
from torchlore.rules.model import Family, Finding, Rule, Severity


class SigmoidBeforeBceWithLogits(Rule):
    """
    ## What it does

    Looks for the output of a sigmoid that reaches `binary_cross_entropy_with_logits` or
    `BCEWithLogitsLoss`: directly, through variables and functions, or as the last layer of a model.

    ## Why is this bad?

    The loss applies the sigmoid itself. A second one squeezes every probability into [0.5, 0.73]: no
    example can be called negative, the loss of a perfect prediction cannot go below 0.31 for positive and
    0.69 for negative examples, and the gradients are small. Nothing is reported.

    ## Example

    ```py
    import torch
    import torch.nn.functional as F

    logits = torch.randn(8, requires_grad=True)
    target = torch.randint(2, (8,)).float()
    loss = F.binary_cross_entropy_with_logits(torch.sigmoid(logits), target)
    ```

    ## Use instead

    ```py
    import torch
    import torch.nn.functional as F

    logits = torch.randn(8, requires_grad=True)
    target = torch.randint(2, (8,)).float()
    loss = F.binary_cross_entropy_with_logits(logits, target)
    ```

    ## Fix safety

    Safe where the sigmoid is written inside the call of the loss. Elsewhere the probabilities may be used
    for more than the loss (metrics, predictions), so that the repair is offered but not applied on save.

    ## Known limits

    Silent where only some paths end in a sigmoid. Where the loss is in another file, the file that brings
    both together is told, at the call.

    ## References

    - [torch.nn.BCEWithLogitsLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html)
    - [torch.nn.functional.binary_cross_entropy_with_logits](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html)
    """

    code = "TL403"
    name = "sigmoid-before-bce-with-logits"
    family = Family.LOSSES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "bce-and-imbalance"
    trigger = r"\b(?:binary_cross_entropy_with_logits|BCEWithLogitsLoss|loss)\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for found in _activations.reaching(analysis, "sigmoid", ("binary_cross_entropy_with_logits",)):
            message = (
                f"{found.loss} expects logits and applies the sigmoid itself, "
                f"but a sigmoid{found.where} has already been applied to {found.given}"
            )
            yield _activations.finding(self, analysis, found, message, _activations.removed(analysis, found))
