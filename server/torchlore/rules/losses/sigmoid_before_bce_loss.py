"""TL414: a sigmoid and a binary cross-entropy where one loss would compute both."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.rules.losses import _activations, _making
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity


class SigmoidBeforeBceLoss(Rule):
    """
    ## What it does

    Looks for the output of a sigmoid that reaches `binary_cross_entropy` or `BCELoss`: directly, through
    variables and functions, or as the last layer of a model.

    ## Why is this bad?

    It is right, and loses precision: from a logit of 17 on, a float32 sigmoid is exactly 1. A sure mistake
    then costs no more than 100 and its gradient is zero, so that it is never corrected. Under autocast on a
    GPU the loss raises `RuntimeError`. `binary_cross_entropy_with_logits` computes both at once and has
    neither trouble.

    ## Example

    ```py
    import torch
    import torch.nn.functional as F

    logits = torch.randn(8, requires_grad=True)
    target = torch.randint(2, (8,)).float()
    loss = F.binary_cross_entropy(torch.sigmoid(logits), target)
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

    Not applied on save: where a layer of a model goes, its output is logits for everybody else too.

    ## Known limits

    No repair is offered where sigmoid and loss are in different files, or where the same loss is given
    something else as well.

    ## References

    - [torch.nn.BCEWithLogitsLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html)
    - [torch.nn.functional.binary_cross_entropy_with_logits](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy_with_logits.html)
    """

    code = "TL414"
    name = "sigmoid-before-bce-loss"
    family = Family.LOSSES
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "bce-and-imbalance"
    trigger = r"\b(?:binary_cross_entropy|BCELoss)\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        reaching = _activations.reaching(analysis, "sigmoid", ("binary_cross_entropy",))
        every = {found.call: found for found in reaching}
        for found in every.values():
            message = (
                f"{found.loss} of a sigmoid{found.where} gives sure mistakes no gradient: "
                "`binary_cross_entropy_with_logits` of the logits does"
            )
            sharing = [other for other in every.values() if other.applied is found.applied]
            others = [other for other in sharing if other is not found and other.applied is not None]
            fix = _fix(analysis, [found, *others])
            related = tuple(
                Related(analysis.source.span(other.shown), f"the same {found.name} comes here")
                for other in others
            )
            yield _activations.finding(self, analysis, found, message, fix, related)


def _fix(analysis: Analysis, sharing: list[_activations.Reached]) -> Fix | None:
    """Takes the sigmoid out, and the loss for logits wherever its output goes."""
    out = _activations.removed(analysis, sharing[0])
    calls = [found.call for found in sharing]
    losses = [_making.with_logits(analysis, call, calls) for call in calls]
    if out is None or not all(losses):
        return None
    edits = dict.fromkeys(edit for loss in losses for edit in loss)  # one loss may be called in many places
    return Fix("Take the loss that expects logits, without a sigmoid", (*out.edits, *edits), safe=False)
