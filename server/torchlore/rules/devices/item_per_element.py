"""TL604: the numbers of a tensor are fetched from the device one by one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.values import Ref
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source, Span
from torchlore.text.nodes import nodes_in

_ITEM = re.compile(r"\.item\(\)")
_LAST_NAME = re.compile(r"(\w+)\]?\Z")
_Around = ast.For | ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


class ItemPerElement(Rule):
    """
    ## What it does

    Looks for loops over the elements of a tensor that call `.item()` on each.

    ## Why is this bad?

    Each `.item()` waits until the device has done all that it was given, and copies one number.
    `tolist()` waits once and copies all of them; on the CPU it is many times as fast, too.

    ## Example

    ```py
    import torch

    scores = torch.rand(1000)
    values = [score.item() for score in scores]
    ```

    ## Use instead

    ```py
    import torch

    scores = torch.rand(1000)
    values = scores.flatten().tolist()
    ```

    ## Fix safety

    Safe: the numbers are the same. `.flatten()` stands there for a tensor with a last dimension of one.
    In a `for` statement, which may change the tensor on its way, it is offered.

    ## Known limits

    Speaks only of what is surely a tensor, and of loops over it or over its indexes. Silent where the tensor
    is made in the head of the loop without a device: then it is on the CPU.

    ## References

    - [torch.Tensor.tolist](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.tolist.html)
    - [torch.Tensor.item](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.item.html)
    """

    code = "TL604"
    name = "item-per-element"
    family = Family.DEVICES
    severity = Severity.HINT
    since = "0.1.0"
    card = "gpu-underused"
    trigger = r"\bitem\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        ends = (source.text[max(0, end.start() - 40) : end.start()] for end in _ITEM.finditer(source.text))
        elements = {match[1] for match in map(_LAST_NAME.search, ends) if match is not None}
        loops = (line for line in source.text.splitlines() if " in " in line and "for " in line)
        return any(name in line for line in loops for name in elements)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("Tensor.item"):
            element = call.node.func.value if isinstance(call.node.func, ast.Attribute) else None
            found = _loop(analysis, call, element) if element is not None else None
            if element is not None and found is not None:
                yield self._report(analysis, call, element, *found)

    def _report(
        self, analysis: Analysis, call: Called, element: ast.expr, loop: _Around, tensor: ast.expr
    ) -> Finding:
        name, one = support.written(analysis, tensor), support.written(analysis, element)
        message = (
            f"`{one}.item()` waits for the device once for every element of `{name}`: "
            f"`{name}.tolist()` fetches all of them at once"
        )
        fix = _fix(analysis, call.node, element, loop, tensor)
        span = Span(analysis.source.span(element).end, analysis.source.span(call.node).end)
        return self.finding(message, span, fixes=() if fix is None else (fix,))


def _loop(analysis: Analysis, call: Called, element: ast.expr) -> tuple[_Around, ast.expr] | None:
    """The loop over the elements of a tensor that `element` is one of, and the tensor."""
    for outer in reversed(analysis.around(call.node) or ()):
        if isinstance(outer, ast.FunctionDef | ast.Lambda | ast.ClassDef | ast.AsyncFunctionDef):
            return None
        for target, over in _targets(outer):
            tensor = _gone_over(analysis, element, target, over)
            if tensor is not None and _is_tensor(analysis, tensor):
                return outer, tensor  # type: ignore[return-value]
    return None


def _targets(loop: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What a loop binds, and what it goes over: of `zip` and `enumerate` part by part."""
    match loop:
        case ast.For(target=target, iter=over):
            yield from _parts(target, over)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            for generator in loop.generators:
                yield from _parts(generator.target, generator.iter)


def _parts(target: ast.expr, over: ast.expr) -> Iterator[tuple[ast.expr, ast.expr]]:
    match target, over:
        case ast.Tuple(elts=names), ast.Call(func=ast.Name(id="zip"), args=given):
            yield from zip(names, given, strict=False)
        case ast.Tuple(elts=[_, name]), ast.Call(func=ast.Name(id="enumerate"), args=[given, *_]):
            yield name, given
        case _:
            yield target, over


def _gone_over(analysis: Analysis, element: ast.expr, target: ast.expr, over: ast.expr) -> ast.expr | None:
    """The tensor whose elements `element` is one after the other; None if it is something else."""
    match element, target:
        case ast.Name(id=name), ast.Name(id=bound) if name == bound:
            return over
        case ast.Subscript(value=tensor, slice=ast.Name(id=name)), ast.Name(id=bound) if name == bound:
            counts = (
                isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id == "range"
            )
            return tensor if counts else None
        case _:
            return None


def _is_tensor(analysis: Analysis, node: ast.expr) -> bool:
    """Whether it is surely one, and not one that is made on the CPU right here."""
    if isinstance(node, ast.Call) and all(keyword.arg not in ("device", None) for keyword in node.keywords):
        made = analysis.value(node.func)
        if isinstance(made, Ref) and made.name in _ON_CPU:
            return False  # nothing waits
    return support.is_surely_tensor(analysis.value(node))


_ON_CPU = frozenset(
    f"torch.{name}" for name in ("linspace", "arange", "tensor", "ones", "zeros", "rand", "randperm")
)
"""What makes a tensor on the CPU where it is told no device."""


def _fix(
    analysis: Analysis, call: ast.Call, element: ast.expr, loop: _Around, tensor: ast.expr
) -> Fix | None:
    """Fetches all numbers at once, where nothing else is done with the elements."""
    name = support.written(analysis, tensor)
    if not isinstance(tensor, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
        return None
    fetched, source = f"{name}.flatten().tolist()", analysis.source
    match loop:
        case ast.ListComp(elt=elt, generators=[ast.comprehension(target=target, iter=over, ifs=[])]):
            if elt is call and over is tensor and isinstance(target, ast.Name):
                return Fix(f"Use `{fetched}`", (Edit(source.span(loop), fetched),), safe=True)
        case ast.For(target=ast.Name(id=bound), iter=over) if over is tensor:
            uses = [
                n for part in loop.body for n in nodes_in(part) if isinstance(n, ast.Name) and n.id == bound
            ]
            if uses == [element]:
                edits = (
                    Edit(source.span(tensor), fetched),
                    Edit(Span(source.span(element).end, source.span(call).end), ""),
                )
                return Fix(f"Go over `{fetched}`", edits, safe=False)
    return None
