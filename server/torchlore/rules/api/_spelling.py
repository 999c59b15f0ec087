"""How a file can spell a name of torch's: with the modules that it has imported, or with one more import."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.values import Ref
from torchlore.rules.support import own_lines
from torchlore.text import Edit, Span

Spelled = tuple[str, tuple[Edit, ...]]
"""A name as it is written in a file, and the import that it needs for that, if any."""


def spelled(analysis: Analysis, node: ast.expr, outer: tuple[ast.AST, ...], name: str) -> Spelled | None:
    """How to write the dotted `name` in the place of `node`; None where that is not possible."""
    for prefix, module in (*_prefixes(analysis, node), *_modules(analysis, node, outer, name)):
        if name.startswith(f"{module}."):
            return prefix + name.removeprefix(module), ()
    package = name.partition(".")[0]
    if _is_bound_otherwise(analysis, package, outer):
        return None
    edit = _import(analysis, package)
    return None if edit is None else (name, (edit,))


def _prefixes(analysis: Analysis, node: ast.expr) -> Iterator[tuple[str, str]]:
    """The modules that are spelled in `node` itself, longest first: those of `torch.nn.init.normal`."""
    while isinstance(node, ast.Attribute):
        node = node.value
        value = analysis.run.values.get(node)
        if isinstance(value, Ref):
            yield analysis.source.segment(analysis.source.span(node)), value.name


def _modules(
    analysis: Analysis, node: ast.expr, outer: tuple[ast.AST, ...], name: str
) -> list[tuple[str, str]]:
    """The modules that hold `name` and that the file has imported above `node`, the most exact first."""
    found: list[tuple[str, str]] = []
    for statement in analysis.source.tree.body:
        if statement.lineno >= node.lineno:
            break
        if isinstance(statement, ast.Import):
            bound = [(a.asname or a.name.partition(".")[0], a.name) for a in statement.names]
            found += [(local, name if local != name.partition(".")[0] else local) for local, name in bound]
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            found += [(a.asname or a.name, f"{statement.module}.{a.name}") for a in statement.names]
    holding = [entry for entry in found if name.startswith(f"{entry[1]}.")]
    known = [entry for entry in holding if _is_bound_to(analysis, *entry, outer)]
    return sorted(known, key=lambda entry: -len(entry[1]))


def _is_bound_to(analysis: Analysis, local: str, name: str, outer: tuple[ast.AST, ...]) -> bool:
    value = analysis.run.home.names.get(local)
    return isinstance(value, Ref) and value.name == name and not _is_rebound(local, outer)


def _is_bound_otherwise(analysis: Analysis, local: str, outer: tuple[ast.AST, ...]) -> bool:
    return local in analysis.run.home.names or _is_rebound(local, outer)


def _is_rebound(local: str, outer: tuple[ast.AST, ...]) -> bool:
    """Whether a function around a place binds the name too."""
    function = next((node for node in outer if isinstance(node, _FUNCTIONS)), None)
    for node in ast.walk(function) if function is not None else ():
        match node:
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) if name == local:
                return True
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                if any((alias.asname or alias.name).partition(".")[0] == local for alias in aliases):
                    return True
    return False


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _import(analysis: Analysis, package: str) -> Edit | None:
    """`import torch` above the first import of the file that is not of `__future__`."""
    for statement in analysis.source.tree.body:
        if isinstance(statement, ast.Import) or (
            isinstance(statement, ast.ImportFrom) and statement.module != "__future__"
        ):
            lines = own_lines(analysis, statement)
            if lines is None:
                return None
            return Edit(Span(lines.start, lines.start), f"import {package}{analysis.source.newline}")
    return None
