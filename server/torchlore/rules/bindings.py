"""Where a name got what it holds: what the repairs of several rules go back to."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis

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
    for node in ast.walk(scope) if scope is not None else ():
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
        match node:
            case ast.arg(arg=bound) | ast.alias(asname=bound) if bound == name.id:
                return True
            case ast.alias(name=bound) if bound.partition(".")[0] == name.id:
                return True
            case _ if getattr(node, "name", None) == name.id:  # a definition, a handler, a pattern
                return True
    shared = (node for node in ast.walk(scope) if isinstance(node, ast.Global | ast.Nonlocal))
    return any(name.id in node.names for node in shared)


def _is(target: ast.expr, name: ast.Name) -> bool:
    return isinstance(target, ast.Name) and target.id == name.id
