"""TL803: tensors are put together whose other sizes differ."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.shapes.shape import Shape, told
from torchlore.rules import arguments, clashes, support
from torchlore.rules.literal_sizes import has_two
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source


class MismatchedConcatenation(Rule):
    """
    ## What it does

    Looks for `torch.cat` of tensors that differ in another dimension than the one along which they are put
    together, and for `torch.stack` of tensors that differ at all.

    ## Why is this bad?

    `cat` lays tensors behind one another along one dimension: in all others they must be of the same size.
    `stack` makes a new dimension: all sizes must be the same. Otherwise torch raises
    `RuntimeError: Sizes of tensors must match except in dimension 0`.

    ## Example

    ```py
    import torch

    text = torch.randn(8, 64)
    image = torch.randn(8, 128)
    both = torch.cat([text, image])
    ```

    ## Use instead

    ```py
    import torch

    text = torch.randn(8, 64)
    image = torch.randn(8, 128)
    both = torch.cat([text, image], dim=1)
    ```

    ## Fix safety

    Never applied by itself: a size may be wrong, and not the dimension. Another dimension is offered where
    the tensors fit along it.

    ## Known limits

    Only lists and tuples of which every tensor is known are looked at, and only shapes that are certain.

    ## References

    - [torch.cat](https://docs.pytorch.org/docs/stable/generated/torch.cat.html)
    - [torch.stack](https://docs.pytorch.org/docs/stable/generated/torch.stack.html)
    """

    code = "TL803"
    name = "mismatched-concatenation"
    family = Family.SHAPES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "cat-stack-split"
    trigger = r"\b(?:cat|concat|concatenate|stack)\b"
    follows = False
    is_quick = True

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return has_two(source)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for found in clashes.clashes(analysis, "cat", "stack"):
            one, other = found.clash.shapes
            called = support.written(analysis, found.node.func) if isinstance(found.node, ast.Call) else ""
            rule = (
                "the same shape" if found.clash.what == "stack" else "the same sizes but along one dimension"
            )
            message = f"`{called}` wants tensors of {rule}, but is given {told(one)} and {told(other)}"
            fix = _fix(analysis, found.node, one, other) if found.clash.what == "cat" else None
            fixes = (fix,) if fix is not None else ()
            yield self.finding(message, analysis.source.span(found.node), fixes=fixes)


def _fix(analysis: Analysis, call: ast.expr, one: Shape, other: Shape) -> Fix | None:
    """The only dimension along which two tensors, which are all that are given, fit together."""
    if not isinstance(call, ast.Call) or not call.args:
        return None
    tensors = call.args[0]
    if not isinstance(tensors, ast.List | ast.Tuple) or len(tensors.elts) != 2:
        return None
    if one.is_open or other.is_open or len(one.dims) != len(other.dims):
        return None
    differ = [i for i, (a, b) in enumerate(zip(one.dims, other.dims, strict=True)) if a != b or a is None]
    if len(differ) != 1:
        return None
    edit = _with_dim(analysis, call, differ[0])
    return None if edit is None else Fix(f"Concatenate along dimension {differ[0]}", (edit,), safe=False)


def _with_dim(analysis: Analysis, call: ast.Call, dim: int) -> Edit | None:
    """The call with another dimension in it."""
    written = arguments.argument(call, 1, "dim")
    if written is not None:
        return Edit(analysis.source.span(written), str(dim))
    if call.keywords or len(call.args) != 1:
        return None
    return arguments.added(analysis, call, f"dim={dim}")
