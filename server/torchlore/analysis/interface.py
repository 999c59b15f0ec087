"""What a file offers to those that import from it, read off its tree and never run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from torchlore.text.nodes import blocks


@dataclass(frozen=True, slots=True)
class Imported:
    """A name bound by an import.

    Attributes:
        module: the module as it is written, leading dots included.
        name: what is imported from it; None where the module itself is (`import a.b as c`).
    """

    module: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Interface:
    """The names that the top level of a file binds.

    Attributes:
        names: what binds each name, in order: an import, or None for code that has to be looked at.
        alternatives: names of which some binding stands in a block (`if`, `try`), so that it may be any.
        stars: the modules that `from … import *` names.
        exports: what `__all__` lists; None where there is none, or it is not a plain list of strings.
    """

    names: Mapping[str, tuple[Imported | None, ...]]
    alternatives: frozenset[str] = frozenset()
    stars: tuple[str, ...] = ()
    exports: frozenset[str] | None = None


def read_interface(body: Iterable[tuple[str, Sequence[ast.stmt]]]) -> Interface:
    """The interface of a file.

    Args:
        body: its top-level statements in order: the name alone of one that binds just that by code (and no
            statement), or the statement (and no name).
    """
    names: dict[str, list[Imported | None]] = {}
    alternatives: set[str] = set()
    stars: list[str] = []
    listing: list[ast.stmt] = []
    for code_name, statements in body:
        if code_name:
            names.setdefault(code_name, []).append(None)
        for statement, nested in _statements(statements):
            listing.append(statement)
            if isinstance(statement, ast.Delete) and not nested:
                for name in _deleted(statement):
                    names.pop(name, None)
                continue
            for name, bound in _bindings(statement):
                if name == "*" and bound is not None:
                    stars.append(bound.module)
                    continue
                names.setdefault(name, []).append(bound)
                if nested:
                    alternatives.add(name)
    return Interface(
        {name: tuple(bound) for name, bound in names.items()},
        frozenset(alternatives),
        tuple(stars),
        _exports(listing),
    )


def binding(name: str, body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The statements in `body`, those in blocks included, that bind `name`."""
    return [s for s, _ in _statements(body) if any(bound == name for bound, _ in _bindings(s))]


def dotted_module(node: ast.ImportFrom) -> str:
    """The module of a `from` import as written, leading dots included."""
    return "." * node.level + (node.module or "")


def imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Imported]]:
    """The names that an import binds; `*` for all of a module."""
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, Imported(dotted_module(node), alias.name)
        elif alias.asname is not None:
            yield alias.asname, Imported(alias.name, None)
        else:
            first = alias.name.partition(".")[0]
            yield first, Imported(first, None)


def is_main_guard(statement: ast.stmt) -> bool:
    """Whether a statement is `if __name__ == "__main__":`, which does nothing in a file that is imported."""
    match statement:
        case ast.If(test=ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()])):
            return True
        case _:
            return False


def _statements(body: Sequence[ast.stmt], nested: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    """The statements that run when a file is imported, those in blocks included."""
    for statement in body:
        if is_main_guard(statement):
            continue
        yield statement, nested
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for block in blocks(statement):
            yield from _statements(block, nested=True)


def _bindings(statement: ast.stmt) -> Iterator[tuple[str, Imported | None]]:
    match statement:
        case ast.Import() | ast.ImportFrom():
            yield from imports(statement)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, None
        case ast.Assign(targets=targets):
            yield from ((name, None) for target in targets for name in _names(target))
        case ast.AnnAssign(target=target, value=value) if value is not None:
            yield from ((name, None) for name in _names(target))
        case ast.AugAssign(target=target) | ast.For(target=target) | ast.AsyncFor(target=target):
            yield from ((name, None) for name in _names(target))
        case ast.With(items=items) | ast.AsyncWith(items=items):
            for item in items:
                if item.optional_vars is not None:
                    yield from ((name, None) for name in _names(item.optional_vars))
        case ast.Delete():
            yield from ((name, None) for name in _deleted(statement))
        case _:
            return


def _deleted(statement: ast.Delete) -> Iterator[str]:
    """The names that a `del` unbinds."""
    for target in statement.targets:
        yield from _names(target)


def _names(target: ast.expr) -> Iterator[str]:
    """The names that an assignment to `target` binds."""
    match target:
        case ast.Name(id=name):
            yield name
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from _names(part)
        case ast.Starred(value=inner):
            yield from _names(inner)
        case _:
            return


def _exports(body: list[ast.stmt]) -> frozenset[str] | None:
    """What `__all__` lists: literals, added up over several statements."""
    found: set[str] | None = None
    for statement in body:
        added: ast.expr | None = None
        match statement:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=added):
                found = set()
            case ast.AnnAssign(target=ast.Name(id="__all__"), value=added) if added is not None:
                found = set()
            case ast.AugAssign(target=ast.Name(id="__all__"), value=added):
                pass
            case _:
                continue
        names = _strings(added)
        if names is None:
            return None
        found = (found or set()) | names
    return None if found is None else frozenset(found)


def _strings(node: ast.expr | None) -> set[str] | None:
    match node:
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            found = {p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)}
            return found if len(found) == len(parts) else None
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            a, b = _strings(left), _strings(right)
            return None if a is None or b is None else a | b
        case _:
            return None
