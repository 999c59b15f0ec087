"""The same numbers in another shape: `view`, `flatten`, `permute` and their kin."""

from __future__ import annotations

from math import prod

from torchlore.analysis.layer_sizes import NotKnown
from torchlore.analysis.shapes.reading import axes, first, rest, shape_of, size, sizes, whole
from torchlore.analysis.shapes.shape import (
    Clash,
    Dim,
    Shape,
    count,
    dim_at,
    ending,
    place,
    replaced,
    with_dims,
)
from torchlore.analysis.values import Arguments, Instance, Value

_CHANNELS = {
    f"torch.nn.{layer}{n}d": n + 1
    for layer in ("Conv", "ConvTranspose", "BatchNorm", "InstanceNorm")
    for n in (1, 2, 3)
}
"""Layers whose output has channels, and how many dimensions these and what they lie in are."""


def has_channels(shape: Shape) -> bool:
    """Whether the first size that is known is of the channels that a convolution, or such a layer, gave."""
    giver = shape.given_by
    layer = giver.cls if isinstance(giver, Instance) and isinstance(giver.cls, str) else ""
    return len(shape.dims) == _CHANNELS.get(layer)


def batched(shape: Shape) -> Shape:
    """`shape`, where it is what comes out of convolutions, with a batch before the channels.

    A convolution takes single pictures too, but a program that counts dimensions from the first one on has
    batches in mind: of a single picture it would flatten the channels apart from the picture.
    """
    if shape.is_open and has_channels(shape):
        return Shape((None, *shape.dims), False, shape.given_by)
    return shape


def view(arguments: Arguments) -> Shape:
    """`x.view(…)`, `x.reshape(…)`."""
    asked = rest(arguments, "shape")
    return _viewed(shape_of(arguments.get(0, "input")), asked)


