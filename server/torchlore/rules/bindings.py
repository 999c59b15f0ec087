"""Where a name got what it holds: what the repairs of several rules go back to."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from torchlore.analysis import Analysis
from torchlore.text.nodes import blocks, nodes_in

_Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


def values_of(analysis: Analysis, name: ast.Name) -> list[ast.expr] | None:
    """What is assigned to a name in the function, or module, that it stands in; None where it gets more.

    A name gets more where it is a parameter, the target of a loop, imported, deleted, declared `global` …, or
    unpacked; and where nothing in that scope binds it.
    """
    scope = scope_of(analysis, name)
    if scope is None or isinstance(scope, ast.Lambda | ast.ClassDef) or _is_bound_otherwise(scope, name):
        return None
    found: list[ast.expr] = []
    stores = 0
    for node in within(scope):
        match node:
            case ast.Assign(targets=targets, value=value):
                found += [value for target in targets if _is(target, name)]
            case ast.AnnAssign(target=target, value=ast.expr() as value) if _is(target, name):
                found.append(value)
            case ast.Name(ctx=ast.Store() | ast.Del()) if node.id == name.id:
                stores += 1
    return found if found and len(found) == stores else None


def unpacked_from(analysis: Analysis, name: ast.Name) -> tuple[ast.expr, int] | None:
    """The one thing that a name is unpacked from (`values, name = out.max(1)`), and its place in there.

    None where the scope that the name stands in binds it in any other way.
    """
    scope = scope_of(analysis, name)
    if scope is None or isinstance(scope, ast.Lambda | ast.ClassDef) or _is_bound_otherwise(scope, name):
        return None
    found: list[tuple[ast.expr, int]] = []
    stores = 0
    for node in within(scope):
        if isinstance(node, ast.Name) and node.id == name.id and not isinstance(node.ctx, ast.Load):
            stores += 1
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            parts = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else []
            found += [(node.value, index) for index, part in enumerate(parts) if _is(part, name)]
    return found[0] if len(found) == stores == 1 else None


def loads_of(analysis: Analysis, name: ast.Name) -> Iterator[ast.Name]:
    """Where a name is read in the scope that it stands in, the functions in there included."""
    scope = scope_of(analysis, name)
    for node in nodes_in(scope) if scope is not None else ():
        if isinstance(node, ast.Name) and node.id == name.id and isinstance(node.ctx, ast.Load):
            yield node


def scope_of(analysis: Analysis, node: ast.AST) -> _Scope | None:
    """The function, class or module that a node stands in; None where it is not of this file."""
    outer = reversed(analysis.around(node) or ())
    return next((n for n in outer if isinstance(n, _Scope)), None)


def within(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope in the order of the text, without those of the functions and classes in it."""
    waiting = [*reversed(list(ast.iter_child_nodes(scope)))]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += reversed(list(ast.iter_child_nodes(node)))


def _is_bound_otherwise(scope: ast.AST, name: ast.Name) -> bool:
    """Whether something else than an assignment binds the name, or another function does."""
    for node in within(scope):
        if (isinstance(node, ast.arg) and node.arg == name.id) or _names(node, name.id):
            return True
    shared = (node for node in nodes_in(scope) if isinstance(node, ast.Global | ast.Nonlocal))
    return any(name.id in node.names for node in shared)


def _names(node: ast.AST, name: str) -> bool:
    """Whether a node binds a name that it holds as text: an import, a definition, a handler, a pattern."""
    match node:
        case ast.alias():
            return (node.asname or node.name).partition(".")[0] == name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return name in names
        case _:
            return getattr(node, "name", None) == name


def _is(target: ast.expr, name: ast.Name) -> bool:
    return isinstance(target, ast.Name) and target.id == name.id


def last_value(analysis: Analysis, use: ast.expr) -> ast.expr | None:
    """The expression that a name, or an attribute of `self`, was surely last bound to before `use`.

    None where that depends on the path, and where another function may have bound it.
    """
    found = last_bound(analysis, use)
    return found[0] if found is not None and not found[1] else None


