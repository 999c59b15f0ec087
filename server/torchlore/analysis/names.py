"""Small questions about names."""

from __future__ import annotations

import ast
from collections.abc import Iterator

HOLDING_TARGETS = (
    "target",
    "targets",
    "optional_vars",
    "items",
    "body",
    "orelse",
    "finalbody",
    "handlers",
    "cases",
)
"""The fields of statements in which targets of assignments are found, not the expressions that they read."""


def stored_names(loop: ast.For | ast.AsyncFor | ast.While) -> frozenset[str]:
    """The names of the enclosing scope that an iteration of `loop` may bind."""
    found: set[str] = set()
    stack: list[ast.AST] = [loop]
    while stack:
        node = stack.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                found.update((alias.asname or alias.name).partition(".")[0] for alias in aliases)
            case ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                found.add(name)
            case ast.ExceptHandler(name=str() as name):
                found.add(name)
                stack.extend(ast.iter_child_nodes(node))
            case ast.stmt() | ast.excepthandler() | ast.match_case() | ast.withitem() | ast.pattern():
                stack.extend(_parts(node))
            case _:
                found.update(_targets(node))
    return frozenset(found)


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """What of a statement may bind names: its blocks and its targets, not the expressions that it reads."""
    for field in HOLDING_TARGETS:
        part = getattr(node, field, None)
        if isinstance(part, list):
            yield from part
        elif part is not None:
            yield part
    if isinstance(node, ast.match_case | ast.pattern):
        yield from ast.iter_child_nodes(node)
    elif isinstance(node, ast.If | ast.While):
        yield from (part for part in ast.walk(node.test) if isinstance(part, ast.NamedExpr))


def _targets(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from _targets(part)
        case ast.Starred(value=inner) | ast.NamedExpr(target=inner):
            yield from _targets(inner)
        case _:
            return


def words(text: str) -> frozenset[str]:
    """A set of names, written as a list of words."""
    return frozenset(text.split())


def mentions_torch(text: str) -> bool:
    """Whether a file can be about torch at all: a cheap test before anything is parsed."""
    return "torch" in text
