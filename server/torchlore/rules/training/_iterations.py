"""Whether what `backward` goes through is made anew in each iteration of a loop."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis, libraries
from torchlore.analysis.members import is_open, kind_of, mro
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import options, reachable
from torchlore.analysis.values import (
    BoundMethod,
    Const,
    Container,
    Function,
    Instance,
    Iterable,
    LocalClass,
    LocalModule,
    Number,
    Params,
    Ref,
    Tensor,
    Value,
)
from torchlore.rules import bindings
from torchlore.rules.training._judging import parts_in_order
from torchlore.text.nodes import blocks, nodes_in

_Loop = ast.For | ast.While

_GROW = frozenset({"add", "append", "appendleft", "extend", "insert", "setdefault", "update"})
"""Methods by which something is kept."""

_DEEPEST = 3
"""Functions are looked into so deep."""


def is_made_anew(analysis: Analysis, loop: ast.AST, call: ast.Call) -> bool:
    """Whether all that a loss is computed of was made earlier in the iteration, or surely has no graph.

    Args:
        analysis: of the file.
        loop: the innermost loop around `call`.
        call: of `backward`.
    """
    if not isinstance(loop, _Loop) or loop not in (analysis.around(call) or ()):
        return False
    iteration = _Iteration(analysis, set(), _computing(analysis, loop, call), _begun_within(analysis, loop))
    return iteration.enters(loop) and iteration.run(loop.body)


def _computing(analysis: Analysis, loop: _Loop, call: ast.Call) -> frozenset[str]:
    """The names by way of which a loop computes what `backward` is called on."""
    found = set(_names(call.func)).union(*map(_names, call.args))
    bindings = [(set(_bound(node)), set(_names(node))) for node in nodes_in(loop)]
    size = -1
    while size < len(found):
        size = len(found)
        for bound, read in bindings:
            if not bound.isdisjoint(found):
                found |= read
    modules = (n for n in nodes_in(loop) if isinstance(n, ast.Name) and _is_module(analysis.value(n)))
    return frozenset(found.difference(node.id for node in modules))


def _is_module(value: Value) -> bool:
    return isinstance(value, Ref | LocalModule)


def _begun_within(analysis: Analysis, loop: _Loop) -> frozenset[str]:
    """The names that a loop binds and nothing before it: `if i == 0: hidden = …`."""
    scope = bindings.scope_of(analysis, loop) or loop
    inside = set(nodes_in(loop))
    stored = [n for n in nodes_in(scope) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    given = {node.arg for node in nodes_in(scope) if isinstance(node, ast.arg)}
    before = given.union(name.id for name in stored if name not in inside)
    return frozenset(name.id for name in stored if name in inside) - before


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that a node binds, or changes what they stand for: `x = …`, `x[0] = …`, `x.append(…)`."""
    match node:
        case ast.Assign(targets=targets):
            yield from (name for target in targets for name in _names(target))
        case ast.AnnAssign(target=target) | ast.AugAssign(target=target) | ast.NamedExpr(target=target):
            yield from _names(target)
        case ast.For(target=target) | ast.comprehension(target=target) | ast.withitem(optional_vars=target):
            yield from _names(target) if target is not None else ()
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner))):
            yield from _names(owner)


def _names(node: ast.AST) -> Iterator[str]:
    """The names in a node; of a statement with a block, those in its head."""
    if isinstance(node, ast.For):
        yield from (*_names(node.target), *_names(node.iter))
    elif not any(True for _ in blocks(node)):
        yield from (inner.id for inner in nodes_in(node) if isinstance(inner, ast.Name))


