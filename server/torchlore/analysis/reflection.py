"""Loops that set attributes by name: `for name, part in kwargs.items(): setattr(self, name, part)`."""

from __future__ import annotations

import ast
from weakref import WeakKeyDictionary

from torchlore.analysis.run import Run
from torchlore.analysis.values import Const, Container, Value
from torchlore.text.nodes import nodes_in

_MOST_NAMES = 32
"""A loop over more names than this is taken as a whole: it fills a table."""


def named_items(run: Run, node: ast.For | ast.AsyncFor, iterated: Value) -> list[Value] | None:
    """What a loop goes through that sets attributes by the names it goes through, item by item.

    Args:
        run: the interpretation.
        node: the loop.
        iterated: what it is over.

    Returns:
        None where the loop sets none, or not all of its names are known.
    """
    found = _names(run, node, iterated)
    return found if found and _sets_by_name(node) else None


def _names(run: Run, node: ast.For | ast.AsyncFor, iterated: Value) -> list[Value] | None:
    """The names, or pairs that begin with one, that a loop goes through; None where they are not known."""
    held: Value | None = iterated
    attr = "keys"
    match node.iter:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="items" | "keys" as attr), args=[]):
            held = run.frame.find(name)
        case _:
            pass
    if not isinstance(held, Container):
        return None
    items = _of_dict(held, attr) if held.kind == "dict" else held.items
    named = items is not None and len(items) <= _MOST_NAMES and all(_is_name(item) for item in items)
    return items if named else None


def _of_dict(held: Container, attr: str) -> list[Value] | None:
    if not held.whole or len(held.keyed) > _MOST_NAMES:
        return None
    if attr == "keys":
        return [Const(key) for key in held.keyed]
    return [Container("tuple", [Const(key), value], value) for key, value in held.keyed.items()]


def _is_name(item: Value) -> bool:
    """Whether an item of a list is a name, or a tuple that begins with one."""
    if isinstance(item, Container) and item.kind == "tuple" and item.items:
        item = item.items[0]
    return isinstance(item, Const) and isinstance(item.value, str)


def setting(node: ast.For | ast.AsyncFor) -> list[ast.stmt]:
    """The statements of a loop's body that set attributes, and those that bind what these read.

    In imported code the others need not run for each item: nothing hangs on them but what the first showed.
    """
    if not _sets_by_name(node):
        return node.body
    kept: list[ast.stmt] = []
    read: set[str] = set()
    for statement in reversed(node.body):
        names = [part for part in nodes_in(statement) if isinstance(part, ast.Name)]
        binds = any(isinstance(part.ctx, ast.Store) and part.id in read for part in names)
        if binds or any(part.id == "setattr" for part in names):
            kept.insert(0, statement)
            read.update(part.id for part in names)
    return kept


_KNOWN: WeakKeyDictionary[ast.AST, bool] = WeakKeyDictionary()
"""What `_sets_by_name` found: imported code is run for everyone who imports it."""


def _sets_by_name(node: ast.For | ast.AsyncFor) -> bool:
    """Whether a call of `setattr` in the loop takes the name that the loop goes through."""
    known = _KNOWN.get(node)
    if known is None:
        target = node.target
        first = target.elts[0] if isinstance(target, ast.Tuple) and target.elts else target
        known = _KNOWN[node] = isinstance(first, ast.Name) and any(
            _sets(inner, first.id) for statement in node.body for inner in nodes_in(statement)
        )
    return known


def _sets(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Name(id=given), _]):
            return given == name
        case _:
            return False
