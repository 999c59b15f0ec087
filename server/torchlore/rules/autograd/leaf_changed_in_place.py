"""TL214: a leaf that requires gradients is changed in place while gradients are recorded."""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator

from torchlore.analysis import Analysis, torch_facts
from torchlore.analysis.events import Event, Kind, Root
from torchlore.analysis.queries import holds, reachable
from torchlore.analysis.values import Instance, Params, Tensor, Value
from torchlore.rules import indentation, spellings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source


class LeafChangedInPlace(Rule):
    """
    ## What it does

    Looks for parameters, and other leaves that require gradients, that are changed in place with gradients
    on: `w -= lr * w.grad`, `w.clamp_(0, 1)`, `w[0] = 1`.

    ## Why is this bad?

    The gradient of a leaf is the one for the value that it had when it was used: were it changed as part of
    the graph, there would be no such value. Torch raises RuntimeError: "a leaf Variable that requires grad is
    being used in an in-place operation".

    ## Example

    ```py
    import torch

    w = torch.zeros(4, requires_grad=True)
    loss = (torch.randn(8, 4) @ w).pow(2).mean()
    loss.backward()
    w -= 0.1 * w.grad
    ```

    ## Use instead

    ```py
    import torch

    w = torch.zeros(4, requires_grad=True)
    loss = (torch.randn(8, 4) @ w).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        w -= 0.1 * w.grad
    ```

    ## Fix safety

    Not safe: the line could not run, but where the change was to be differentiated, it has to make a new
    tensor instead.

    ## Known limits

    Whoever calls a function may have switched gradients off. So of a function that the file does not run
    itself this speaks only where `backward` is called there as well. Changes by way of a view are seen in
    assignments to items only (`w[0] = 1`).

    ## References

    - [Autograd mechanics: in-place operations](https://docs.pytorch.org/docs/stable/notes/autograd.html#in-place-operations-with-autograd)
    - [torch.no_grad](https://docs.pytorch.org/docs/stable/generated/torch.no_grad.html)
    """

    code = "TL214"
    name = "leaf-changed-in-place"
    family = Family.AUTOGRAD
    severity = Severity.ERROR
    since = "0.1.0"
    card = "inplace-ops"
    trigger = r"\b(?:requires_grad|requires_grad_|Parameter|parameters|weight|bias)\b"
    follows = False
    is_quick = True

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return (
            any(map(_calls_in_place, source.every(ast.Expr)))
            or any(".grad" in source.text and _is_no_count(s) for s in source.every(ast.AugAssign))
            or ("requires_grad=True" in source.text and any(map(_sets_item, source.every(ast.Assign))))
        )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        found: dict[ast.stmt, ast.AST] = {}
        for root in analysis.roots:
            for event in root.of(Kind.CHANGE):
                if _raises(analysis, root, event):
                    statement = support.statement_of(analysis, event.node)
                    if statement is not None:
                        found.setdefault(statement, event.node)
        for statement, node in found.items():
            yield self._report(analysis, statement, node, found)

    def _report(
        self, analysis: Analysis, statement: ast.stmt, node: ast.AST, found: dict[ast.stmt, ast.AST]
    ) -> Finding:
        leaf = _leaf(node)
        name = support.written(analysis, leaf)
        message = (
            f"`{name}` is a leaf that requires gradients: "
            "changing it in place while gradients are recorded raises RuntimeError"
        )
        span = analysis.source.span(_changed(node))
        return self.finding(message, span, fixes=_fixes(analysis, statement, found))


def _calls_in_place(statement: ast.Expr) -> bool:
    """`w.clamp_(0, 1)`, but not `w.data.clamp_(0, 1)` nor `init.zeros_(w)`."""
    match statement.value:
        case ast.Call(func=ast.Attribute(value=owner, attr=name)):
            last = getattr(owner, "attr", "") or getattr(owner, "id", "")
            is_other = last in ("data", "grad", "init") or name in ("requires_grad_", *_HARMLESS)
            return name.endswith("_") and not name.endswith("__") and not is_other
    return False


def _is_no_count(statement: ast.AugAssign) -> bool:
    return not isinstance(statement.value, ast.Constant)


def _sets_item(statement: ast.Assign) -> bool:
    """`w[0] = 1`, but not `config["width"] = 1`."""
    target = statement.targets[0]
    return isinstance(target, ast.Subscript) and not isinstance(getattr(target.slice, "value", None), str)


def _raises(analysis: Analysis, root: Root, event: Event) -> bool:
    """Whether gradients are surely on, and the tensor is surely a leaf, at a change in place."""
    if event.grad is not True or not analysis.owns(event.node) or not analysis.is_whole(event.node):
        return False
    if isinstance(event.node, ast.Call) and _method(event.node) in _HARMLESS:
        return False
    value = analysis.value(_leaf(event.node)) if isinstance(event.subject, Tensor) else event.subject
    if isinstance(value, Params) and not _are_trained(root, value):
        return False
    is_on = root.certain or any(_has_graph(other) for other in root.of(Kind.BACKWARD))
    return is_on and not support.expects_an_error(analysis, event.node)


_HARMLESS = ("share_memory_", "rename_", "coalesce_")
"""Methods that change no number."""


def _has_graph(backward: Event) -> bool:
    return isinstance(backward.value, Tensor) and backward.value.attached is True


def _are_trained(root: Root, parameter: Params) -> bool:
    """Whether parameters are of modules that nobody can have frozen: they never left our hands."""
    if root.of(Kind.HAVOC) or root.of(Kind.FREEZE) or not parameter.owners:
        return False
    given_away = [event.value for event in root.of(Kind.ESCAPE)]
    return all(
        _has_layers(owner) and not any(holds(value, owner) for value in given_away)
        for owner in parameter.owners
    )


def _has_layers(module: Value) -> bool:
    """Whether a module is a layer of torch, or holds one."""
    return any(
        isinstance(part, Instance) and isinstance(part.cls, str) and torch_facts.is_plain_layer(part.cls)
        for part in reachable(module)
    )


def _changed(node: ast.AST) -> ast.expr:
    """What is written where a leaf is changed: `w`, `w[0]`, `w.clamp_`."""
    match node:
        case ast.AugAssign(target=target):
            return target
        case ast.Call(func=func):
            return func
        case _:
            assert isinstance(node, ast.expr)
            return node


def _leaf(node: ast.AST) -> ast.expr:
    """The leaf itself."""
    changed = _changed(node)
    is_part = isinstance(changed, ast.Subscript) or isinstance(node, ast.Call)
    return changed.value if is_part and isinstance(changed, ast.Subscript | ast.Attribute) else changed


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _fixes(analysis: Analysis, statement: ast.stmt, found: Container[ast.stmt]) -> tuple[Fix, ...]:
    """Puts the statement under `torch.no_grad()`, together with those beside it that have the same fault."""
    no_grad = spellings.spelled(analysis, statement, "torch.no_grad")
    if no_grad is None or not isinstance(statement, ast.AugAssign | ast.Assign | ast.Expr):
        return ()
    block = support.block_of(analysis, statement)
    first = last = block.index(statement)
    while first and block[first - 1] in found:
        first -= 1
    while last + 1 < len(block) and block[last + 1] in found:
        last += 1
    header = f"with {no_grad}():"
    edits = indentation.under_header(analysis, block[first : last + 1], header)
    return (Fix(f"Change it without recording that: `{header}`", tuple(edits), safe=False),) if edits else ()
