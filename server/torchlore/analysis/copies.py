"""`copy.copy` and `copy.deepcopy`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

from torchlore.analysis import containers
from torchlore.analysis.values import (
    Arguments,
    Container,
    Instance,
    OneOf,
    Params,
    Tensor,
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


def _arguments(arguments: Arguments, copied: Callable[[Value], Value]) -> Arguments:
    return Arguments(
        [copied(part) for part in arguments.positional],
        {name: copied(part) for name, part in arguments.keywords.items()},
        arguments.complete,
        arguments.nodes,
    )