def _viewed(given: Shape | None, asked: tuple[Dim, ...]) -> Shape:
    """What holds as many numbers as `given`, in `asked` sizes, of which one may be -1.

    Raises:
        Clash: it would hold another number of them.
    """
    open_places = [index for index, dim in enumerate(asked) if dim == -1]
    written = [dim for dim in asked if dim is not None and dim >= 0]
    if len(open_places) > 1:
        raise NotKnown
    after = Shape(tuple(None if dim == -1 else dim for dim in asked), False, _still_given(given, asked))
    total = None if given is None else count(given)
    is_known = len(written) + len(open_places) == len(asked)
    if given is None or total is None or not is_known:
        return after
    product = prod(written)
    fits = product == total if not open_places else product > 0 and total % product == 0
    if not fits:
        raise Clash("view", product, total, (given, Shape(asked)), after)
    if not open_places:
        return after
    at = open_places[0]
    return after._replace(dims=(*asked[:at], total // product, *asked[at + 1 :]))


def _still_given(given: Shape | None, asked: tuple[Dim, ...]) -> Value | None:
    """The layer that says how wide a tensor is, where its last size stays what it was."""
    if given is None or not given.dims or not asked or has_channels(given):
        return None
    return given.given_by if asked[-1] is not None and asked[-1] == given.dims[-1] else None


def view_as(arguments: Arguments) -> Shape | None:
    return shape_of(arguments.get(1, "other"))


def flatten(arguments: Arguments) -> Shape | None:
    return flattened(
        shape_of(arguments.get(0, "input")),
        whole(arguments.get(1, "start_dim"), 0),
        whole(arguments.get(2, "end_dim"), -1),
    )


def flattened(given: Shape | None, start: int, end: int) -> Shape | None:
    """`given` with the dimensions from `start` to `end` made one."""
    if given is not None and start >= 0:
        given = batched(given)
    if given is None or (given.is_open and start >= 0):
        return Shape((None,) * (start + 1)) if start >= 0 and end == -1 else None
    if not given.dims:
        return Shape((1,))
    low, high = place(given, start), place(given, end)
    if low > high:
        raise NotKnown
    inner = count(Shape(given.dims[low : high + 1]))
    return with_dims(given, (*given.dims[:low], inner, *given.dims[high + 1 :]), given.given_by)


def unflatten(arguments: Arguments) -> Shape | None:
    given, axis = first(arguments), whole(arguments.get(1, "dim"))
    asked = arguments.get(2, "sizes")
    if asked is None:
        raise NotKnown
    return unflattened(given, axis, sizes([asked]))


def unflattened(given: Shape, axis: int, asked: tuple[Dim, ...]) -> Shape | None:
    """`given` with one dimension made several."""
    index = place(given, axis)
    inner = _viewed(Shape((given.dims[index],)), asked)
    return with_dims(given, (*given.dims[:index], *inner.dims, *given.dims[index + 1 :]))


def squeeze(arguments: Arguments) -> Shape | None:
    given, asked = first(arguments), arguments.get(1, "dim")
    if asked is None:
        if given.is_open or None in given.dims:
            raise NotKnown
        return Shape(tuple(dim for dim in given.dims if dim != 1), False, given.given_by)
    dropped = {place(given, axis) for axis in axes(asked)}
    if any(given.dims[index] is None for index in dropped):
        raise NotKnown
    dropped = {index for index in dropped if given.dims[index] == 1}
    dims = tuple(dim for index, dim in enumerate(given.dims) if index not in dropped)
    return with_dims(given, dims, given.given_by)


def unsqueeze(arguments: Arguments) -> Shape | None:
    given, axis = first(arguments), whole(arguments.get(1, "dim"))
    if given.is_open and axis == 0:
        return given  # there may be one more before those that are known
    given = batched(given) if axis >= 0 else given
    index = place(given, axis, extra=1)
    return with_dims(given, (*given.dims[:index], 1, *given.dims[index:]), given.given_by)


def permute(arguments: Arguments) -> Shape:
    order = rest(arguments, "dims")
    found = shape_of(arguments.get(0, "input"))
    given = None if found is None else batched(found)
    if given is None or given.is_open or len(given.dims) != len(order):
        return Shape((None,) * len(order))  # torch takes as many as there are
    dims = tuple(None if axis is None else dim_at(given, axis) for axis in order)
    is_last_kept = order[-1:] in ((-1,), (len(order) - 1,))
    return Shape(dims, False, given.given_by if is_last_kept else None)


def transpose(arguments: Arguments) -> Shape | None:
    given = first(arguments)
    one = whole(_either(arguments, 1, "dim0", "axis0"))
    other = whole(_either(arguments, 2, "dim1", "axis1"))
    if one >= 0 or other >= 0:
        given = batched(given)
    a, b = place(given, one), place(given, other)
    dims = list(given.dims)
    dims[a], dims[b] = dims[b], dims[a]
    return with_dims(given, dims)


def _either(arguments: Arguments, index: int, *names: str) -> Value | None:
    found = (arguments.get(index, name) for name in names)
    return next((value for value in found if value is not None), None)


def reversed_dims(given: Shape) -> Shape:
    """`x.T`, `x.t()`: of two dimensions that are known."""
    if given.is_open or len(given.dims) > 2:
        raise NotKnown
    return Shape(given.dims[::-1])


def transposed(arguments: Arguments) -> Shape:
    return reversed_dims(first(arguments))


def matrix_transposed(given: Shape) -> Shape | None:
    """`x.mT`."""
    a, b = place(given, -2), place(given, -1)
    return with_dims(given, (*given.dims[:a], given.dims[b], given.dims[a]))


def expand(arguments: Arguments) -> Shape:
    asked = rest(arguments, "size")
    given = shape_of(arguments.get(0, "input"))
    if given is None or given.is_open or len(given.dims) > len(asked):
        return Shape(tuple(None if dim == -1 else dim for dim in asked))
    before: tuple[Dim, ...] = (None,) * (len(asked) - len(given.dims))
    dims = tuple(old if dim == -1 else dim for old, dim in zip((*before, *given.dims), asked, strict=True))
    return Shape(dims)


def repeat(arguments: Arguments) -> Shape:
    given, times = first(arguments), rest(arguments, "repeats")
    if given.is_open or len(given.dims) > len(times):
        raise NotKnown
    before: tuple[Dim, ...] = (1,) * (len(times) - len(given.dims))
    pairs = zip((*before, *given.dims), times, strict=True)
    return Shape(tuple(None if dim is None or many is None else dim * many for dim, many in pairs))


def chunk(arguments: Arguments) -> Shape | None:
    """One of the parts: as large as the others where the parts come out even."""
    given, many = first(arguments), whole(arguments.get(1, "chunks"))
    axis = whole(arguments.get(2, "dim"), 0)
    total = dim_at(given, axis)
    even = total // many if total is not None and many > 0 and total % many == 0 else None
    return replaced(given, axis, even)


def split(arguments: Arguments) -> Shape | None:
    given, axis = first(arguments), whole(arguments.get(2, "dim"), 0)
    length, total = size(arguments.get(1, "split_size_or_sections")), dim_at(given, axis)
    is_even = length is not None and total is not None and length > 0 and total % length == 0
    return replaced(given, axis, length if is_even else None)


def unbind(arguments: Arguments) -> Shape | None:
    return without(first(arguments), whole(arguments.get(1, "dim"), 0))


def select(arguments: Arguments) -> Shape | None:
    return without(first(arguments), whole(arguments.get(1, "dim")))


def without(given: Shape, axis: int) -> Shape | None:
    """`given` without one of its dimensions."""
    given = batched(given) if axis >= 0 else given
    index = place(given, axis)
    return with_dims(given, (*given.dims[:index], *given.dims[index + 1 :]), given.given_by)


def narrow(arguments: Arguments) -> Shape | None:
    return replaced(first(arguments), whole(arguments.get(1, "dim")), size(arguments.get(3, "length")))


def index_select(arguments: Arguments) -> Shape | None:
    chosen = shape_of(arguments.get(2, "index"))
    many = chosen.dims[0] if chosen is not None and len(chosen.dims) == 1 else None
    return replaced(first(arguments), whole(arguments.get(1, "dim")), many)


def one_hot(arguments: Arguments) -> Shape | None:
    given, classes = shape_of(arguments.get(0, "input")), size(arguments.get(1, "num_classes"))
    width = None if classes == -1 else classes
    return ending((width,)) if given is None else with_dims(given, (*given.dims, width))


def pad(arguments: Arguments) -> Shape | None:
    """`F.pad(x, (left, right, top, bottom))`: pairs from the last dimension on."""
    asked = arguments.get(1, "pad")
    if asked is None:
        raise NotKnown
    return padded(first(arguments), sizes([asked]))


def padded(given: Shape, widths: tuple[Dim, ...]) -> Shape | None:
    """`given`, wider by pairs of widths from the last dimension on."""
    dims = list(given.dims)
    for step, (before, after) in enumerate(zip(widths[::2], widths[1::2], strict=False), start=1):
        index = place(given, -step)
        dim = dims[index]
        dims[index] = None if dim is None or before is None or after is None else dim + before + after
    return with_dims(given, dims, given.given_by)
