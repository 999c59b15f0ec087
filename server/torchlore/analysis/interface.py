"""What a file offers to those that import from it, read off its tree and never run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from torchlore.text.nodes import blocks


@dataclass(unsafe_hash=True, slots=True)  # not `frozen`, by which each would cost three times as much
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
        runs: modules that it imports and never mentions again, so that it may be for what they do.
        patches: what it sets on things that it imported, or on its own classes, as it is written there
            (`torch.optim.Optimizer.step`); `*` stands for an attribute that is not known, or for an item.
        broken: whether something does not parse that may be any statement.
    """

    names: Mapping[str, tuple[Imported | None, ...]]
    alternatives: frozenset[str] = frozenset()
    stars: tuple[str, ...] = ()
    exports: frozenset[str] | None = None
    runs: tuple[Imported, ...] = ()
    patches: tuple[str, ...] = ()
    broken: bool = False


def read_interface(
    body: Iterable[tuple[str, Sequence[ast.stmt]]],
    classes: Collection[str] = (),
    is_mentioned: Callable[[str], bool] = lambda name: False,
) -> Interface:
    """The interface of a file.

    Args:
        body: its top-level statements in order: the name alone of one that binds just that by code (and no
            statement), or the statement (and no name).
        classes: names of classes that it defines.
        is_mentioned: whether an imported name stands somewhere else in the text.
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
        tuple(dict.fromkeys(_idle_imports(listing, is_mentioned))),
        tuple(dict.fromkeys(_patched(listing, names, classes))),
    )


def binding(name: str, body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The statements in `body`, those in blocks included, that bind `name`."""
    return [s for s, _ in _statements(body) if any(bound == name for bound, _ in _bindings(s))]


@dataclass(frozen=True, slots=True)
class Patch:
    """Something that a statement sets on a thing that was there before.

    Attributes:
        owner: the thing.
        attr: the attribute of it that is set; None where that is not known, or where it is an item.
        target: the place; None where it is not known.
        value: what it is set to; None where that is made of what it was, or nothing.
        certain: whether it is set whenever the file is imported.
    """

    owner: ast.expr
    attr: str | None
    target: ast.expr | None
    value: ast.expr | None
    certain: bool

    @property
    def written(self) -> str:
        """As it is written, with a `*` for what is not known; empty where it does not begin with a name."""
        owner = _dotted(self.owner)
        return f"{owner}.{self.attr or '*'}" if owner else ""


def patches(body: Sequence[ast.stmt]) -> Iterator[Patch]:
    """What the statements in `body`, those in blocks included, set on other things when they run."""
    for statement, nested in _statements(body):
        yield from _patches(statement, not nested)


def _patches(statement: ast.stmt, certain: bool) -> Iterator[Patch]:
    places: list[ast.expr] = []
    value: ast.expr | None = None
    match statement:
        case ast.Assign(targets=places, value=value):
            pass
        case ast.Delete(targets=places):
            pass
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            places = [target]
        case ast.Expr(value=ast.Call(func=ast.Name(id="setattr"), args=[owner, key, value]) as call):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                places = [ast.copy_location(ast.Attribute(owner, key.value, ast.Store()), call)]
            else:
                yield Patch(owner, None, None, None, certain)
        case _:
            return
    for place in places:
        match place:
            case ast.Attribute(value=owner, attr=attr):
                yield Patch(owner, attr, place, value, certain)
            case ast.Subscript(value=owner):
                yield Patch(owner, None, place, value, certain)
            case _:
                pass


def _dotted(node: ast.expr) -> str:
    """`a.b.c`; empty where the expression is something else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=owner, attr=attr):
            before = _dotted(owner)
            return f"{before}.{attr}" if before else ""
        case _:
            return ""


def _patched(
    listing: list[ast.stmt], names: Mapping[str, Sequence[Imported | None]], owned: Collection[str]
) -> Iterator[str]:
    """What statements set on imported things, on those of the `owned` names, and on what a star brought."""
    for patch in (patch for statement in listing for patch in _patches(statement, certain=True)):
        root = patch.written.partition(".")[0]
        if root and (root in owned or root not in names or any(map(_is_patchable, names[root]))):
            yield patch.written


def _is_patchable(bound: Imported | None) -> bool:
    """Whether a name is imported from somewhere else than Python's own library."""
    return bound is not None and bound.module.partition(".")[0] not in sys.stdlib_module_names


def run_by(statement: ast.stmt) -> Iterator[Imported]:
    """What an import statement names, in full."""
    match statement:
        case ast.Import(names=aliases):
            yield from (Imported(alias.name, None) for alias in aliases)
        case ast.ImportFrom(names=aliases):
            yield from (Imported(dotted_module(statement), alias.name) for alias in aliases)
        case _:
            return


def _idle_imports(listing: list[ast.stmt], is_mentioned: Callable[[str], bool]) -> Iterator[Imported]:
    """Modules that are imported and not used: of `from` imports those of members of the own package."""
    for statement in listing:
        for named in run_by(statement):
            if named.name is None:
                first = named.module.partition(".")[0]
            elif named.module.strip("."):
                continue
            else:
                first = named.name
            if not is_mentioned(first):
                yield named


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
