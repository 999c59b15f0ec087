"""Reductions, and what picks items out: `sum`, `argmax`, `topk`, `x[0, :, None]`."""

from __future__ import annotations

from torchlore.analysis.layer_sizes import NotKnown
from torchlore.analysis.queries import is_none
from torchlore.analysis.shapes.reading import axes, first, flag, shape_of, size, whole
from torchlore.analysis.shapes.reshaping import batched
from torchlore.analysis.shapes.shape import SCALAR, Dim, Shape, place, replaced, with_dims
from torchlore.analysis.values import Arguments, Const, Container, Tensor, Value


def reduced(arguments: Arguments) -> Shape | None:
    """`x.sum()`, `x.mean(dim=1, keepdim=True)`, `x.argmax(1)`."""
    asked = arguments.get(1, "dim") or arguments.keywords.get("axis")
    if asked is None or is_none(asked):
        return SCALAR if not arguments.keywords.keys() & {"keepdim", "axis"} else None
    if isinstance(asked, Tensor):  # `x.max(y)`
        raise NotKnown
    return _without(first(arguments), axes(asked), _keeps(arguments))


def _keeps(arguments: Arguments) -> bool:
    return flag(arguments.get(2, "keepdim"))


def normed(arguments: Arguments) -> Shape | None:
    """`x.norm(2, dim=1)`, whose second argument is no dimension."""
    asked = arguments.get(2, "dim")
    if asked is None or is_none(asked):
        return SCALAR if "keepdim" not in arguments.keywords else None
    return _without(first(arguments), axes(asked), flag(arguments.get(3, "keepdim")))


def _without(given: Shape, dropped: tuple[int, ...], keep: bool) -> Shape | None:
    """`given` without some dimensions, or with 1 in their places."""
    if any(axis >= 0 for axis in dropped):
        given = batched(given)
    places = {place(given, axis) for axis in dropped}
    dims: list[Dim] = []
    for index, dim in enumerate(given.dims):
        if index not in places:
            dims.append(dim)
        elif keep:
            dims.append(1)
    return with_dims(given, dims, given.given_by)


def chosen(arguments: Arguments) -> Shape | None:
    """`x.topk(k, dim)`."""
    return replaced(first(arguments), whole(arguments.get(2, "dim"), -1), size(arguments.get(1, "k")))


def gathered(arguments: Arguments) -> Shape | None:
    return shape_of(arguments.get(2, "index"))


def item(given: Shape, key: Value) -> Shape | None:
    """`x[key]`; None where it is not known."""
    keys = key.items if isinstance(key, Container) and key.kind == "tuple" else [key]
    if keys is None:
        return None
    try:
        return _indexed(given, keys)
    except NotKnown:
        return None


def _indexed(given: Shape, keys: list[Value]) -> Shape | None:
    ellipses = [index for index, key in enumerate(keys) if _is_ellipsis(key)]
    if len(ellipses) > 1 or not all(map(_is_basic, keys)):
        raise NotKnown
    before = keys[: ellipses[0]] if ellipses else keys
    after = keys[ellipses[0] + 1 :] if ellipses else []
    if before and given.is_open:
        given = batched(given)
    taken = sum(not is_none(key) for key in before)
    behind = sum(not is_none(key) for key in after)
    if (before and given.is_open) or taken + behind > len(given.dims):
        raise NotKnown
    front, end = given.dims[:taken], given.dims[len(given.dims) - behind :]
    middle = given.dims[taken : len(given.dims) - behind]
    dims = (*_picked(front, before), *middle, *_picked(end, after))
    return with_dims(given, dims, given.given_by if middle else None)


def _is_basic(key: Value) -> bool:
    return isinstance(key, Const) and (
        type(key.value) in (int, slice) or key.value is None or key.value is Ellipsis
    )


def _is_ellipsis(key: Value) -> bool:
    return isinstance(key, Const) and key.value is Ellipsis


def _picked(dims: tuple[Dim, ...], keys: list[Value]) -> list[Dim]:
    """What numbers, slices and None make of as many dimensions."""
    found: list[Dim] = []
    left = list(dims)
    for key in keys:
        assert isinstance(key, Const)
        if key.value is None:
            found.append(1)
            continue
        dim = left.pop(0)
        if isinstance(key.value, slice):
            whole_range = key.value == slice(None)
            found.append(dim if whole_range else None if dim is None else len(range(*key.value.indices(dim))))
    return found
