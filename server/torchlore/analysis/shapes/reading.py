"""Sizes and dimensions, read off the arguments of calls."""

from __future__ import annotations

from collections.abc import Sequence

from torchlore.analysis.layer_sizes import NotKnown
from torchlore.analysis.shapes.shape import Dim, Shape
from torchlore.analysis.values import Arguments, Const, Container, Number, Tensor, Unknown, Value


def shape_of(value: Value | None) -> Shape | None:
    """The shape of a tensor; None where it is none, or of none that is known."""
    return value.shape if value.__class__ is Tensor else None


def first(arguments: Arguments) -> Shape:
    """The shape of what a function is applied to.

    Raises:
        NotKnown: it is not known.
    """
    found = shape_of(arguments.get(0, "input"))
    if found is None:
        raise NotKnown
    return found


def size(value: Value | None) -> Dim:
    """A size that is written out; None where it is not known."""
    return value.value if isinstance(value, Const) and type(value.value) is int else None


def whole(value: Value | None, default: int | None = None) -> int:
    """A number that must be known.

    Raises:
        NotKnown: it is not.
    """
    if value is None and default is not None:
        return default
    found = size(value)
    if found is None:
        raise NotKnown
    return found


def flag(value: Value | None, default: bool = False) -> bool:
    """A switch that must be known.

    Raises:
        NotKnown: it is not.
    """
    if value is None:
        return default
    if isinstance(value, Const) and isinstance(value.value, bool):
        return value.value
    raise NotKnown


def sizes(values: Sequence[Value]) -> tuple[Dim, ...]:
    """Sizes that are given one by one, or as one list or tuple.

    Raises:
        NotKnown: it is not known how many they are.
    """
    if len(values) == 1:
        return _listed(values[0])
    if not all(isinstance(value, Const | Number | Unknown) for value in values):
        raise NotKnown
    return tuple(map(size, values))


def _listed(value: Value) -> tuple[Dim, ...]:
    match value:
        case Container(kind="list" | "tuple", items=list() as items):
            return tuple(map(size, items))
        case Const(value=int()) | Number():
            return (size(value),)
        case _:
            raise NotKnown


def axes(value: Value) -> tuple[int, ...]:
    """Dimensions that are all known: one, or several.

    Raises:
        NotKnown: they are not.
    """
    found = tuple(dim for dim in _listed(value) if dim is not None)
    if len(found) < len(_listed(value)):
        raise NotKnown
    return found


def rest(arguments: Arguments, name: str) -> tuple[Dim, ...]:
    """The sizes after the first argument, or those given by name.

    Raises:
        NotKnown: it is not known how many they are.
    """
    if not arguments.complete:
        raise NotKnown
    given = arguments.positional[1:]
    if not given and name in arguments.keywords:
        given = [arguments.keywords[name]]
    if not given:
        raise NotKnown
    return sizes(given)
