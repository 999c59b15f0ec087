"""What functions of torch and methods of tensors make of shapes, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torchlore.analysis.layer_sizes import NotKnown
from torchlore.analysis.names import words
from torchlore.analysis.shapes import combining, layers, moving, reducing, reshaping
from torchlore.analysis.shapes.reading import first, rest, shape_of
from torchlore.analysis.shapes.shape import SCALAR, Shape
from torchlore.analysis.values import Arguments, Const, Tensor

Operation = Callable[[Arguments], "Shape | None"]
"""The shape of a result. The arguments are those of the function; of a method, its tensor comes first."""


def _same(arguments: Arguments) -> Shape:
    return first(arguments)


def _clamped(arguments: Arguments) -> Shape:
    """Bounds may be tensors, and then they are broadcast."""
    if any(isinstance(value, Tensor) for value in arguments.all()[1:]):
        raise NotKnown
    return first(arguments)


def _masked(arguments: Arguments) -> Shape | None:
    return combining.of_operands(arguments.positional[:2])


def _where(arguments: Arguments) -> Shape | None:
    """Of a condition alone it gives indices, as many as there may be."""
    return combining.elementwise(arguments) if len(arguments.positional) == 3 else None


def _new(arguments: Arguments) -> Shape:
    return Shape(rest(arguments, "size"))


def _loss(arguments: Arguments) -> Shape | None:
    """A number, unless it is told not to be reduced."""
    given = arguments.keywords
    reduction = given.get("reduction", Const("mean"))
    is_reduced = isinstance(reduction, Const) and reduction.value in ("mean", "sum", "batchmean")
    plain = is_reduced and not given.keys() & {"reduce", "size_average"} and len(arguments.positional) <= 2
    return SCALAR if plain else None


def _embedding(arguments: Arguments) -> Shape | None:
    weight = shape_of(arguments.get(1, "weight"))
    width = weight.dims[1] if weight is not None and len(weight.dims) == 2 else None
    return layers.looked_up(shape_of(arguments.get(0, "input")), width)


_SAME = words(
    """
    clone contiguous detach to cpu cuda float double half bfloat16 long int short bool byte type type_as
    requires_grad_ zeros_like ones_like empty_like rand_like randn_like full_like randint_like
    abs neg negative exp exp2 log log2 log10 log1p expm1 sqrt rsqrt square sin cos tan tanh sinh cosh asin
    acos atan sigmoid erf reciprocal sign ceil floor round trunc frac nan_to_num
    relu relu6 leaky_relu elu selu celu gelu silu mish softplus softsign hardtanh hardswish hardsigmoid
    logsigmoid threshold softmax log_softmax normalize dropout dropout1d dropout2d dropout3d alpha_dropout
    layer_norm group_norm batch_norm instance_norm rms_norm cumsum cumprod logcumsumexp flip roll fliplr
    flipud tril triu sort argsort cummax cummin logical_not isnan isinf isfinite scatter scatter_add
    index_fill index_add pin_memory bernoulli
    """
)
"""The result has the shape of what the function is applied to."""

_ELEMENTWISE = words(
    """
    add sub subtract mul multiply div divide true_divide floor_divide remainder fmod pow maximum minimum
    eq ne lt le gt ge less greater less_equal greater_equal not_equal logical_and logical_or logical_xor
    atan2
    """
)

_REDUCE = words(
    """
    sum mean prod std var amax amin all any argmax argmin logsumexp max min nansum nanmean median nanmedian
    """
)

_LOSSES = words(
    """
    mse_loss l1_loss smooth_l1_loss huber_loss cross_entropy nll_loss binary_cross_entropy
    binary_cross_entropy_with_logits kl_div
    """
)

OPERATIONS: dict[str, Operation] = {
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys(_ELEMENTWISE, combining.elementwise),
    **dict.fromkeys(_REDUCE, reducing.reduced),
    **dict.fromkeys(_LOSSES, _loss),
    **dict.fromkeys(("new_zeros", "new_ones", "new_empty"), _new),
    **dict.fromkeys(("clamp", "clip", "clamp_min", "clamp_max"), _clamped),
    **dict.fromkeys(("view", "reshape"), reshaping.view),
    **dict.fromkeys(("view_as", "reshape_as", "expand_as"), reshaping.view_as),
    **dict.fromkeys(("transpose", "swapaxes", "swapdims"), reshaping.transpose),
    **dict.fromkeys(("matmul", "mm", "bmm", "mv"), combining.matmul),
    **dict.fromkeys(("cat", "concat", "concatenate"), combining.cat),
    **{
        f"{kind}_pool{n}d": partial(moving.pool_function, kind, n)
        for kind in ("max", "avg", "adaptive_avg", "adaptive_max")
        for n in (1, 2, 3)
    },
    "where": _where,
    "masked_fill": _masked,
    "flatten": reshaping.flatten,
    "unflatten": reshaping.unflatten,
    "squeeze": reshaping.squeeze,
    "unsqueeze": reshaping.unsqueeze,
    "permute": reshaping.permute,
    "t": reshaping.transposed,
    "expand": reshaping.expand,
    "repeat": reshaping.repeat,
    "chunk": reshaping.chunk,
    "split": reshaping.split,
    "unbind": reshaping.unbind,
    "select": reshaping.select,
    "narrow": reshaping.narrow,
    "index_select": reshaping.index_select,
    "one_hot": reshaping.one_hot,
    "pad": reshaping.pad,
    "norm": reducing.normed,
    "topk": reducing.chosen,
    "gather": reducing.gathered,
    "stack": combining.stack,
    "linear": combining.linear,
    "scaled_dot_product_attention": combining.attention,
    "embedding": _embedding,
}

FROM_NOTHING = (
    words(
        """
    view reshape flatten permute expand one_hot embedding linear new_zeros new_ones new_empty view_as
    reshape_as expand_as gather sum mean prod std var all any max min amax amin argmax argmin norm
    """
    )
    | _LOSSES
)
"""Operations whose result tells something also where nothing is known of what they are applied to."""
