"""TL905: a tensor indexed by a mask of bytes."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.values import Tensor, Unknown
from torchlore.rules import support
from torchlore.rules.api._uses import may_be_told
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Span


class ByteMask(Rule):
    """
    ## What it does

    Looks for tensors of `uint8` that index another tensor, `x[mask.byte()]`, or by which `torch.where`
    chooses.

    ## Why is this bad?

    Masks were bytes before torch had `bool`. As an index, and in `torch.where`, a tensor of bytes still
    counts as a mask, with a warning; `masked_fill` and `masked_select`, and `x[mask] = value`, already raise
    an error. And `~mask` of bytes is 255 and 254, which are both true.

    ## Example

    ```py
    import torch

    x = torch.arange(4)
    mask = (x > 1).byte()
    large = x[mask]
    ```

    ## Use instead

    ```py
    import torch

    x = torch.arange(4)
    mask = (x > 1).byte()
    large = x[mask.bool()]
    ```

    ## Fix safety

    Safe: it selects what it selected.

    ## Known limits

    Silent where the dtype of the mask is not known.

    ## References

    - [Tensor indexing](https://docs.pytorch.org/docs/stable/tensor_attributes.html)
    """

    code = "TL905"
    name = "byte-mask"
    family = Family.API
    severity = Severity.WARNING
    since = "0.1.0"
    card = "indexing-gather-scatter"
    trigger = r"\b(?:byte|uint8|ByteTensor)\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for node, value in analysis.run.values.items():
            is_mask = isinstance(value, Tensor) and value.dtype == "uint8"
            if not is_mask or not isinstance(node, ast.Name | ast.Attribute | ast.Call):
                continue
            outer = analysis.around(node)
            if outer and _indexes_tensor(analysis, outer, node) and may_be_told(analysis, node, outer):
                yield self._told(analysis, node)
        for call in analysis.called("torch.where"):
            chosen = call.argument(0, "condition")
            outer = analysis.around(chosen) if chosen is not None else None
            if (
                chosen is not None
                and outer
                and _is_bytes(analysis, chosen)
                and may_be_told(analysis, chosen, outer)
            ):
                yield self._told(analysis, chosen)

    def _told(self, analysis: Analysis, mask: ast.expr) -> Finding:
        span = analysis.source.span(mask)
        edit = Edit(Span(span.end, span.end), ".bool()")
        if isinstance(mask, ast.Call) and _is_made_bytes(mask):
            end = analysis.source.span(mask.func).end
            edit = Edit(Span(end - len("byte"), end), "bool")
        text = support.written(analysis, mask)
        message = f"`{text}` is a tensor of bytes: as a mask that is deprecated, use one of bool"
        return self.finding(message, span, fixes=(Fix("Make the mask one of bool", (edit,), safe=True),))


def _is_bytes(analysis: Analysis, condition: ast.expr) -> bool:
    """Whether what `torch.where` chooses by, which must be a tensor, is one of bytes."""
    value = analysis.value(condition)
    if isinstance(value, Tensor) and value.certain:
        return value.dtype == "uint8"
    return _is_made_bytes(condition) and isinstance(value, Tensor | Unknown)


def _is_made_bytes(node: ast.expr) -> bool:
    """`mask.byte()`: a tensor has no other method of this name, whatever else has one."""
    match node:
        case ast.Call(func=ast.Attribute(attr="byte"), args=[], keywords=[]):
            return True
        case _:
            return False


def _indexes_tensor(analysis: Analysis, outer: tuple[ast.AST, ...], node: ast.expr) -> bool:
    """Whether a node is the index of a tensor, which is read.

    A tensor of bytes is an index of nothing but tensors: that an annotation says so is enough.
    """
    index: ast.AST = node
    parent = outer[-1]
    if isinstance(parent, ast.Tuple) and len(outer) > 1:
        index, parent = parent, outer[-2]
    if not isinstance(parent, ast.Subscript) or parent.slice is not index:
        return False
    indexed = analysis.run.values.get(parent.value)
    return isinstance(indexed, Tensor)
