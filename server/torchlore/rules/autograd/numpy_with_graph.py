"""TL210: a tensor that requires gradients is to become an array of NumPy's."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Call, Kind
from torchlore.analysis.queries import tokens_of
from torchlore.analysis.values import Tensor, Value
from torchlore.rules import bindings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source
from torchlore.text.nodes import blocks, nodes_in


class NumpyWithGraph(Rule):
    """
    ## What it does

    Looks for `.numpy()`, `np.array(...)` and `np.asarray(...)` of tensors that carry a graph or are trained.

    ## Why is this bad?

    An array shares the memory of the tensor, and what is done to it cannot be recorded. Torch raises
    RuntimeError: "Can't call numpy() on Tensor that requires grad".

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    prediction = model(torch.randn(8, 4)).numpy()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    prediction = model(torch.randn(8, 4)).detach().numpy()
    ```

    ## Fix safety

    Safe: the line could not run.

    ## Known limits

    Whoever calls a function may have switched gradients off. So of what is computed in a function this speaks
    only where the file runs the function itself, or calls `backward` on what came of it, or on itself.

    ## References

    - [torch.Tensor.numpy](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.numpy.html)
    - [torch.Tensor.detach](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.detach.html)
    """

    code = "TL210"
    name = "numpy-with-graph"
    family = Family.AUTOGRAD
    severity = Severity.ERROR
    since = "0.1.0"
    card = "numpy-interop"
    trigger = r"\b(?:numpy|array|asarray)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        trains = "nn" in text or "requires_grad" in text
        return trains and any(made in text for made in (".numpy(", ".array(", ".asarray("))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("Tensor.numpy", "numpy.array", "numpy.asarray"):
            if call.name == "Tensor.numpy":
                func = call.node.func
                tensor = func.value if isinstance(func, ast.Attribute) else None
                if call.node.args or call.node.keywords:  # `force=True` detaches
                    continue
            else:
                tensor = call.argument(0, "object" if call.name == "numpy.array" else "a")
            if tensor is None or not _requires_gradients(analysis, tensor):
                continue
            if not analysis.is_whole(bindings.scope_of(analysis, tensor) or call.node):
                continue
            name = support.written(analysis, tensor)
            message = f"`{name}` requires gradients: making an array of it raises RuntimeError"
            fixes = (_detached(analysis, tensor),)
            yield self.finding(message, analysis.source.span(call.node), fixes=fixes)


def _requires_gradients(analysis: Analysis, node: ast.expr) -> bool:
    """Whether an expression surely is a tensor that requires gradients, whoever runs it."""
    value = analysis.value(node)
    if not isinstance(value, Tensor) or not value.certain:
        return False
    if value.attached is not True:
        return value.attached is None and _is_differentiated_beside(analysis, node)
    scope = bindings.scope_of(analysis, node)
    if value.leaf or isinstance(scope, ast.Module):
        return True
    return scope in _run_here(analysis) or _is_trained(analysis, value)


def _is_differentiated_beside(analysis: Analysis, node: ast.expr) -> bool:
    """Whether `loss.backward()` surely runs before or after a use of the same `loss`: that needs a graph."""
    outer = analysis.around(node)
    if not isinstance(node, ast.Name) or outer is None:
        return False
    child: ast.AST = node
    for parent in reversed(outer):
        block = next((block for block in blocks(parent) if child in block), None)
        if block is not None and isinstance(child, ast.stmt):
            at = block.index(child)
            before = _first(reversed(block[:at]), node.id)
            if _differentiates(before, node.id):
                return True
            if not _jumps(child) and _differentiates(_first(block[at + 1 :], node.id), node.id):
                return True
            if before is not None:
                return False
        if isinstance(parent, ast.For | ast.While) and _first([parent], node.id) is not None:
            return False  # an earlier iteration may have bound it
        if isinstance(parent, _SCOPES):
            return False
        child = parent
    return False


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def _first(statements: Iterable[ast.stmt], name: str) -> ast.stmt | None:
    """The first of these that differentiates what a name holds, binds the name, or leads away."""
    for statement in statements:
        binds = (n for n in nodes_in(statement) if isinstance(n, ast.Name) and n.id == name)
        is_bound = any(not isinstance(n.ctx, ast.Load) for n in binds)
        if is_bound or _differentiates(statement, name) or _jumps(statement):
            return statement
    return None


def _differentiates(statement: ast.stmt | None, name: str) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=named), attr="backward"))):
            return named == name
        case _:
            return False


def _jumps(statement: ast.stmt) -> bool:
    """Whether what stands below a statement may be left out because of it."""
    return any(isinstance(n, ast.Return | ast.Raise | ast.Break | ast.Continue) for n in nodes_in(statement))


def _run_here(analysis: Analysis) -> set[ast.AST]:
    """The functions that the file itself runs."""
    places = (place for root in analysis.roots if root.certain for place in root.places)
    return {step.callee for place in places for step in place.within if isinstance(step, Call)}


def _is_trained(analysis: Analysis, value: Value) -> bool:
    """Whether gradients are computed for what came of the same computation."""
    backwards = (event for root in analysis.roots for event in root.of(Kind.BACKWARD))
    own = tokens_of(value)
    return any(event.value is not None and own & tokens_of(event.value) for event in backwards)


def _detached(analysis: Analysis, tensor: ast.expr) -> Fix:
    """`.detach()` behind the tensor; before `.cpu()`, so that this is not recorded either."""
    match tensor:
        case ast.Call(func=ast.Attribute(value=moved, attr="cpu")):
            tensor = moved
    edit = support.followed_by(analysis, tensor, ".detach()")
    return Fix(f"Leave the graph behind: `{support.written(analysis, tensor)}.detach()`", (edit,), safe=True)
