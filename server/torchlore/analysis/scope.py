"""Which names can be used at a place, and of what kind they are: for the holes of snippets."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from torchlore.analysis import members
from torchlore.analysis.run import Run
from torchlore.analysis.values import Function, Instance, LocalClass, Ref, Unknown, Value
from torchlore.text import Source
from torchlore.text.nodes import blocks, nodes_in

_Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef


def names_at(
    source: Source, run: Run, offset: int, installed: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Name and kind of what is bound before `offset`, innermost scope first, the latest binding first."""
    seen: set[str] = set()
    for scope in scopes_at(source, offset):
        frame = run.frames.get(scope)
        if frame is None:
            continue
        bound = [(place, name) for name, place in _first_bindings(source, scope).items() if place < offset]
        for _, name in sorted(bound, reverse=True):
            value = frame.names.get(name)
            if name in seen or value is None or isinstance(value, Ref | LocalClass | Function):
                continue
            seen.add(name)
            yield name, _kind(value, installed)
            if name == "self" and isinstance(value, Instance):
                yield from _attributes(value, installed)


def scopes_at(source: Source, offset: int) -> list[_Scope]:
    """The functions around `offset`, innermost first, then the module."""
    scopes: list[_Scope] = []
    body: list[ast.stmt] = source.tree.body
    while body:
        around = next((s for s in body if _holds(source, s, offset)), None)
        if around is None:
            break
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            scopes.insert(0, around)
        body = [statement for block in blocks(around) for statement in block]
    return [*scopes, source.tree]


def _attributes(instance: Instance, installed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for attr, value in members.attributes(instance):
        yield f"self.{attr}", _kind(value, installed)


def _kind(value: Value, installed: Mapping[str, str]) -> str:
    if isinstance(value, Unknown) and value.made_by in installed:
        return members.kind_of_class(Ref(installed[value.made_by]))
    return members.kind_of(value)


def _holds(source: Source, statement: ast.stmt, offset: int) -> bool:
    """Whether `offset` is in the statement or on the indented lines right after its last one."""
    start = source.lines.start(statement.lineno - 1)
    last = (statement.end_lineno or statement.lineno) - 1
    if start <= offset <= source.lines.end(last):
        return True
    line, column = source.position(offset)
    blank_between = all(not source.lines.text(i).strip() for i in range(last + 1, line))
    deeper = column > statement.col_offset and not isinstance(statement, ast.Expr | ast.Assign)
    return line > last and blank_between and deeper and not source.lines.text(line).strip()


def _first_bindings(source: Source, scope: _Scope) -> dict[str, int]:
    """Where each name of a scope is bound first; parameters are bound at its start."""
    found: dict[str, int] = {}
    if not isinstance(scope, ast.Module):
        for arg in nodes_in(scope.args):
            if isinstance(arg, ast.arg):
                found[arg.arg] = source.span(arg).start
    stack: list[ast.AST] = list(scope.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            place = source.span(node).start
            found[node.id] = min(place, found.get(node.id, place))
        stack.extend(ast.iter_child_nodes(node))
    return found
