"""TL404: binary cross-entropy of what no sigmoid was applied to."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.names import words
from torchlore.analysis.values import Tensor
from torchlore.rules import support
from torchlore.rules.losses import _making
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit


class LogitsIntoBceLoss(Rule):
    """
    ## What it does

    Looks for the output of a linear or convolutional layer that goes into `binary_cross_entropy` or
    `BCELoss` as it is.

    ## Why is this bad?

    The loss expects probabilities. A layer gives any number, and the first one below 0 or above 1 stops the
    program: `RuntimeError: all elements of input should be between 0 and 1`. On a GPU that is a device-side
    assertion, after which the process can do nothing more.

    ## Example

    ```py
    import torch
    from torch import nn

    model = nn.Linear(4, 1)
    criterion = nn.BCELoss()
    loss = criterion(model(torch.randn(8, 4)), torch.ones(8, 1))
    ```

    ## Use instead

    ```py
    import torch
    from torch import nn

    model = nn.Linear(4, 1)
    criterion = nn.BCEWithLogitsLoss()
    loss = criterion(model(torch.randn(8, 4)), torch.ones(8, 1))
    ```

    ## Fix safety

    Offered, but not applied on save: there are two repairs. The loss that takes logits is the better one,
    being exact for large numbers and allowed under autocast; the other one applies the sigmoid before the
    loss.

    ## Known limits

    Silent where the last layer is not known, or where anything is done between the layer and the loss but
    reshaping.

    ## References

    - [torch.nn.BCELoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html)
    - [torch.nn.BCEWithLogitsLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html)
    - [torch.nn.functional.binary_cross_entropy](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.binary_cross_entropy.html)
    """

    code = "TL404"
    name = "logits-into-bce-loss"
    family = Family.LOSSES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "bce-and-imbalance"
    trigger = r"\b(?:binary_cross_entropy|BCELoss)\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        found = [*_given_logits(analysis)]
        calls = [call.node for call, _, _ in found]
        for call, argument, layer in found:
            given, loss = support.written(analysis, argument), support.written(analysis, call.node.func)
            message = (
                f"`{loss}` expects probabilities, but `{given}` is the output of a `{layer}` layer, "
                "to which no sigmoid was applied: it raises RuntimeError"
            )
            fixes = tuple(_fixes(analysis, call.node, argument, calls))
            yield self.finding(message, analysis.source.span(argument), fixes=fixes)


def _given_logits(analysis: Analysis) -> Iterator[tuple[Called, ast.expr, str]]:
    """The calls of the loss that are given the output of a layer: call, argument, class of the layer."""
    for call in analysis.called("torch.nn.functional.binary_cross_entropy", "torch.nn.BCELoss()"):
        value, argument = call.value(0, "input"), call.argument(0, "input")
        if not isinstance(value, Tensor) or not value.certain or argument is None:
            continue
        if value.made_by in _LAYERS and not support.expects_an_error(analysis, call.node):
            yield call, argument, value.made_by.rpartition(".")[2]


_LAYERS = words(
    """
    torch.nn.Linear torch.nn.Bilinear torch.nn.Conv1d torch.nn.Conv2d torch.nn.Conv3d torch.nn.LayerNorm
    torch.nn.ConvTranspose1d torch.nn.ConvTranspose2d torch.nn.ConvTranspose3d torch.nn.BatchNorm1d
    torch.nn.BatchNorm2d torch.nn.functional.linear torch.nn.functional.conv1d torch.nn.functional.conv2d
    """
)
"""What gives numbers without bounds."""


def _fixes(
    analysis: Analysis, call: ast.Call, argument: ast.expr, given_logits: list[ast.Call]
) -> Iterator[Fix]:
    """Takes the loss for logits; or applies the sigmoid."""
    edits = _making.with_logits(analysis, call, given_logits)
    if edits:
        yield Fix("Take the loss that expects logits", edits, safe=False)
    text = f"{support.bracketed(analysis, argument)}.sigmoid()"
    span = analysis.source.span(argument)
    yield Fix("Apply the sigmoid before the loss", (Edit(span, text),), safe=False)
