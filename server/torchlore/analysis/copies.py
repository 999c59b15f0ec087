"""`copy.copy` and `copy.deepcopy`, and what other objects of the same class hold."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from torchlore.analysis import containers, plain
from torchlore.analysis.queries import is_none, join
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
    Instance,
    LocalClass,
    LocalModule,
    Number,
    OneOf,
    Params,
    Ref,
    Tensor,
    Unknown,
    Value,
)

_MAX_DEPTH = 8
"""Objects nested deeper than this are shared with the original."""


def shallow(value: Value, node: ast.AST) -> Value:
    """A new object that holds what `value` holds."""
    match value:
        case Instance():
            return replace(value, node=node, attributes=dict(value.attributes))
        case Container():
            return containers.copied(value)
        case Tensor():
            return replace(value, leaf=False)
        case _:
            return value


def deep(value: Value, node: ast.AST) -> Value:
    """New objects of the same structure: parameters of the copy are not those of the original."""
    return _deep(value, node, {}, _MAX_DEPTH)


def _deep(value: Value, node: ast.AST, seen: dict[int, Value], depth: int) -> Value:
    """`seen` holds the copies made so far, by the identity of the original."""
    known = seen.get(id(value))
    if known is not None or not depth:
        return known if known is not None else value

    def copied(part: Value) -> Value:
        return _deep(part, node, seen, depth - 1)

    match value:
        case Instance():
            made = replace(value, node=node, attributes={})
            seen[id(value)] = made
            made.attributes.update((name, copied(part)) for name, part in value.attributes.items())
            if value.arguments is not None:
                made.arguments = _arguments(value.arguments, copied)
            return made
        case Container():
            box = Container(value.kind, None, value.element)
            seen[id(value)] = box
            box.items = [copied(part) for part in value.items] if value.items is not None else None
            box.element = copied(value.element)
            box.keyed = {key: copied(part) for key, part in value.keyed.items()}
            return box
        case Params(owners=frozenset() as owners):
            return Params(frozenset(copied(owner) for owner in owners), value.one)
        case OneOf(options=parts):
            return OneOf(tuple(copied(part) for part in parts))
        case Tensor():
            seen[id(value)] = replace(value)
            return seen[id(value)]
        case _:
            return value


_ALIKE_DEPTH = 4
"""Items of items nested deeper than this are unknown."""


def alike(value: Value, node: ast.AST, depth: int = _ALIKE_DEPTH) -> Value | None:
    """What another object of the same class holds where one that was made of unknown things holds `value`.

    Args:
        value: what the one holds.
        node: stands for where the other was made.
        depth: how deep items are looked into.

    Returns:
        None where that may be anything. An attribute that is only ever seen to be None is set elsewhere.
    """
    match value:
        case Const(value=None):
            return None
        case Const(value=literal):
            return plain.some(literal)
        case Number() | plain.Plain() | LocalClass() | Ref() | LocalModule():
            return value
        case Tensor():
            return replace(value)
        case Instance(cls=LocalClass()):
            return Instance(value.cls, node)
        case Instance():
            parts = value.attributes if depth > 0 else {}
            held = {name: _alike_part(part, node, depth) for name, part in parts.items()}
            return replace(value, node=node, attributes=held, arguments=_alike_arguments(value, node, depth))
        case Container() if depth > 0:
            items = [_alike_part(part, node, depth) for part in value.items] if value.items else value.items
            keyed = {key: _alike_part(part, node, depth) for key, part in value.keyed.items()}
            return Container(value.kind, items, _alike_part(value.element, node, depth), keyed)
        case OneOf(options=parts) if depth > 0:
            found = [part if is_none(part) else _alike_part(part, node, depth) for part in parts]
            return join(found)
        case _:
            return None


def _alike_part(value: Value, node: ast.AST, depth: int) -> Value:
    return alike(value, node, depth - 1) or Unknown(frozenset({node}))


def _alike_arguments(module: Instance, node: ast.AST, depth: int) -> Arguments | None:
    if module.arguments is None or depth <= 0:
        return None

    def copied(part: Value) -> Value:
        return part if isinstance(part, Const) else _alike_part(part, node, depth)

    return _arguments(module.arguments, copied)


def _arguments(arguments: Arguments, copied: Callable[[Value], Value]) -> Arguments:
    return Arguments(
        [copied(part) for part in arguments.positional],
        {name: copied(part) for name, part in arguments.keywords.items()},
        arguments.complete,
        arguments.nodes,
    )