class _Iteration:
    """Goes through a block in the order in which it is evaluated, and knows what was bound on the way.

    Args:
        analysis: of the file.
        bound: what is bound when it begins.
        computing: the names that count; what binds none of them may read what it likes.
        begun: names that are only bound in it: read before that, they hold what an earlier iteration left.
        depth: how many functions the block is in.
    """

    def __init__(
        self,
        analysis: Analysis,
        bound: set[str],
        computing: frozenset[str] | None,
        begun: frozenset[str] = frozenset(),
        depth: int = 0,
    ) -> None:
        self._analysis = analysis
        self._names = bound
        self._computing = computing
        self._begun = begun
        self._depth = depth

    def enters(self, loop: _Loop) -> bool:
        """Whether nothing with a graph comes in by what a loop is over, where it counts."""
        if isinstance(loop, ast.While):
            return True
        is_read = self._computing is None or not self._computing.isdisjoint(_names(loop.target))
        return (not is_read or self.is_closed(loop.iter)) and self.is_closed(loop.target)

    def run(self, block: list[ast.stmt]) -> bool:
        """Whether nothing with a graph comes into a block from an earlier iteration or from before it."""
        return all(map(self._runs, block))

    def _runs(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.If(test=test, body=body, orelse=orelse):
                return self._counts(test) and self._branches(body, orelse)
            case ast.For(body=body, orelse=orelse) | ast.While(body=body, orelse=orelse):
                return self.enters(statement) and self._branches([*body, *orelse], [])
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                handled = [inner for handler in handlers for inner in handler.body]
                return self._branches([*body, *orelse], handled) and self.run(final)
            case ast.With(items=items, body=body):
                return all(map(self._runs_item, items)) and self.run(body)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                return False
            case _ if self._computing is None or not self._computing.isdisjoint(_bound(statement)):
                return self.is_closed(statement)
            case _:
                self._names.update(_bound(statement))
                return True

    def _counts(self, test: ast.expr) -> bool:
        """A condition computes nothing; of a function all is looked at."""
        return self._computing is not None or self.is_closed(test)

    def _runs_item(self, item: ast.withitem) -> bool:
        if item.optional_vars is None:
            return True
        return self.is_closed(item.context_expr) and self.is_closed(item.optional_vars)

    def _branches(self, one: list[ast.stmt], other: list[ast.stmt]) -> bool:
        """Runs either block: afterwards is bound what both of them bind, or the one that goes on."""
        before = set(self._names)
        if not self.run(one):
            return False
        after, self._names = self._names, before
        if not self.run(other):
            return False
        if not _leaves(one):
            self._names = after if _leaves(other) else self._names & after
        return True

    def is_closed(self, node: ast.AST) -> bool:
        """Whether nothing with a graph comes in by an expression, or by a statement without a block."""
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                self._names.add(name)
                return True
            case ast.Name(id=name):
                if name in self._names or name in self._begun:
                    return name in self._names
                return self._has_no_graph(self._analysis.value(node))
            case ast.Attribute(ctx=ast.Load()) if not self._is_bound(node):
                value = self._analysis.value(node)
                if isinstance(value, BoundMethod) or _is_method(value):
                    return self.is_closed(node.value) and self._has_no_graph(value)
                return self._has_no_graph(value)
            case ast.Call() if _is_plain(self._analysis.value(node)):
                return True
            case ast.AugAssign(target=ast.Name() as target, value=value):
                return self.is_closed(ast.copy_location(ast.Name(target.id, ast.Load()), target)) and (
                    self.is_closed(value)
                )
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()) | ast.AugAssign():
                return False
            case ast.Lambda() | ast.Yield() | ast.YieldFrom() | ast.Global() | ast.Nonlocal():
                return False
            case _:
                return all(map(self.is_closed, parts_in_order(node)))

    def _is_bound(self, node: ast.expr) -> bool:
        """Whether an attribute is one of something that the iteration has made."""
        while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
            node = node.func if isinstance(node, ast.Call) else node.value
        return isinstance(node, ast.Name) and node.id in self._names

    def _has_no_graph(self, value: Value) -> bool:
        """Whether something has no graph of its own, and keeps none from one call to the next."""
        for option in options(value):
            match option:
                case Tensor(leaf=True) | Tensor(attached=False) | BoundMethod() | Ref() | Params():
                    pass
                case Const() | Number() | Plain() | Iterable() | LocalModule():
                    pass
                case Container(element=element, items=items):
                    if not all(map(self._has_no_graph, items if items is not None else [element])):
                        return False
                case Instance() if kind_of(option) == "DataLoader":
                    pass  # batches bring no graph
                case Instance():
                    if not all(
                        _is_stateless(part) for part in reachable(option) if isinstance(part, Instance)
                    ):
                        return False
                case Function(node=ast.FunctionDef() as code):
                    if not self._is_closed_function(code):
                        return False
                case _:
                    return False
        return True

    def _is_closed_function(self, code: ast.FunctionDef) -> bool:
        """Whether a function of the file computes what it gives of its arguments alone."""
        if self._depth == _DEEPEST or code.decorator_list or not self._analysis.owns(code):
            return False
        args = code.args
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        bound = {argument.arg for argument in every if argument is not None}
        return _Iteration(self._analysis, bound, None, depth=self._depth + 1).run(code.body)


def _leaves(block: list[ast.stmt]) -> bool:
    return bool(block) and isinstance(block[-1], ast.Continue | ast.Break | ast.Return | ast.Raise)


def _is_plain(value: Value) -> bool:
    """Whether something is a tensor without a graph, or a tuple of such."""
    if isinstance(value, Container) and value.kind == "tuple" and value.items:
        return all(map(_is_plain, value.items))
    return all(isinstance(part, Tensor) and part.attached is False for part in options(value))


def _is_method(value: Value) -> bool:
    return isinstance(value, Function) and value.receiver is not None


def _is_stateless(thing: Instance) -> bool:
    """Whether an object keeps nothing of what it is given: layers, and modules that set nothing."""
    if isinstance(thing.cls, str):
        known = libraries.family(thing.cls)
        is_layer = known is not None and known.base == "torch.nn.Module" and known.hands_off
        return is_layer or thing.cls.startswith("torch.")
    if is_open(thing.cls) or kind_of(thing) != "Module":
        return False
    return not any(_keeps(node) for method in _run_by_forward(thing.cls) for node in nodes_in(method))


def _run_by_forward(cls: LocalClass) -> list[ast.stmt]:
    """The `forward` of a class, and the methods of it that this mentions."""
    methods = {str(getattr(m, "name", "")): m for base in reversed(mro(cls)) for m in base.node.body}
    waiting = [name for name in methods if name in ("forward", "__call__")]
    for name in waiting:
        mentioned = {node.attr for node in nodes_in(methods[name]) if isinstance(node, ast.Attribute)}
        waiting += [other for other in methods if other in mentioned and other not in waiting]
    return [methods[name] for name in waiting]


def _keeps(node: ast.AST) -> bool:
    """Whether something is kept on an object: set, or put into what it holds."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Attribute(), attr=name)):
            return name in _GROW
        case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
            return True
        case _:
            return False
