"""What comes out of a value, item by item: in a loop, in `a, b = value`."""

from __future__ import annotations

import ast

from torchlore.analysis import containers, instances, loaders, operators, plain
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import join, options, tokens_of
from torchlore.analysis.values import (
    Batch,
    Const,
    Container,
    Instance,
    Iterable,
    Number,
    OneOf,
    Params,
    Tensor,
    Unknown,
    Value,
)

_MAX_UNROLLED = 4
"""A loop over a literal of at most so many objects is taken item by item."""


def element(value: Value) -> Value:
    """What iterating over `value` yields."""
    match value:
        case OneOf():
            return join([element(option) for option in options(value)])
        case Iterable(element=inner):
            return inner
        case Container(kind="dict"):
            return containers.keys(value)
        case Container():
            return containers.any_item(value)
        case Params(owners=owners):
            return Params(owners, one=True)
        case Batch():
            return Tensor(attached=False, certain=False)
        case Tensor():
            return operators.item(value, Number())
        case Instance():
            return loaders.iterated(value)
        case Plain():
            return plain.element(value)
        case Const(value=str()):
            return plain.STR
        case _:
            return Unknown(tokens_of(value))


def few_items(value: Value) -> list[Value] | None:
    """The items of a short literal of objects: loops over `[opt_g, opt_d]` are taken one by one."""
    items = _short(value)
    return items if items and all(map(_has_objects, items)) else None


def items_with_objects(value: Value) -> list[Value] | None:
    """The items of a short literal, at least one of them an object: of `map` each is told apart."""
    items = _short(value)
    parts = [option for item in items or () for option in options(item)]
    return items if any(map(_has_objects, parts)) else None


def _short(value: Value) -> list[Value] | None:
    """The items of a list or a tuple of a few that are all known."""
    if not isinstance(value, Container) or value.items is None or len(value.items) > _MAX_UNROLLED:
        return None
    return value.items if value.kind in ("list", "tuple") else None


def _has_objects(value: Value) -> bool:
    if isinstance(value, Container) and value.items:
        return any(_has_objects(item) for item in value.items)
    return isinstance(value, Instance)


def unpack(value: Value, parts: list[ast.expr]) -> list[Value]:
    """What each of some targets gets of `value`: `a, *b = value`."""
    starred = [i for i, part in enumerate(parts) if isinstance(part, ast.Starred)]
    value = instances.as_tuple(value) or value
    for option in options(value):
        if isinstance(option, Container) and option.items is not None and not isinstance(value, OneOf):
            if not starred and len(option.items) == len(parts):
                return list(option.items)
            return _unpack_starred(option.items, parts, starred)
    if isinstance(value, OneOf):
        rows = [unpack(option, parts) for option in options(value)]
        return [join(list(column)) for column in zip(*rows, strict=True)]
    return [_unpacked(value, part) for part in parts]


def _unpacked(value: Value, part: ast.expr) -> Value:
    """One part of `value`, each its own object; a batch may be nested (`(x, (y, lengths))`)."""
    nested = isinstance(part, ast.Tuple | ast.List)
    return Batch() if isinstance(value, Batch) and nested else element(value)


def _unpack_starred(items: list[Value], parts: list[ast.expr], starred: list[int]) -> list[Value]:
    if len(starred) != 1 or len(items) < len(parts) - 1:
        return [Unknown() for _ in parts]
    at = starred[0]
    tail = len(parts) - at - 1
    middle = items[at : len(items) - tail]
    packed = Container("list", list(middle), join(list(middle)) if middle else Unknown())
    return [*items[:at], packed, *items[len(items) - tail :]]
