"""How many parameters a layer of `torch.nn` has, from what its constructor was given.

The counts are those of torch 2.13; `tests/analysis/test_sizes.py` makes every layer and compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from math import prod

from torchlore.analysis.names import words
from torchlore.analysis.values import Arguments, Const, Container, Value

Settings = Mapping[str, object]
"""Constructor arguments by name: ints, bools, None, tuples of ints, and strings."""


class NotKnown(Exception):
    """Something that the count depends on is not known."""


def count(layer: str, arguments: Arguments) -> int:
    """The parameters of a layer that holds no other module.

    Args:
        layer: its class in `torch.nn`, without the module: "Linear".
        arguments: what its constructor is given.

    Raises:
        NotKnown: the class is none of those that we know, or depends on arguments that are not known.
    """
    if layer in WITHOUT_PARAMETERS:
        return 0
    if layer not in LAYERS or not arguments.complete:
        raise NotKnown
    signature, formula = LAYERS[layer]
    return formula(settings(signature, arguments))


def settings(signature: str, arguments: Arguments) -> Settings:
    """The arguments of a constructor by name; one that is not known raises `NotKnown` when it is asked for.

    Args:
        signature: the names in order, those with a default written `name=default`: a number, True, False,
            None, mean, or 0 for anything that nobody asks about.
        arguments: what the constructor is given.
    """
    return _Settings(_parsed(signature), arguments)


@cache
def _parsed(signature: str) -> dict[str, tuple[int, object]]:
    """The names, each with its place and its default; `_REQUIRED` where there is none."""
    pairs = (part.partition("=") for part in signature.split())
    return {name: (at, _default(text) if text else _REQUIRED) for at, (name, _, text) in enumerate(pairs)}


def _default(text: str) -> object:
    return _DEFAULTS[text] if text in _DEFAULTS else int(text)


_REQUIRED = object()


class _Settings(dict[str, object]):
    """The arguments of a constructor by name; one that is not known raises when it is asked for."""

    def __init__(self, parameters: dict[str, tuple[int, object]], arguments: Arguments) -> None:
        self._parameters = parameters
        self._arguments = arguments

    def __missing__(self, name: str) -> object:
        arguments, known = self._arguments, self._parameters.get(name)
        if known is None or len(arguments.positional) > len(self._parameters):
            raise NotKnown
        index, default = known
        if index < len(arguments.positional):
            given = arguments.positional[index]
        elif name in arguments.keywords:
            given = arguments.keywords[name]
        elif default is _REQUIRED:
            raise NotKnown
        else:
            return default
        return given.value if given.__class__ is Const else literal(given)


_DEFAULTS: dict[str, object] = {"True": True, "False": False, "None": None, "mean": "mean"}


def literal(value: Value) -> object:
    """A literal, or a tuple or list of literals.

    Raises:
        NotKnown: it is none.
    """
    match value:
        case Const(value=found):
            return found
        case Container(kind="tuple" | "list", items=list() as items):
            return tuple(literal(item) for item in items)
        case _:
            raise NotKnown


def _int(settings: Settings, name: str) -> int:
    found = settings[name]
    if type(found) is not int or found < 0:
        raise NotKnown
    return found


def _flag(settings: Settings, name: str) -> bool:
    found = settings[name]
    if not isinstance(found, bool):
        raise NotKnown
    return found


def _sizes(settings: Settings, name: str, dimensions: int = 1) -> int:
    """The product of a size for each dimension; one number stands for all of them."""
    found = settings[name]
    if type(found) is int:
        return prod([_natural(found)] * dimensions)
    if not isinstance(found, tuple) or not found or (dimensions > 1 and len(found) != dimensions):
        raise NotKnown
    return prod(_natural(size) for size in found)


def _natural(size: object) -> int:
    if type(size) is not int or size < 0:
        raise NotKnown
    return size


def _linear(settings: Settings) -> int:
    out = _int(settings, "out_features")
    return out * (_int(settings, "in_features") + _flag(settings, "bias"))


def _bilinear(settings: Settings) -> int:
    inputs = _int(settings, "in1_features") * _int(settings, "in2_features")
    return _int(settings, "out_features") * (inputs + _flag(settings, "bias"))


def _convolution(dimensions: int, settings: Settings) -> int:
    inputs, out = _int(settings, "in_channels"), _int(settings, "out_channels")
    groups = _int(settings, "groups")
    if not groups or inputs % groups or out % groups:  # torch raises
        raise NotKnown
    kernel = _sizes(settings, "kernel_size", dimensions)
    return inputs * out // groups * kernel + out * _flag(settings, "bias")


def _scale_and_shift(channels: str, switch: str, settings: Settings) -> int:
    if not _flag(settings, switch):
        return 0
    return _sizes(settings, channels) * (1 + _flag(settings, "bias"))


def _scale(settings: Settings) -> int:
    return _sizes(settings, "normalized_shape") * _flag(settings, "elementwise_affine")


def _embedding(settings: Settings) -> int:
    return _int(settings, "num_embeddings") * _int(settings, "embedding_dim")


def _recurrent(gates: int, settings: Settings) -> int:
    inputs, hidden = _int(settings, "input_size"), _int(settings, "hidden_size")
    projected = _int(settings, "proj_size")
    directions = 1 + _flag(settings, "bidirectional")
    output = projected or hidden
    total = 0
    for layer in range(_int(settings, "num_layers")):
        width = inputs if layer == 0 else output * directions
        one = gates * hidden * (width + output + 2 * _flag(settings, "bias")) + projected * hidden
        total += directions * one
    return total


def _cell(gates: int, settings: Settings) -> int:
    hidden = _int(settings, "hidden_size")
    return gates * hidden * (_int(settings, "input_size") + hidden + 2 * _flag(settings, "bias"))


def _attention(settings: Settings) -> int:
    width = _int(settings, "embed_dim")
    keys = width if settings["kdim"] is None else _int(settings, "kdim")
    values = width if settings["vdim"] is None else _int(settings, "vdim")
    weights = width * (width + keys + values + width)
    biases = 4 * width * _flag(settings, "bias")
    return weights + biases + 2 * width * _flag(settings, "add_bias_kv")


def _feed_forward(settings: Settings) -> int:
    width, inner = _int(settings, "d_model"), _int(settings, "dim_feedforward")
    return 2 * width * inner + (width + inner) * _flag(settings, "bias")


def _transformer_layer(attentions: int, settings: Settings) -> int:
    """Each attention, and the two linear layers, have a layer norm."""
    width, bias = _int(settings, "d_model"), _flag(settings, "bias")
    attention = 4 * width * (width + bias)
    norms = (attentions + 1) * width * (1 + bias)
    return attentions * attention + _feed_forward(settings) + norms


def _transformer(settings: Settings) -> int:
    if settings["custom_encoder"] is not None or settings["custom_decoder"] is not None:
        raise NotKnown
    encoder = _int(settings, "num_encoder_layers") * _transformer_layer(1, settings)
    decoder = _int(settings, "num_decoder_layers") * _transformer_layer(2, settings)
    return encoder + decoder + 2 * _int(settings, "d_model") * (1 + _flag(settings, "bias"))


def _slopes(settings: Settings) -> int:
    return _int(settings, "num_parameters")


_CONV = (
    "in_channels out_channels kernel_size stride=1 padding=0 dilation=1 groups=1 bias=True padding_mode=0 "
    "device=None dtype=None"
)
_TRANSPOSED = (
    "in_channels out_channels kernel_size stride=1 padding=0 output_padding=0 groups=1 bias=True dilation=1 "
    "padding_mode=0 device=None dtype=None"
)
_BATCH = "num_features eps=0 momentum=0 affine=True track_running_stats=True device=None dtype=None bias=True"
_INSTANCE = _BATCH.replace("affine=True", "affine=False")
_GATED = (
    "input_size hidden_size num_layers=1 bias=True batch_first=False dropout=0 bidirectional=False "
    "proj_size=0 device=None dtype=None"
)
_LAYER = (
    "d_model nhead dim_feedforward=2048 dropout=0 activation=None layer_norm_eps=0 batch_first=False "
    "norm_first=False bias=True device=None dtype=None"
)

LAYERS: dict[str, tuple[str, Callable[[Settings], int]]] = {
    "Linear": ("in_features out_features bias=True device=None dtype=None", _linear),
    "Bilinear": ("in1_features in2_features out_features bias=True device=None dtype=None", _bilinear),
    **{f"Conv{n}d": (_CONV, partial(_convolution, n)) for n in (1, 2, 3)},
    **{f"ConvTranspose{n}d": (_TRANSPOSED, partial(_convolution, n)) for n in (1, 2, 3)},
    **{f"BatchNorm{n}d": (_BATCH, partial(_scale_and_shift, "num_features", "affine")) for n in (1, 2, 3)},
    **{
        f"InstanceNorm{n}d": (_INSTANCE, partial(_scale_and_shift, "num_features", "affine"))
        for n in (1, 2, 3)
    },
    "LayerNorm": (
        "normalized_shape eps=0 elementwise_affine=True bias=True device=None dtype=None",
        partial(_scale_and_shift, "normalized_shape", "elementwise_affine"),
    ),
    "GroupNorm": (
        "num_groups num_channels eps=0 affine=True device=None dtype=None bias=True",
        partial(_scale_and_shift, "num_channels", "affine"),
    ),
    "RMSNorm": ("normalized_shape eps=None elementwise_affine=True device=None dtype=None", _scale),
    "Embedding": (
        "num_embeddings embedding_dim padding_idx=None max_norm=None norm_type=0 scale_grad_by_freq=False "
        "sparse=False",
        _embedding,
    ),
    "EmbeddingBag": (
        "num_embeddings embedding_dim max_norm=None norm_type=0 scale_grad_by_freq=False mode=0 sparse=False",
        _embedding,
    ),
    "RNN": (_GATED.replace("bias", "nonlinearity=0 bias", 1), partial(_recurrent, 1)),
    "LSTM": (_GATED, partial(_recurrent, 4)),
    "GRU": (_GATED, partial(_recurrent, 3)),
    "RNNCell": ("input_size hidden_size bias=True nonlinearity=0 device=None dtype=None", partial(_cell, 1)),
    "LSTMCell": ("input_size hidden_size bias=True device=None dtype=None", partial(_cell, 4)),
    "GRUCell": ("input_size hidden_size bias=True device=None dtype=None", partial(_cell, 3)),
    "MultiheadAttention": (
        "embed_dim num_heads dropout=0 bias=True add_bias_kv=False add_zero_attn=False kdim=None vdim=None "
        "batch_first=False device=None dtype=None",
        _attention,
    ),
    "TransformerEncoderLayer": (_LAYER, partial(_transformer_layer, 1)),
    "TransformerDecoderLayer": (_LAYER, partial(_transformer_layer, 2)),
    "Transformer": (
        "d_model=512 nhead=8 num_encoder_layers=6 num_decoder_layers=6 dim_feedforward=2048 dropout=0 "
        "activation=None custom_encoder=None custom_decoder=None layer_norm_eps=0 batch_first=False "
        "norm_first=False bias=True device=None dtype=None",
        _transformer,
    ),
    "PReLU": ("num_parameters=1 init=0 device=None dtype=None", _slopes),
}
"""For each layer the names of its arguments in order, with those defaults that count, and the formula."""

WITHOUT_PARAMETERS = words(
    """
    AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
    AdaptiveMaxPool3d AlphaDropout AvgPool1d AvgPool2d AvgPool3d BCELoss BCEWithLogitsLoss CELU CTCLoss
    ChannelShuffle CircularPad1d CircularPad2d CircularPad3d ConstantPad1d ConstantPad2d ConstantPad3d
    CosineEmbeddingLoss CosineSimilarity CrossEntropyLoss Dropout Dropout1d Dropout2d Dropout3d ELU
    FeatureAlphaDropout Flatten Fold FractionalMaxPool2d FractionalMaxPool3d GELU GLU GaussianNLLLoss
    Hardshrink Hardsigmoid Hardswish Hardtanh HingeEmbeddingLoss HuberLoss Identity KLDivLoss L1Loss LPPool1d
    LPPool2d LPPool3d LeakyReLU LocalResponseNorm LogSigmoid LogSoftmax MSELoss MarginRankingLoss MaxPool1d
    MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d Mish MultiLabelMarginLoss
    MultiLabelSoftMarginLoss MultiMarginLoss NLLLoss NLLLoss2d PairwiseDistance PixelShuffle PixelUnshuffle
    PoissonNLLLoss RReLU ReLU ReLU6 ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d
    ReplicationPad2d ReplicationPad3d SELU SiLU Sigmoid SmoothL1Loss SoftMarginLoss Softmax Softmax2d
    Softmin Softplus Softshrink Softsign Tanh Tanhshrink Threshold TripletMarginLoss
    TripletMarginWithDistanceLoss Unflatten Unfold Upsample UpsamplingBilinear2d UpsamplingNearest2d
    ZeroPad1d ZeroPad2d ZeroPad3d
    """
)
