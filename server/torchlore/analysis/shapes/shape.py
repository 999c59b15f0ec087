"""Shapes as far as they are known, and what becomes of two of them that meet."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from torchlore.analysis.layer_sizes import NotKnown

if TYPE_CHECKING:
    from torchlore.analysis.values import Value

Dim = int | None
"""A size; None where it is not known."""


class Shape(NamedTuple):
    """What is known of a tensor's shape.

    Attributes:
        dims: all sizes, or those of the last dimensions.
        is_open: whether there may be others before them, none or any number.
        given_by: the layer that says how wide the tensor is, and has the right to be blamed for it.
    """

    dims: tuple[Dim, ...]
    is_open: bool = False
    given_by: Value | None = None


SCALAR = Shape(())


class Clash(Exception):
    """Shapes that do not fit: torch raises, or does what nobody wants.

    Attributes:
        what: "features", "dimensions", "matmul", "cat", "stack", "view", "broadcast"; of losses "loss",
            "target" or "classes".
        wanted: the size that is asked for; of dimensions, how many there may be at most.
        got: the size that is there; of dimensions, how many there are.
        shapes: of the tensors that do not fit, as far as they are known.
        after: what the result would have.
    """

    def __init__(
        self, what: str, wanted: int, got: int, shapes: tuple[Shape, ...], after: Shape | None = None
    ) -> None:
        super().__init__(what, wanted, got)
        self.what = what
        self.wanted = wanted
        self.got = got
        self.shapes = shapes
        self.after = after


def ending(dims: Sequence[Dim], given_by: Value | None = None) -> Shape | None:
    """A shape of which the last sizes are known; None where that is nothing."""
    known = next((index for index, dim in enumerate(dims) if dim is not None), None)
    return None if known is None else Shape(tuple(dims[known:]), True, given_by)


def with_dims(shape: Shape, dims: Sequence[Dim], given_by: Value | None = None) -> Shape | None:
    """Other sizes of a shape that is as open as `shape`."""
    return ending(dims, given_by) if shape.is_open else Shape(tuple(dims), False, given_by)


def place(shape: Shape, axis: int, extra: int = 0) -> int:
    """Where in `dims` an axis is; one more where there are `extra` ones than the shape has.

    Raises:
        NotKnown: it is before those that are known, or there is no such axis.
    """
    count = len(shape.dims) + extra
    index = axis + count if axis < 0 else axis
    if not 0 <= index < count or (shape.is_open and axis >= 0):
        raise NotKnown
    return index


def dim_at(shape: Shape, axis: int) -> Dim:
    """The size along an axis; None where it is not known."""
    try:
        return shape.dims[place(shape, axis)]
    except NotKnown:
        return None


def replaced(shape: Shape, axis: int, dim: Dim, given_by: Value | None = None) -> Shape | None:
    """`shape` with another size along an axis.

    Raises:
        NotKnown: it is not known where the axis is.
    """
    index = place(shape, axis)
    return with_dims(shape, (*shape.dims[:index], dim, *shape.dims[index + 1 :]), given_by)


def count(shape: Shape) -> int | None:
    """How many numbers a tensor holds; None where that is not known."""
    known = [dim for dim in shape.dims if dim is not None]
    return None if shape.is_open or len(known) < len(shape.dims) else prod(known)


def joined(one: Shape | None, other: Shape | None) -> Shape | None:
    """What two shapes have in common, counted from the last dimension."""
    if one is None or other is None or one == other:
        return one if one == other else None
    length = min(len(one.dims), len(other.dims))
    ends = zip(_last(one.dims, length), _last(other.dims, length), strict=True)
    dims = tuple(a if a == b else None for a, b in ends)
    given_by = one.given_by if one.given_by is other.given_by else None
    if one.is_open or other.is_open or len(one.dims) != len(other.dims):
        return ending(dims, given_by)
    return Shape(dims, False, given_by)


def _last(dims: tuple[Dim, ...], length: int) -> tuple[Dim, ...]:
    return dims[len(dims) - length :]


def broadcast(one: Shape, other: Shape) -> Shape | None:
    """The shape of what is computed element by element.

    Raises:
        Clash: two sizes differ, and neither is 1.
    """
    if one.dims == other.dims and one.is_open is other.is_open:
        return one if one.given_by is other.given_by else one._replace(given_by=None)
    length = max(len(one.dims), len(other.dims))
    dims: list[Dim] = []
    for axis in range(-length, 0):
        a, b = _met(one, axis), _met(other, axis)
        if a is not None and b is not None and a != b and 1 not in (a, b):
            raise Clash("broadcast", a, b, (one, other))
        if a == 1 or b == 1:
            dims.append(b if a == 1 else a)
        else:  # one that is not known is 1, or is as large as the other one
            dims.append(a if b is None else b)
    is_open = one.is_open or other.is_open
    kept = one if tuple(dims) == one.dims else other if tuple(dims) == other.dims else None
    given_by = kept.given_by if kept is not None else None
    return ending(dims, given_by) if is_open else Shape(tuple(dims), False, given_by)


def _met(shape: Shape, axis: int) -> Dim:
    """The size that broadcasting finds along a negative axis: 1 where there is no such dimension."""
    if -axis <= len(shape.dims):
        return shape.dims[axis]
    return None if shape.is_open else 1


def told(shape: Shape) -> str:
    """ "[4, 5]"; "[..., 5]" where there may be dimensions before, "?" for a size that is not known."""
    sizes = ["?" if dim is None else str(dim) for dim in shape.dims]
    return f"[{', '.join(['...', *sizes] if shape.is_open else sizes)}]"
