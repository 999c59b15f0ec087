"""TL115: `backward` keeps a graph that nothing goes through again."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Kind
from torchlore.analysis.members import is_open, kind_of, mro
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import options, reachable
from torchlore.analysis.values import (
    BoundMethod,
    Const,
    Container,
    Instance,
    Iterable,
    LocalModule,
    Number,
    Params,
    Ref,
    Tensor,
    Value,
)
from torchlore.rules import arguments, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.training._judging import parts_in_order
from torchlore.text import Source


class NeedlessRetainGraph(Rule):
    """
    ## What it does

    Looks for `backward(retain_graph=True)` in a loop where it is the only one, and where all that the loss is
    computed from is made in the same iteration.

    ## Why is this bad?

    `backward` frees what it has used. Told to keep it, it leaves the whole graph in memory until the loss is
    bound anew, which is after the next forward pass: two graphs exist at a time, where one would do.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        loss = model(x).pow(2).mean()
        loss.backward(retain_graph=True)
        optimizer.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x in torch.randn(10, 8, 4):
        optimizer.zero_grad()
        loss = model(x).pow(2).mean()
        loss.backward()
        optimizer.step()
    ```

    ## Fix safety

    Not safe: whatever goes through the graph a second time after all raises RuntimeError.

    ## Known limits

    Silent where something computed before the loop, or kept from one iteration to the next, may be a part of
    the graph: there it is needed, or `.detach()` is.

    ## References

    - [torch.Tensor.backward](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html)
    - [torch.autograd.backward](https://docs.pytorch.org/docs/stable/generated/torch.autograd.backward.html)
    """

    code = "TL115"
    name = "needless-retain-graph"
    family = Family.TRAINING
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "backpropagation"
    trigger = r"\bretain_graph\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return "retain_graph=True" in source.text and source.text.count("backward(") == 1

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        found = [(root, place) for root in analysis.roots for place in root.places_of(Kind.BACKWARD)]
        nodes = {place.event.node for _, place in found}
        if len(nodes) != 1 or any(root.of(Kind.DIFFERENTIATE) or root.of(Kind.HAVOC) for root, _ in found):
            return
        for _, place in found[:1]:
            call, loop = place.event.node, place.loops[-1] if place.loops else None
            if (
                not isinstance(call, ast.Call)
                or not _retains(call)
                or not analysis.owns(call)
                or loop is None
            ):
                continue
            if analysis.is_whole(loop.node) and _is_made_anew(analysis, loop.node, call):
                yield self._report(analysis, call)

    def _report(self, analysis: Analysis, call: ast.Call) -> Finding:
        given = arguments.keyword(call, "retain_graph")
        assert given is not None
        name = support.written(analysis, call.func)
        message = (
            f"`{name}` is the only one in this loop, and nothing goes through its graph again: "
            "`retain_graph=True` keeps it beside that of the next iteration"
        )
        edit = arguments.removed(analysis, call, "retain_graph")
        fixes = (Fix("Let `backward` free the graph", (edit,), safe=False),) if edit is not None else ()
        return self.finding(message, analysis.source.span(given), fixes=fixes)


def _retains(call: ast.Call) -> bool:
    given = arguments.keyword(call, "retain_graph")
    is_true = given is not None and isinstance(given.value, ast.Constant) and given.value.value is True
    return is_true and arguments.keyword(call, "create_graph") is None


def _is_made_anew(analysis: Analysis, loop: ast.AST, call: ast.Call) -> bool:
    """Whether all that a loop reads was bound earlier in the same iteration, or surely has no graph."""
    if not isinstance(loop, ast.For | ast.While) or loop not in (analysis.around(call) or ()):
        return False
    return _Iteration(analysis).is_closed(loop)


class _Iteration:
    """Goes through a loop in the order in which it is evaluated, and knows what was bound on the way."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._bound: set[str] = set()

    def is_closed(self, node: ast.AST) -> bool:
        """Whether nothing with a graph comes in from an earlier iteration, or from before the loop."""
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                self._bound.add(name)
                return True
            case ast.Name(id=name):
                return name in self._bound or _has_no_graph(self._analysis.value(node))
            case ast.Attribute(ctx=ast.Load()) if not self._is_bound(node):
                value = self._analysis.value(node)
                return self.is_closed(node.value) if isinstance(value, BoundMethod) else _has_no_graph(value)
            case ast.AugAssign(target=ast.Name() as target, value=value):
                return _has_no_graph(self._analysis.value(target)) and self.is_closed(value)
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()) | ast.AugAssign():
                return False
            case ast.Lambda() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return False
            case _:
                return all(map(self.is_closed, parts_in_order(node)))

    def _is_bound(self, node: ast.expr) -> bool:
        """Whether an attribute is one of something that the iteration has made."""
        while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
            node = node.func if isinstance(node, ast.Call) else node.value
        return isinstance(node, ast.Name) and node.id in self._bound


def _has_no_graph(value: Value) -> bool:
    """Whether something has no graph of its own, and keeps none from one call to the next."""
    for option in options(value):
        match option:
            case Tensor(leaf=True) | Tensor(attached=False) | BoundMethod() | Ref() | Params():
                pass
            case Const() | Number() | Plain() | Iterable() | LocalModule():
                pass
            case Container(element=element, items=items):
                if not all(map(_has_no_graph, items if items is not None else [element])):
                    return False
            case Instance():
                if not all(_is_stateless(part) for part in reachable(option) if isinstance(part, Instance)):
                    return False
            case _:
                return False
    return True


def _is_stateless(thing: Instance) -> bool:
    """Whether an object keeps nothing of what it is given: those of torch, and modules that set nothing."""
    if isinstance(thing.cls, str):
        return thing.cls.startswith("torch.")
    if is_open(thing.cls) or kind_of(thing) != "Module":
        return False
    methods = (m for cls in mro(thing.cls) for m in cls.node.body if getattr(m, "name", "") != "__init__")
    nodes = (node for method in methods for node in ast.walk(method))
    return not any(
        isinstance(n, ast.Attribute | ast.Subscript) and isinstance(n.ctx, ast.Store) for n in nodes
    )
