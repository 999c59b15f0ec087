"""TL205: `backward` is called on what `.item()` or `float()` gave, a Python number."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.values import Number, Tensor
from torchlore.rules import bindings, support
from torchlore.rules.autograd._losses import losses
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Span
from torchlore.text.nodes import nodes_in


class BackwardOnNumber(Rule):
    """
    ## What it does

    Looks for `backward()` on a Python number: what `.item()` or `float(...)` made of a loss.

    ## Why is this bad?

    A Python number has no graph and no method `backward`: the line raises AttributeError. Type checkers that
    take `.item()` for a number of any kind do not see it.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    loss = model(torch.randn(8, 4)).pow(2).mean().item()
    loss.backward()
    print(loss)
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    loss = model(torch.randn(8, 4)).pow(2).mean()
    loss.backward()
    print(loss.item())
    ```

    ## Fix safety

    Safe: the line could not run. The loss stays a tensor, and where else it is read, its number is taken.

    ## Known limits

    Speaks only where the number is made in the expression itself, or where the function assigns nothing else
    to the name.

    ## References

    - [torch.Tensor.item](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.item.html)
    - [torch.Tensor.backward](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html)
    """

    code = "TL205"
    name = "backward-on-number"
    family = Family.AUTOGRAD
    severity = Severity.ERROR
    since = "0.1.0"
    card = "detach-clone-item"
    trigger = r"\bbackward\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for loss in losses(analysis):
            if isinstance(analysis.value(loss), Number) and analysis.owns(loss):
                yield from self._check(analysis, loss)

    def _check(self, analysis: Analysis, receiver: ast.expr) -> Iterator[Finding]:
        made = [receiver]
        if isinstance(receiver, ast.Name):
            made = bindings.values_of(analysis, receiver) or []
        calls = [call for call in made if isinstance(call, ast.Call)]
        if not made or len(calls) < len(made) or not all(_makes_number(analysis, c) for c in calls):
            return
        if not analysis.is_whole(bindings.scope_of(analysis, receiver) or analysis.source.tree):
            return
        name, by = support.written(analysis, receiver), _maker(calls[0])
        where = f" since `{by}` {support.on_line(analysis, calls[0])}" if calls[0] is not receiver else ""
        message = f"`{name}` is a Python number{where}: it has no graph and no `backward`"
        related = support.related(analysis, calls[0], "the graph is left behind here") if where else ()
        fixes = _fixes(analysis, receiver, calls)
        yield self.finding(message, analysis.source.span(receiver), fixes=fixes, related=related)


def _makes_number(analysis: Analysis, call: ast.Call) -> bool:
    """Whether a call is `.item()` of a tensor, or `float(…)` of anything."""
    for known in analysis.called("Tensor.item", "builtins.float"):
        if known.node is call:
            return known.receiver is None or (isinstance(known.receiver, Tensor) and known.receiver.certain)
    return False


def _maker(call: ast.Call) -> str:
    return ".item()" if isinstance(call.func, ast.Attribute) else "float()"


def _fixes(analysis: Analysis, receiver: ast.expr, calls: list[ast.Call]) -> tuple[Fix, ...]:
    """Keeps the tensor; other readers of the name take the number themselves."""
    edits: list[Edit] = []
    for call in calls:
        kept = _without_number(analysis, call)
        if kept is None:
            return ()
        edits += kept
    if isinstance(receiver, ast.Name):
        backwards = _backwards(analysis, receiver)
        for load in bindings.loads_of(analysis, receiver):
            if load not in backwards and not _is_formatted(analysis, load):
                end = analysis.source.span(load).end
                edits.append(Edit(Span(end, end), ".item()"))
    name = support.written(analysis, receiver) if isinstance(receiver, ast.Name) else "the loss"
    shown = f"`{name}`" if isinstance(receiver, ast.Name) else name
    return (Fix(f"Keep {shown} a tensor: without `{_maker(calls[0])}`", tuple(edits), safe=True),)


def _without_number(analysis: Analysis, call: ast.Call) -> list[Edit] | None:
    """`loss.item()` becomes `loss`, `float(loss)` too."""
    span = analysis.source.span(call)
    if isinstance(call.func, ast.Attribute):
        return [Edit(Span(analysis.source.span(call.func.value).end, span.end), "")]
    if len(call.args) != 1 or not isinstance(
        call.args[0], ast.Name | ast.Call | ast.Attribute | ast.Subscript
    ):
        return None
    inner = analysis.source.span(call.args[0])
    return [Edit(Span(span.start, inner.start), ""), Edit(Span(inner.end, span.end), "")]


def _backwards(analysis: Analysis, receiver: ast.Name) -> set[ast.AST]:
    """The places where `backward` is called on the name."""
    scope = bindings.scope_of(analysis, receiver)
    return {
        node.value
        for node in (nodes_in(scope) if scope is not None else ())
        if isinstance(node, ast.Attribute) and node.attr == "backward"
    }


def _is_formatted(analysis: Analysis, load: ast.Name) -> bool:
    """Whether it stands in an f-string, which shows a tensor of one item as its number."""
    return any(isinstance(node, ast.JoinedStr) for node in analysis.around(load) or ())
