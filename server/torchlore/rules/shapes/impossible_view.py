"""TL804: a tensor is viewed in sizes that hold another number of items."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from math import prod

from torchlore.analysis import Analysis
from torchlore.analysis.shapes.shape import Shape, told
from torchlore.rules import clashes, support
from torchlore.rules.clashes import Found
from torchlore.rules.literal_sizes import has_view_of_tensor
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source


class ImpossibleView(Rule):
    """
    ## What it does

    Looks for `view`, `reshape` and `unflatten` into sizes that do not hold as many numbers as the tensor has.

    ## Why is this bad?

    The numbers stay what they are, only their arrangement changes: the product of the sizes must stay the
    same, and `-1` can stand for one of them only if it comes out even. Otherwise torch raises
    `RuntimeError: shape '[4, 12]' is invalid for input of size 40`.

    ## Example

    ```py
    import torch

    images = torch.randn(8, 3, 32, 32)
    flat = images.view(8, 1024)
    ```

    ## Use instead

    ```py
    import torch

    images = torch.randn(8, 3, 32, 32)
    flat = images.view(8, 3072)
    ```

    ## Fix safety

    Never applied by itself: which size is wrong cannot be told. What the last size would have to be is
    offered where that comes out even; beside `-1` the first dimension is taken to stay as it is.

    ## Known limits

    Only tensors count of which all sizes are certain: of a batch from a loader none is.

    ## References

    - [torch.Tensor.view](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.view.html)
    - [torch.reshape](https://docs.pytorch.org/docs/stable/generated/torch.reshape.html)
    """

    code = "TL804"
    name = "impossible-view"
    family = Family.SHAPES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "view-vs-reshape"
    trigger = r"\b(?:view|reshape|unflatten)\b"
    follows = False
    is_quick = True

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return has_view_of_tensor(source)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for found in clashes.clashes(analysis, "view"):
            given, asked = found.clash.shapes
            even = "a multiple of " if -1 in asked.dims else ""
            message = (
                f"`{clashes.short(support.written(analysis, found.node))}` asks for {even}"
                f"{found.clash.wanted} numbers, but {told(given)} holds {found.clash.got}"
            )
            fix = _fix(analysis, found)
            fixes = (fix,) if fix is not None else ()
            yield self.finding(message, analysis.source.span(found.node), fixes=fixes)


def _fix(analysis: Analysis, found: Found) -> Fix | None:
    """The last size that is written out, as it would have to be."""
    given, asked = found.clash.shapes
    sizes = _sizes(found.node)
    if len(sizes) != len(asked.dims):
        return None
    total = found.clash.got
    others = [dim for dim in asked.dims[:-1] if dim is not None and dim != -1]
    new = _last(given, asked, total, prod(others))
    last = sizes[-1]
    if (
        new is None
        or new == asked.dims[-1]
        or not isinstance(last, ast.Constant)
        or last.value != asked.dims[-1]
    ):
        return None
    edit = Edit(analysis.source.span(last), str(new))
    return Fix(f"Make the last size {new}", (edit,), safe=False)


def _last(given: Shape, asked: Shape, total: int, others: int) -> int | None:
    """What the last size would have to be."""
    if asked.dims[-1] == -1 or not others:
        return None
    if -1 in asked.dims:
        batch = given.dims[0] if given.dims else None
        others *= batch if batch else 1
    return total // others if total % others == 0 and total else None


def _sizes(node: ast.expr) -> list[ast.expr]:
    """The sizes that a call of `view` or `reshape` is given one by one, or in one list or tuple."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return []
    given = list(node.args)
    if given and isinstance(given[-1], ast.Tuple | ast.List):
        return list(given[-1].elts)
    return given
