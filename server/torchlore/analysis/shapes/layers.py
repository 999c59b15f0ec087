"""What layers of `torch.nn` make of shapes, from what their constructors were given."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torchlore.analysis import layer_sizes
from torchlore.analysis.layer_sizes import NotKnown, Settings
from torchlore.analysis.names import words
from torchlore.analysis.shapes.moving import POOL_LAYERS, convolution, pool, transposed_convolution
from torchlore.analysis.shapes.reshaping import batched, flattened, has_channels, padded, unflattened
from torchlore.analysis.shapes.settings import each, expect, ranked, told_size
from torchlore.analysis.shapes.shape import (
    SCALAR,
    Dim,
    Shape,
    dim_at,
    ending,
    place,
    replaced,
    with_dims,
)
from torchlore.analysis.values import Instance, Value

_Layer = Callable[[Settings, "Shape | None", "Value | None"], "Shape | None"]
"""What a layer with these settings makes of a shape; the last is the layer itself."""


def name_of(layer: Instance) -> str:
    """The class of a layer without its home: "Linear"."""
    return layer.cls.removeprefix("torch.nn.") if isinstance(layer.cls, str) else ""


def output(layer: Instance, name: str, given: Shape | None) -> Shape | None:
    """The shape of what a layer of torch, of the class called `name`, gives; None where it is not known.

    Raises:
        Clash: it was made for another width, or for another number of dimensions.
    """
    if name in UNCHANGED:
        return given
    known = LAYERS.get(name)
    if known is None or layer.arguments is None or not layer.arguments.complete:
        return None
    if any(not name.startswith(" ") for name in layer.attributes):
        return None  # something was set on it, such as a weight of another size
    signature, through = known
    try:
        return through(layer_sizes.settings(signature, layer.arguments), given, layer)
    except NotKnown:
        return None


def _linear(settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    out = told_size(settings, "out_features")
    if given is None or not given.dims:
        return ending((out,), layer)
    after = with_dims(given, (*given.dims[:-1], out), layer)
    expect(given, -1, told_size(settings, "in_features"), after)
    return after


def _embedding(settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    return looked_up(given, told_size(settings, "embedding_dim"), layer)


def looked_up(given: Shape | None, width: Dim, layer: Value | None = None) -> Shape | None:
    """What is as wide as `width` for each number of `given`."""
    return ending((width,), layer) if given is None else with_dims(given, (*given.dims, width), layer)


def _batch_norm(
    dimensions: int, settings: Settings, given: Shape | None, layer: Value | None
) -> Shape | None:
    """Over `(N, C, *)`, with a batch in any case."""
    channels = told_size(settings, "num_features")
    ranked(given, dimensions + 2, dimensions + 2)
    spatial: tuple[Dim, ...] = (None,) * dimensions
    if given is None:
        return Shape((None, channels, *spatial), False, layer)
    if given.is_open and len(given.dims) <= dimensions + 2:
        given = Shape(((None,) * (dimensions + 2 - len(given.dims)) + given.dims), False, given.given_by)
    return _normed(given, -dimensions - 1, channels, layer)


def _batch_norm_1d(settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    """Over `(N, C)` or `(N, C, L)`: of what may be either, a width that does not fit is a length."""
    channels = told_size(settings, "num_features")
    ranked(given, 2, 3)
    if given is None:
        return None
    if not given.is_open:
        return _normed(given, 1 - len(given.dims), channels, layer)
    if len(given.dims) == 2 and has_channels(given):
        return _normed(Shape((None, *given.dims), False, given.given_by), -2, channels, layer)
    width = given.dims[-1]
    if len(given.dims) == 1 and width is not None and channels is not None and width != channels:
        return Shape((None, channels, width), False, given.given_by)
    return given


def _normed(given: Shape, axis: int, wanted: Dim, layer: Value | None) -> Shape | None:
    """What is normalised keeps its shape. After a width that does not fit, none is certain."""
    expect(given, axis, wanted, replaced(given, axis, None))
    if dim_at(given, axis) is None:
        return replaced(given, axis, wanted, layer)
    return given


def _instance_norm(
    dimensions: int, settings: Settings, given: Shape | None, layer: Value | None
) -> Shape | None:
    """Torch looks at the number of features only where there are weights for them."""
    ranked(given, dimensions + 1, dimensions + 2)
    if given is None or settings["affine"] is not True:
        return given
    return _normed(given, -dimensions - 1, told_size(settings, "num_features"), layer)


def _group_norm(settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    """Over `(N, C, *)`."""
    if given is None:
        return None
    given = batched(given)
    if given.is_open or len(given.dims) < 2:
        return given
    return _normed(given, 1 - len(given.dims), told_size(settings, "num_channels"), layer)


def _layer_norm(settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    found = settings["normalized_shape"]
    sizes = found if isinstance(found, tuple) else (found,)
    wanted = [dim if type(dim) is int else None for dim in sizes]
    if given is None or (given.is_open and len(given.dims) < len(wanted)):
        return ending(wanted, layer) if given is None else given
    ranked(given, len(wanted), max(len(wanted), len(given.dims)))
    result: Shape | None = given
    for step in range(1, len(wanted) + 1):
        if result is not None:
            result = _normed(result, -step, wanted[-step], layer)
    return result


def _recurrent(settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    """The output of every step, of both directions; the last state has a shape of its own."""
    hidden = told_size(settings, "proj_size") or told_size(settings, "hidden_size")
    both = settings["bidirectional"]
    out = None if hidden is None or not isinstance(both, bool) else hidden * (1 + both)
    if given is None or not given.dims:
        return ending((out,), layer)
    after = with_dims(given, (*given.dims[:-1], out), layer)
    expect(given, -1, told_size(settings, "input_size"), after)
    ranked(given, 2, 3)
    return after


def _cell(settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    hidden = told_size(settings, "hidden_size")
    if given is None or not given.dims:
        return ending((hidden,), layer)
    after = with_dims(given, (*given.dims[:-1], hidden), layer)
    expect(given, -1, told_size(settings, "input_size"), after)
    return after


def _wide(name: str, settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    """Attention and transformer layers give as much as they are given."""
    width = told_size(settings, name)
    if given is None or not given.dims:
        return ending((width,), layer)
    after = with_dims(given, (*given.dims[:-1], width), layer)
    expect(given, -1, width, after)
    return after


def _flatten(settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    return flattened(given, _axis(settings, "start_dim"), _axis(settings, "end_dim"))


def _axis(settings: Settings, name: str) -> int:
    found = settings[name]
    if type(found) is not int:
        raise NotKnown
    return found


def _unflatten(settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    sizes = settings["unflattened_size"]
    if given is None or not isinstance(sizes, tuple):
        return None
    return unflattened(given, _axis(settings, "dim"), tuple(s if type(s) is int else None for s in sizes))


def _resized(settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    """`nn.Upsample` keeps the channels; how large the rest becomes is left open."""
    given = None if given is None else batched(given)
    if given is None or given.is_open or len(given.dims) < 3:
        return None
    return given._replace(dims=(*given.dims[:2], *(None for _ in given.dims[2:])))


def _pad(dimensions: int, settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    return None if given is None else padded(given, each(settings, "padding", 2 * dimensions))


def _shuffled(settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    """`(C r², H, W)` becomes `(C, H r, W r)`."""
    factor = told_size(settings, "upscale_factor")
    if given is None or factor is None or len(given.dims) < 3:
        return None
    index = place(given, -3)
    channels, height, width = given.dims[index:]
    out = channels // factor**2 if channels is not None and channels % factor**2 == 0 else None
    dims = (out, *(None if dim is None else dim * factor for dim in (height, width)))
    return with_dims(given, (*given.dims[:index], *dims))


def _loss(settings: Settings, given: Shape | None, layer: Value | None) -> Shape | None:
    """A number, unless it is told not to be reduced."""
    return SCALAR if settings["reduction"] in ("mean", "sum", "batchmean") else None


_LOSSES = (
    *("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "CrossEntropyLoss", "NLLLoss", "BCELoss"),
    *("BCEWithLogitsLoss", "KLDivLoss"),
)

UNCHANGED = words(
    """
    ReLU ReLU6 LeakyReLU ELU SELU CELU GELU SiLU Mish PReLU RReLU Sigmoid LogSigmoid Tanh Tanhshrink Softplus
    Softshrink Hardshrink Softsign Hardtanh Hardswish Hardsigmoid Threshold Identity Dropout Dropout1d
    Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout Softmin LocalResponseNorm ChannelShuffle Softmax
    Softmax2d LogSoftmax
    """
)
"""Layers whose output has the shape of their input."""

_OF_SIZES = layer_sizes.LAYERS


def _signature(name: str) -> str:
    return _OF_SIZES[name][0]


LAYERS: dict[str, tuple[str, _Layer]] = {
    "Linear": (_signature("Linear"), _linear),
    "Embedding": (_signature("Embedding"), _embedding),
    **{f"Conv{n}d": (_signature(f"Conv{n}d"), partial(convolution, n)) for n in (1, 2, 3)},
    **{
        f"ConvTranspose{n}d": (_signature(f"ConvTranspose{n}d"), partial(transposed_convolution, n))
        for n in (1, 2, 3)
    },
    "BatchNorm1d": (_signature("BatchNorm1d"), _batch_norm_1d),
    **{f"BatchNorm{n}d": (_signature(f"BatchNorm{n}d"), partial(_batch_norm, n)) for n in (2, 3)},
    **{f"InstanceNorm{n}d": (_signature(f"InstanceNorm{n}d"), partial(_instance_norm, n)) for n in (1, 2, 3)},
    "LayerNorm": (_signature("LayerNorm"), _layer_norm),
    "RMSNorm": (_signature("RMSNorm"), _layer_norm),
    "GroupNorm": (_signature("GroupNorm"), _group_norm),
    **{name: (_signature(name), _recurrent) for name in ("LSTM", "GRU", "RNN")},
    **{name: (_signature(name), _cell) for name in ("LSTMCell", "GRUCell", "RNNCell")},
    "MultiheadAttention": (_signature("MultiheadAttention"), partial(_wide, "embed_dim")),
    "TransformerEncoderLayer": (_signature("TransformerEncoderLayer"), partial(_wide, "d_model")),
    "TransformerDecoderLayer": (_signature("TransformerDecoderLayer"), partial(_wide, "d_model")),
    **{
        f"{prefix}Pool{n}d": (signature, partial(pool, _kind, n))
        for prefix, signature in POOL_LAYERS.items()
        for _kind in [{"Max": "max", "Avg": "avg"}.get(prefix, "adaptive")]
        for n in (1, 2, 3)
    },
    "Flatten": ("start_dim=1 end_dim=-1", _flatten),
    "Unflatten": ("dim unflattened_size", _unflatten),
    "Upsample": ("size=None scale_factor=None mode=0 align_corners=None", _resized),
    **{
        f"{kind}Pad{n}d": ("padding value=0", partial(_pad, n))
        for kind in ("Zero", "Constant", "Reflection", "Replication", "Circular")
        for n in (1, 2, 3)
    },
    "PixelShuffle": ("upscale_factor", _shuffled),
    **dict.fromkeys(_LOSSES, ("reduction=mean", _loss)),
}
"""For each layer its constructor's signature, as `layer_sizes` writes them, and what it makes of a shape."""
