"""TL805: arithmetic between tensors that cannot be broadcast."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.shapes.shape import Shape, told
from torchlore.rules import clashes, support
from torchlore.rules.clashes import Found
from torchlore.rules.literal_sizes import has_two
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source


class ImpossibleBroadcast(Rule):
    """
    ## What it does

    Looks for arithmetic and comparisons between tensors of which a size differs, counted from the last
    dimension, and neither is 1.

    ## Why is this bad?

    Torch lines shapes up at their last dimensions and repeats what has size 1. Where two other sizes meet it
    raises `RuntimeError: The size of tensor a (10) must match the size of tensor b (4) at non-singleton
    dimension 1`.

    ## Example

    ```py
    import torch

    features = torch.randn(4, 10)
    scale = torch.rand(4)
    scaled = features * scale
    ```

    ## Use instead

    ```py
    import torch

    features = torch.randn(4, 10)
    scale = torch.rand(4)
    scaled = features * scale.unsqueeze(-1)
    ```

    ## Fix safety

    Never applied by itself: a size may be wrong. A dimension of size 1 behind the smaller tensor is offered
    where it makes the two fit.

    ## Known limits

    Only shapes count that are certain. A file is looked at that writes out two sizes at least.

    ## References

    - [Broadcasting semantics](https://docs.pytorch.org/docs/stable/notes/broadcasting.html)
    """

    code = "TL805"
    name = "impossible-broadcast"
    family = Family.SHAPES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "broadcasting"
    trigger = r"\b(?:randn|rand|zeros|ones|empty|full|randint|eye|arange|Tensor|tensor|Linear|Parameter)\b"
    follows = False
    is_quick = True

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return has_two(source)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for found in clashes.clashes(analysis, "broadcast"):
            one, other = found.clash.shapes
            message = (
                f"`{clashes.short(support.written(analysis, found.node))}` brings together {told(one)} and "
                f"{told(other)}: sizes {found.clash.wanted} and {found.clash.got} meet, and neither is 1"
            )
            fixes = tuple(_fixes(analysis, found))
            yield self.finding(message, analysis.source.span(found.node), fixes=fixes)


def _fixes(analysis: Analysis, found: Found) -> Iterator[Fix]:
    if not isinstance(found.node, ast.BinOp) or isinstance(found.node.op, ast.MatMult):
        return
    left, right = found.clash.shapes
    for node, small, large in ((found.node.right, right, left), (found.node.left, left, right)):
        if _fits_behind(small, large):
            title = f"Add a last dimension to `{clashes.short(support.written(analysis, node))}`"
            yield Fix(title, (support.followed_by(analysis, node, ".unsqueeze(-1)"),), safe=False)


def _fits_behind(small: Shape, large: Shape) -> bool:
    """Whether a tensor fits to one with a dimension more once it has another last one."""
    if small.is_open or large.is_open or len(small.dims) + 1 != len(large.dims):
        return False
    return small.dims == large.dims[:-1] and None not in small.dims
