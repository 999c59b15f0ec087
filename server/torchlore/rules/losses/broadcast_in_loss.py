"""TL450: a loss broadcasts its input and its target to each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.shapes.shape import Clash, Shape, broadcast, told
from torchlore.rules import arguments, clashes, support
from torchlore.rules.clashes import Found
from torchlore.rules.literal_sizes import has_layer, has_two
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source


class BroadcastInLoss(Rule):
    """
    ## What it does

    Looks for `mse_loss`, `l1_loss`, `smooth_l1_loss` and `huber_loss`, and their classes, between tensors of
    which each is stretched to the other one: `(N, 1)` and `(N,)`, most often the output of a model and a
    target of one number for each example.

    ## Why is this bad?

    The two are broadcast to `(N, N)`: every prediction is compared with every target. The model learns to
    predict the mean of all targets, and the loss stays high. There is a warning, but no error.

    ## Example

    ```py
    import torch
    import torch.nn.functional as F
    from torch import nn

    model = nn.Linear(4, 1)
    x, y = torch.randn(32, 4), torch.randn(32)
    loss = F.mse_loss(model(x), y)
    ```

    ## Use instead

    ```py
    import torch
    import torch.nn.functional as F
    from torch import nn

    model = nn.Linear(4, 1)
    x, y = torch.randn(32, 4), torch.randn(32)
    loss = F.mse_loss(model(x).squeeze(-1), y)
    ```

    ## Fix safety

    Never applied by itself, as it changes the loss, and what is printed of it. Two ways are offered: the
    superfluous dimension is taken from the one, or the other one gets it too.

    ## Known limits

    Silent where one of the shapes is not known: of what a loader gives, nothing is. Where it is not known
    whether the output has a batch, this is a warning.

    ## References

    - [torch.nn.MSELoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.MSELoss.html)
    - [Broadcasting semantics](https://docs.pytorch.org/docs/stable/notes/broadcasting.html)
    """

    code = "TL450"
    name = "broadcast-in-loss"
    family = Family.LOSSES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "regression-and-metric-losses"
    trigger = r"\b(?:mse_loss|l1_loss|smooth_l1_loss|huber_loss|MSELoss|L1Loss|SmoothL1Loss|HuberLoss)\b"
    follows = False
    is_quick = True

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return has_layer(source) or has_two(source)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for found in clashes.clashes(analysis, "loss"):
            one, other = found.clash.shapes
            severity = Severity.WARNING if one.is_open else Severity.ERROR
            loss = support.written(analysis, clashes.shown_at(found.node))
            message = (
                f"`{loss}` broadcasts {told(one)} and {told(other)}{_result(one, other)}: "
                "every prediction is compared with every target"
            )
            span = analysis.source.span(found.node)
            yield self.finding(message, span, fixes=tuple(_fixes(analysis, found)), severity=severity)


def _result(one: Shape, other: Shape) -> str:
    try:
        result = broadcast(one, other)
    except Clash:
        return ""
    return "" if result is None or result.is_open else f" to {told(result)}"


def _fixes(analysis: Analysis, found: Found) -> Iterator[Fix]:
    call = found.node
    if not isinstance(call, ast.Call):
        return
    nodes = arguments.argument(call, 0, "input"), arguments.argument(call, 1, "target")
    if nodes[0] is None or nodes[1] is None:
        return
    yield from fixes_of_column(analysis, (nodes[0], nodes[1]), found.clash.shapes)


def fixes_of_column(
    analysis: Analysis, nodes: tuple[ast.expr, ast.expr], shapes: tuple[Shape, ...]
) -> Iterator[Fix]:
    """Takes a dimension of size 1 from one of two tensors, or adds it to the other one."""
    for at, there in ((0, 1), (1, 0)):
        axis = _superfluous(shapes[at], shapes[there])
        if axis is None:
            continue
        for node, method in ((nodes[at], "squeeze"), (nodes[there], "unsqueeze")):
            title = f"{method.capitalize()} `{clashes.short(support.written(analysis, node))}`"
            edit = support.followed_by(analysis, node, f".{method}({axis})")
            yield Fix(title, (edit,), safe=False)


def _superfluous(long: Shape, short: Shape) -> int | None:
    """The dimension of size 1 without which a tensor is shaped like another one; None where none is."""
    if long.is_open:
        return -1 if long.dims == (1,) and len(short.dims) == 1 else None
    if len(long.dims) != len(short.dims) + 1:
        return None
    for axis in range(len(long.dims) - 1, -1, -1):
        left = long.dims[:axis] + long.dims[axis + 1 :]
        alike = all(a is None or b is None or a == b for a, b in zip(left, short.dims, strict=True))
        if long.dims[axis] == 1 and alike:
            return -1 if axis == len(long.dims) - 1 else axis
    return None
