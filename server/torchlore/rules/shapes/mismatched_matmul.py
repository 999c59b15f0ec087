"""TL802: matrices are multiplied whose sizes do not fit."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.shapes.shape import Dim, Shape, told
from torchlore.rules import clashes, support
from torchlore.rules.clashes import Found
from torchlore.rules.literal_sizes import has_two
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.triggers import words_of
from torchlore.text import Source

_PRODUCTS = frozenset({b"matmul", b"mm", b"bmm", b"mv", b"linear"})


class MismatchedMatmul(Rule):
    """
    ## What it does

    Looks for `a @ b`, `torch.matmul`, `mm`, `bmm`, `mv` and `F.linear` of tensors whose inner sizes differ.

    ## Why is this bad?

    A row of the left one is multiplied with a column of the right one, number by number: they must be as
    long. Otherwise torch raises `RuntimeError: mat1 and mat2 shapes cannot be multiplied (4x10 and 5x10)`.

    ## Example

    ```py
    import torch

    features = torch.randn(4, 10)
    weight = torch.randn(5, 10)
    out = features @ weight
    ```

    ## Use instead

    ```py
    import torch

    features = torch.randn(4, 10)
    weight = torch.randn(5, 10)
    out = features @ weight.mT
    ```

    ## Fix safety

    Never applied by itself: another size may be wrong. A transposition is offered where the product then is
    possible.

    ## Known limits

    Only shapes count that are certain. A file is looked at that writes out two sizes at least. `einsum`
    and sparse tensors are not looked at.

    ## References

    - [torch.matmul](https://docs.pytorch.org/docs/stable/generated/torch.matmul.html)
    - [torch.nn.functional.linear](https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.linear.html)
    """

    code = "TL802"
    name = "mismatched-matmul"
    family = Family.SHAPES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "matmul-einsum"
    trigger = r"\b(?:randn|rand|zeros|ones|empty|full|eye|Tensor|tensor|Linear|Parameter|view|reshape)\b"
    follows = False
    is_quick = True

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return (" @ " in source.text or not _PRODUCTS.isdisjoint(words_of(source.text))) and has_two(source)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for found in clashes.clashes(analysis, "matmul"):
            left, right = found.clash.shapes
            message = (
                f"`{clashes.short(support.written(analysis, found.node))}` multiplies {told(left)} and "
                f"{told(right)}: the rows of the one hold {found.clash.got} numbers, "
                f"the columns of the other {found.clash.wanted}"
            )
            fixes = tuple(_fixes(analysis, found))
            yield self.finding(message, analysis.source.span(found.node), fixes=fixes)


def _fixes(analysis: Analysis, found: Found) -> Iterator[Fix]:
    """The right one transposed, or the left one, where the product is possible then."""
    clash, operands = found.clash, _operands(found.node)
    if operands is None:
        return
    left, right = operands
    if _fits(clash.shapes[0], _turned(clash.shapes[1])):
        yield _transposing(analysis, right)
    if _fits(_turned(clash.shapes[0]), clash.shapes[1]):
        yield _transposing(analysis, left)


def _transposing(analysis: Analysis, node: ast.expr) -> Fix:
    edit = support.followed_by(analysis, node, ".mT")
    return Fix(f"Transpose `{clashes.short(support.written(analysis, node))}`", (edit,), safe=False)


def _operands(node: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    match node:
        case ast.BinOp(left=left, op=ast.MatMult(), right=right):
            return left, right
        case ast.Call(func=ast.Attribute(attr="matmul" | "mm" | "bmm"), args=[left, right], keywords=[]):
            return left, right
        case ast.Call(
            func=ast.Attribute(value=left, attr="matmul" | "mm" | "bmm"), args=[right], keywords=[]
        ):
            return left, right
        case _:
            return None


def _turned(shape: Shape) -> Shape | None:
    if len(shape.dims) < 2 or shape.is_open:
        return None
    dims: tuple[Dim, ...] = (*shape.dims[:-2], shape.dims[-1], shape.dims[-2])
    return Shape(dims)


def _fits(left: Shape | None, right: Shape | None) -> bool:
    """Whether two that have as many dimensions, or of which the right one is a matrix, can be multiplied."""
    if left is None or right is None or len(right.dims) < 2 or not left.dims:
        return False
    inner, rows = left.dims[-1], right.dims[-2]
    is_alike = len(right.dims) == 2 or left.dims[:-2] == right.dims[:-2]
    return is_alike and inner is not None and inner == rows
