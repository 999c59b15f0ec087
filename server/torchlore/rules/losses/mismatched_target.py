"""TL451: a loss is given a target of a shape that it refuses."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.shapes.shape import told
from torchlore.rules import arguments, clashes, support
from torchlore.rules.clashes import Found
from torchlore.rules.literal_sizes import has_layer, has_two
from torchlore.rules.losses.broadcast_in_loss import fixes_of_column
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source


class MismatchedTarget(Rule):
    """
    ## What it does

    Looks for binary cross-entropy between tensors of different shapes, and for `cross_entropy` and
    `nll_loss` with class numbers in a column `(N, 1)` instead of a row `(N,)`.

    ## Why is this bad?

    Binary cross-entropy compares number by number and raises `ValueError: Target size (torch.Size([8])) must
    be the same as input size (torch.Size([8, 1]))`. Cross-entropy wants one class for each example and raises
    `RuntimeError: 0D or 1D target tensor expected, multi-target not supported`.

    ## Example

    ```py
    import torch
    from torch import nn

    model = nn.Linear(4, 1)
    criterion = nn.BCEWithLogitsLoss()
    x, y = torch.randn(8, 4), torch.ones(8)
    loss = criterion(model(x), y)
    ```

    ## Use instead

    ```py
    import torch
    from torch import nn

    model = nn.Linear(4, 1)
    criterion = nn.BCEWithLogitsLoss()
    x, y = torch.randn(8, 4), torch.ones(8)
    loss = criterion(model(x).squeeze(-1), y)
    ```

    ## Fix safety

    Never applied by itself. Two ways are offered for binary cross-entropy: the superfluous dimension is taken
    from the one, or the other one gets it too; of a column of classes it is taken.

    ## Known limits

    Silent where one of the shapes is not known: of what a loader gives, nothing is.

    ## References

    - [torch.nn.BCEWithLogitsLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html)
    - [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html)
    """

    code = "TL451"
    name = "mismatched-target"
    family = Family.LOSSES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "bce-and-imbalance"
    trigger = (
        r"\b(?:binary_cross_entropy|binary_cross_entropy_with_logits|BCELoss|BCEWithLogitsLoss|cross_entropy"
        r"|CrossEntropyLoss|nll_loss|NLLLoss)\b"
    )
    follows = False
    is_quick = True

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return has_layer(source) or has_two(source)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for found in clashes.clashes(analysis, "target", "classes"):
            one, other = found.clash.shapes
            loss = support.written(analysis, clashes.shown_at(found.node))
            is_column = found.clash.what == "classes"
            wanted = "one class for each example" if is_column else "a target of the shape of its input"
            given = f"classes in a column, {told(other)}" if is_column else f"{told(one)} and {told(other)}"
            message = f"`{loss}` wants {wanted}, but is given {given}"
            fixes = tuple(_fixes(analysis, found))
            yield self.finding(message, analysis.source.span(found.node), fixes=fixes)


def _fixes(analysis: Analysis, found: Found) -> Iterator[Fix]:
    call = found.node
    if not isinstance(call, ast.Call):
        return
    given, target = arguments.argument(call, 0, "input"), arguments.argument(call, 1, "target")
    if given is None or target is None:
        return
    if found.clash.what == "classes":
        title = f"Squeeze `{clashes.short(support.written(analysis, target))}`"
        yield Fix(title, (support.followed_by(analysis, target, ".squeeze(-1)"),), safe=False)
    else:
        yield from fixes_of_column(analysis, (given, target), found.clash.shapes)