def last_bound(analysis: Analysis, use: ast.expr) -> Bound | None:
    """As `last_value`; of what is unpacked, with the places: `(1, 0)` for `h` in `out, (h, c) = lstm(x)`."""
    name = spelled(use)
    outer = analysis.around(use)
    if name is None or outer is None:
        return None
    inside = [*outer, use]
    for index in range(len(inside) - 2, -1, -1):
        parent, child = inside[index], inside[index + 1]
        if isinstance(child, ast.stmt):
            found = _before(parent, child, name)
            if found is not None:
                return found if isinstance(found, tuple) else None
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            return _of_object(inside[:index], parent, name)
        if isinstance(parent, _SCOPES):
            return None
        is_again = isinstance(parent, _LOOPS) or (isinstance(parent, ast.Try) and child not in parent.body)
        if is_again and binds(parent, name):
            return None  # by an earlier iteration, or by what failed
        if isinstance(child, _BLOCKS) and any(binds(part, name) for part in _header(parent)):
            return None
    return None


Bound = tuple[ast.expr, tuple[int, ...]]
"""What was assigned, and where in it the name stands; no places where the name got all of it."""

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_BLOCKS = (ast.stmt, ast.match_case, ast.excepthandler)
_SCOPES = (ast.ClassDef, ast.DictComp, ast.GeneratorExp, ast.Lambda, ast.ListComp, ast.SetComp)


def spelled(node: ast.expr) -> str | None:
    """`model` or `self.model`; None of anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="self"), attr=attr):
            return f"self.{attr}"
        case _:
            return None


def _header(statement: ast.AST) -> list[ast.AST]:
    """What is evaluated before the blocks of a statement."""
    return [part for part in ast.iter_child_nodes(statement) if not isinstance(part, _BLOCKS)]


def _before(parent: ast.AST, child: ast.stmt, name: str) -> Bound | bool | None:
    """What `name` is bound to before `child` in its block; True where it is bound in another way."""
    for block in blocks(parent):
        if child in block:
            return _last(block[: block.index(child)], name)
    return None


def _last(block: Sequence[ast.stmt], name: str) -> Bound | bool | None:
    for statement in reversed(block):
        match statement:
            case ast.Assign(targets=targets, value=value):
                places = [_place(target, name) for target in targets]
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                places = [_place(target, name)]
            case _:
                places = []
        known = next((place for place in places if place is not None), None)
        if known is not None:
            return value, known
        if binds(statement, name):
            return True
    return None


def _place(target: ast.expr, name: str) -> tuple[int, ...] | None:
    """Where in a target a name stands; None where it does not, or a star makes that depend."""
    if spelled(target) == name:
        return ()
    parts = target.elts if isinstance(target, ast.Tuple | ast.List) else []
    if any(isinstance(part, ast.Starred) for part in parts):
        return None
    places = ((index, _place(part, name)) for index, part in enumerate(parts))
    return next(((index, *place) for index, place in places if place is not None), None)


def binds(statement: ast.AST, name: str) -> bool:
    """Whether anything in a statement may bind `name`."""
    for node in nodes_in(statement):
        if isinstance(node, ast.Name | ast.Attribute):
            if isinstance(node.ctx, ast.Store | ast.Del) and spelled(node) == name:
                return True
        elif _names(node, name):
            return True
    return False


def _of_object(
    outer: Sequence[ast.AST], method: ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> Bound | None:
    """What `__init__` last bound an attribute to, where no other method binds it or may run before."""
    cls = outer[-1] if outer else None
    if not name.startswith("self.") or not isinstance(cls, ast.ClassDef) or method.decorator_list:
        return None
    if any(not (isinstance(base, ast.Name) and base.id == "object") for base in cls.bases):
        return None
    methods = {node.name: node for node in cls.body if isinstance(node, ast.FunctionDef)}
    init = methods.get("__init__")
    if init is None or method is init or any(binds(node, name) for node in cls.body if node is not init):
        return None
    made = next((s for s in reversed(init.body) if isinstance(s, ast.Assign) and binds(s, name)), None)
    if made is None or _may_run(method.name, init.body[: init.body.index(made)], methods):
        return None
    found = _last(init.body, name)
    return found if isinstance(found, tuple) else None


def _may_run(method: str, before: Sequence[ast.stmt], methods: dict[str, ast.FunctionDef]) -> bool:
    """Whether some statements may lead to a method, by way of other methods of its class."""
    waiting: list[ast.AST] = [*before]
    reached: set[str] = set()
    while waiting:
        for node in nodes_in(waiting.pop()):
            if isinstance(node, ast.Attribute) and node.attr in methods and node.attr not in reached:
                reached.add(node.attr)
                waiting.append(methods[node.attr])
    return method in reached
