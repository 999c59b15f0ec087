"""Convolutions and pooling: what moves over the last dimensions of a tensor."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torchlore.analysis import layer_sizes
from torchlore.analysis.layer_sizes import NotKnown, Settings
from torchlore.analysis.shapes.reading import shape_of
from torchlore.analysis.shapes.settings import each, expect, ranked, told_size
from torchlore.analysis.shapes.shape import Dim, Shape, dim_at, ending, with_dims
from torchlore.analysis.values import Arguments, Value


def convolution(
    dimensions: int, settings: Settings, given: Shape | None, layer: Value | None
) -> Shape | None:
    kernel, stride = each(settings, "kernel_size", dimensions), each(settings, "stride", dimensions)
    padding, dilation = _paddings(settings, dimensions), each(settings, "dilation", dimensions)

    def size(dim: int, index: int) -> Dim:
        if padding == "same":
            return dim
        return slid(dim, kernel[index], stride[index], padding[index], dilation[index])  # type: ignore[arg-type]

    return _convolved(dimensions, settings, given, layer, size)


def transposed_convolution(
    dimensions: int, settings: Settings, given: Shape | None, layer: Value | None
) -> Shape | None:
    names = ("kernel_size", "stride", "padding", "output_padding", "dilation")
    kernel, stride, padding, extra, dilation = (each(settings, name, dimensions) for name in names)

    def size(dim: int, index: int) -> Dim:
        k, s, p, o, d = kernel[index], stride[index], padding[index], extra[index], dilation[index]
        if k is None or s is None or p is None or o is None or d is None:
            return None
        return (dim - 1) * s - 2 * p + d * (k - 1) + o + 1

    return _convolved(dimensions, settings, given, layer, size)


def _convolved(
    dimensions: int,
    settings: Settings,
    given: Shape | None,
    layer: Value | None,
    size: Callable[[int, int], Dim],
) -> Shape | None:
    ranked(given, dimensions + 1, dimensions + 2)
    after = _spatial(given, dimensions, size, told_size(settings, "out_channels"), layer)
    expect(given, -dimensions - 1, told_size(settings, "in_channels"), after)
    return after


def _spatial(
    given: Shape | None, dimensions: int, size: Callable[[int, int], Dim], channels: Dim, layer: Value | None
) -> Shape | None:
    """What a convolution gives.

    Args:
        given: what it is applied to.
        dimensions: of the space that it moves in.
        size: what becomes of a size along a dimension, given both.
        channels: how many come out.
        layer: itself.
    """
    sizes: list[Dim] = []
    for index in range(dimensions):
        dim = None if given is None else dim_at(given, index - dimensions)
        sizes.append(None if dim is None else _positive(size(dim, index)))
    if given is None or given.is_open:
        return ending((channels, *sizes), layer)
    before = given.dims[: len(given.dims) - dimensions - 1]
    return Shape((*before, channels, *sizes), False, layer)


def _positive(dim: Dim) -> Dim:
    """Torch takes no kernel that is larger than what it moves over: what then would come out is nothing."""
    return dim if dim is not None and dim > 0 else None


def _paddings(settings: Settings, dimensions: int) -> str | tuple[Dim, ...]:
    try:
        found = settings["padding"]
    except NotKnown:
        return (None,) * dimensions
    if found == "valid":
        return (0,) * dimensions
    return "same" if found == "same" else each(settings, "padding", dimensions)


def slid(dim: int, kernel: Dim, stride: Dim, padding: Dim, dilation: Dim) -> Dim:
    """How many places a kernel has along a dimension."""
    if kernel is None or not stride or padding is None or dilation is None:
        return None
    return (dim + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def pool(
    kind: str, dimensions: int, settings: Settings, given: Shape | None, layer: Value | None
) -> Shape | None:
    """Pooling moves over the last dimensions, and keeps the channels before them."""
    if given is None:
        return None
    if kind.startswith("adaptive"):
        after = each(settings, "output_size", dimensions)
        kept = (dim_at(given, axis - dimensions) for axis in range(dimensions))
        asked = _asked(settings, dimensions)
        sizes = [old if is_kept else new for old, new, is_kept in zip(kept, after, asked, strict=True)]
    else:
        sizes = _pooled(kind, dimensions, settings, given)
    before = given.dims[: max(0, len(given.dims) - dimensions)]
    return with_dims(given, (*before, *sizes), given.given_by)


def _asked(settings: Settings, dimensions: int) -> list[bool]:
    """Of each dimension, whether adaptive pooling keeps it as it is: where None is asked for."""
    try:
        found = settings["output_size"]
    except NotKnown:
        return [False] * dimensions
    parts = found if isinstance(found, tuple) else (found,) * dimensions
    if len(parts) != dimensions:
        raise NotKnown
    return [part is None for part in parts]


def _pooled(kind: str, dimensions: int, settings: Settings, given: Shape) -> list[Dim]:
    kernel, padding = each(settings, "kernel_size", dimensions), each(settings, "padding", dimensions)
    stride = kernel if settings["stride"] is None else each(settings, "stride", dimensions)
    dilation = each(settings, "dilation", dimensions) if kind == "max" else (1,) * dimensions
    if settings["ceil_mode"] is not False:
        return [None] * dimensions
    sizes: list[Dim] = []
    for index in range(dimensions):
        dim = dim_at(given, index - dimensions)
        moved = (
            None if dim is None else slid(dim, kernel[index], stride[index], padding[index], dilation[index])
        )
        sizes.append(_positive(moved))
    return sizes


def pool_function(kind: str, dimensions: int, arguments: Arguments) -> Shape | None:
    """`F.max_pool2d(x, 2)`: the settings of the layer stand behind the tensor."""
    given = shape_of(arguments.get(0, "input"))
    keywords = {name: value for name, value in arguments.keywords.items() if name != "input"}
    settings = Arguments(arguments.positional[1:], keywords, arguments.complete)
    if given is None or not settings.complete:
        raise NotKnown
    return pool(kind, dimensions, layer_sizes.settings(_POOLS[kind], settings), given, None)


_POOLS: Mapping[str, str] = {
    "max": "kernel_size stride=None padding=0 dilation=1 ceil_mode=False return_indices=False",
    "avg": "kernel_size stride=None padding=0 ceil_mode=False count_include_pad=True divisor_override=None",
    "adaptive_avg": "output_size",
    "adaptive_max": "output_size return_indices=False",
}
"""The settings of pooling as a function, in order."""

POOL_LAYERS = {
    "Max": "kernel_size stride=None padding=0 dilation=1 return_indices=False ceil_mode=False",
    "Avg": _POOLS["avg"],
    "AdaptiveAvg": _POOLS["adaptive_avg"],
    "AdaptiveMax": _POOLS["adaptive_max"],
}
