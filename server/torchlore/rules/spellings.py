"""How a file can spell a name of torch's: by what it has imported, or with one more import."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from torchlore.analysis import Analysis
from torchlore.analysis.names import local_names
from torchlore.analysis.values import Ref
from torchlore.rules import imports
from torchlore.text import Edit
from torchlore.text.nodes import nodes_in

Spelled = tuple[str, tuple[Edit, ...]]
"""A name as it is written in a file, and the import that it needs for that, if any."""


def spelled(analysis: Analysis, at: ast.AST, name: str) -> str | None:
    """How `name` (`torch.nn.ModuleList`) can be written at a place; None where nothing imported leads to it.

    It begins as what stands there does, if that leads to it (`torch.nn.` of `torch.nn.Linear`); else it is
    the shortest that the file has: `ModuleList`, `nn.ModuleList`, `torch.nn.ModuleList`.
    """
    by_length = sorted(_imported(analysis, at).items(), key=lambda entry: -len(entry[1]))
    for written, module in (*_beginnings(analysis, at), *by_length):
        if f"{name}.".startswith(f"{module}."):
            return written + name.removeprefix(module)
    return None


def spelled_anyhow(analysis: Analysis, at: ast.AST, name: str) -> Spelled | None:
    """How `name` can be written at a place, by an import of its package if by no other that is there.

    None where the package has no place for its name, or for its import.
    """
    known = spelled(analysis, at, name)
    if known is not None:
        return known, ()
    package = name.partition(".")[0]
    if package in analysis.run.home.names or any(package in _own_names(f) for f in _functions(analysis, at)):
        return None
    edits = imports.missing(analysis, f"import {package}")
    return None if edits is None else (name, edits)


def _beginnings(analysis: Analysis, at: ast.AST) -> Iterator[tuple[str, str]]:
    """What stands before the dots of `at`, longest first, with what that is."""
    while isinstance(at, ast.Attribute):
        at = at.value
        value = analysis.run.values.get(at)
        if isinstance(value, Ref):
            yield analysis.source.segment(analysis.source.span(at)), value.name


def _imported(analysis: Analysis, at: ast.AST) -> dict[str, str]:
    """What import statements above a place bind there, and what that is called in full."""
    found: dict[str, str] = {}
    for scope in (analysis.source.tree, *_functions(analysis, at)):
        if not isinstance(scope, ast.Module):
            found = {name: full for name, full in found.items() if name not in _own_names(scope)}
        frame = analysis.run.home if isinstance(scope, ast.Module) else analysis.run.frames.get(scope)
        for name in _names(scope.body, at) if frame is not None and isinstance(scope.body, list) else ():
            value = frame.names.get(name) if frame is not None else None
            if isinstance(value, Ref):
                found[name] = value.name
    return found


def _names(block: Sequence[ast.stmt], at: ast.AST) -> Iterator[str]:
    """The names that the import statements of a block bind above a place."""
    for statement in block:
        if statement.lineno >= getattr(at, "lineno", 1):
            return
        match statement:
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from ((alias.asname or alias.name).partition(".")[0] for alias in aliases)
            case ast.Try(body=body):
                yield from _names(body, at)
            case ast.If(test=test, body=body) if "TYPE_CHECKING" not in ast.dump(test):
                yield from _names(body, at)  # `if is_torch_available():`


_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def _functions(analysis: Analysis, at: ast.AST) -> list[_Function]:
    """The functions around a place, the innermost last."""
    return [outer for outer in analysis.around(at) or () if isinstance(outer, _Function)]


def _own_names(function: _Function) -> frozenset[str]:
    parameters = (node.arg for node in nodes_in(function.args) if isinstance(node, ast.arg))
    return local_names(function).union(parameters)
