"""What names of a file are bound to, by its own assignments: read off the syntax, function by function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from torchlore.text import Source

from tests.recall.syntax import full_name, imported

Function = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


@dataclass(frozen=True, eq=False, slots=True)
class Scope:
    """A function, or the file itself.

    Attributes:
        node: the function, or the module.
        nodes: what stands in it, without what stands in functions and classes in it.
        outer: the function, or the file, in which it stands.
        cls: the class of which it is a method, or in whose method it stands.
    """

    node: ast.AST
    nodes: tuple[ast.AST, ...]
    outer: Scope | None
    cls: ast.ClassDef | None


@lru_cache(maxsize=8)
def scopes(source: Source) -> list[Scope]:
    """The file and its functions, outermost first."""
    found: list[Scope] = []
    waiting: list[tuple[ast.AST, Scope | None, ast.ClassDef | None]] = [(source.tree, None, None)]
    while waiting:
        node, outer, cls = waiting.pop(0)
        nodes = tuple(_own(node))
        scope = outer if isinstance(node, ast.ClassDef) else Scope(node, nodes, outer, cls)
        if scope is not None and not isinstance(node, ast.ClassDef):
            found.append(scope)
        inner_class = node if isinstance(node, ast.ClassDef) else cls
        waiting += [(inner, scope, inner_class) for inner in nodes if isinstance(inner, _SCOPES)]
    return [scope for scope in found if not isinstance(scope.node, ast.Lambda)]


def _own(node: ast.AST) -> Iterator[ast.AST]:
    waiting = [*ast.iter_child_nodes(node)][::-1]
    while waiting:
        inner = waiting.pop()
        yield inner
        if not isinstance(inner, _SCOPES):
            waiting += [*ast.iter_child_nodes(inner)][::-1]


def held(scope: Scope, node: ast.expr) -> ast.expr | None:
    """What the only assignment of a name, or in its class of an attribute of `self`, gives it."""
    if isinstance(node, ast.Attribute):
        return _held_by_self(scope.cls, node)
    if not isinstance(node, ast.Name):
        return None
    around: Scope | None = scope
    while around is not None:
        values = _bindings(around).get(node.id)
        if values is not None:
            return values[0] if len(values) == 1 else None
        around = around.outer
    return None


def _held_by_self(cls: ast.ClassDef | None, node: ast.Attribute) -> ast.expr | None:
    if cls is None or self_attribute(node) is None:
        return None
    values = _attributes(cls).get(node.attr, [])
    return values[0] if len(values) == 1 else None


def self_attribute(node: ast.AST) -> str | None:
    """`x` of `self.x`."""
    is_own = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    return node.attr if is_own else None  # type: ignore[attr-defined]


@lru_cache(maxsize=512)
def _bindings(scope: Scope) -> dict[str, list[ast.expr | None]]:
    """The values that a scope gives its names; None for each that another thing than `=` gives."""
    found: dict[str, list[ast.expr | None]] = {}
    plain: dict[ast.AST, ast.expr] = {}
    for node in scope.nodes:
        match node:
            case ast.Assign(targets=[ast.Name() as target], value=value):
                plain[target] = value
            case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                plain[target] = value
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.setdefault(name, []).append(plain.get(node))
            case ast.arg(arg=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.setdefault(name, []).append(None)
            case ast.alias(name=name, asname=asname):
                found.setdefault(asname or name, []).append(None)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                for name in names:
                    found.setdefault(name, []).extend([None, None])
    return found


@lru_cache(maxsize=256)
def _attributes(cls: ast.ClassDef) -> dict[str, list[ast.expr | None]]:
    """The values that a class gives the attributes of `self`; None for each that something else gives."""
    found: dict[str, list[ast.expr | None]] = {}
    plain: dict[ast.AST, ast.expr] = {}
    for node in ast.walk(cls):
        match node:
            case ast.Assign(targets=[ast.Attribute() as target], value=value):
                plain[target] = value
            case ast.AnnAssign(target=ast.Attribute() as target, value=ast.expr() as value):
                plain[target] = value
            case ast.Attribute(ctx=ast.Store() | ast.Del()) if self_attribute(node) is not None:
                found.setdefault(node.attr, []).append(plain.get(node))
    return found


def made(source: Source, scope: Scope, node: ast.expr) -> str:
    """The full name of the class of what a name, or an attribute of `self`, holds; "" if unknown."""
    value = held(scope, node)
    return full_name(source, value.func) if isinstance(value, ast.Call) else ""


def spelled(source: Source, dotted: str) -> str | None:
    """How the imports of a file allow to write `torch.nn.functional.softmax`; None where they do not."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        prefix = ".".join(parts[:length])
        for name, full in imported(source).items():
            if full == prefix:
                return ".".join([name, *parts[length:]])
    return None
