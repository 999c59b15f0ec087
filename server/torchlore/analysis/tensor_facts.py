"""What torch's functions and methods do to the dtype of a tensor: facts of its public interface (2.13)."""

from __future__ import annotations

from torchlore.analysis.names import words

CASTS = {
    "float": "float32",
    "half": "float16",
    "double": "float64",
    "bfloat16": "bfloat16",
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "char": "int8",
    "byte": "uint8",
    "bool": "bool",
    "cfloat": "complex64",
    "cdouble": "complex128",
}
"""Methods that cast, and the other names of dtypes (`torch.half` is `torch.float16`)."""

LEGACY_TYPES = {
    "FloatTensor": "float32",
    "HalfTensor": "float16",
    "DoubleTensor": "float64",
    "BFloat16Tensor": "bfloat16",
    "LongTensor": "int64",
    "IntTensor": "int32",
    "ShortTensor": "int16",
    "CharTensor": "int8",
    "ByteTensor": "uint8",
    "BoolTensor": "bool",
}

PYTHON_TYPES = {"builtins.float": "float64", "builtins.int": "int64", "builtins.bool": "bool"}
"""What Python's own types mean where a dtype is asked for."""

DTYPES = frozenset(CASTS.values()) | words(
    """
    uint16 uint32 uint64 complex32 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu
    """
)

FLOATING = frozenset({"float16", "bfloat16", "float32", "float64"})
CARRY_GRAPH = FLOATING | {"complex32", "complex64", "complex128"}
"""Tensors of other dtypes can require no gradients."""
WHOLE = frozenset({"uint8", "int8", "int16", "int32", "int64"})

GIVE_BOOL = words(
    """
    eq ne lt le gt ge isnan isinf isfinite isclose isin isneginf isposinf isreal signbit logical_and
    logical_or
    logical_not logical_xor less greater less_equal greater_equal not_equal
    """
)
GIVE_INT64 = words(
    """
    argmax argmin argsort argwhere nonzero bincount count_nonzero searchsorted bucketize multinomial one_hot
    randperm tril_indices triu_indices randint
    """
)

KEEP = words(
    """
    view reshape flatten squeeze unsqueeze transpose permute contiguous t clone cpu cuda expand
    unflatten view_as
    reshape_as swapaxes swapdims movedim moveaxis ravel adjoint detach alias repeat repeat_interleave
    tile flip
    fliplr flipud roll rot90 chunk split unbind tensor_split hsplit vsplit dsplit index_select gather
    masked_select masked_fill take narrow select diagonal diag tril triu sort topk max min amax amin minimum
    maximum clamp clip clamp_min clamp_max relu neg negative zeros_like ones_like empty_like rand_like
    randn_like
    full_like randint_like new_zeros new_ones new_empty new_full new_tensor unique unfold pad expand_as
    broadcast_to scatter scatter_add index_add index_fill index_copy masked_scatter sign ceil floor
    round trunc
    fmod remainder dropout dropout1d dropout2d dropout3d alpha_dropout pin_memory xpu kthvalue mode cat concat
    concatenate stack hstack vstack dstack where lerp add sub subtract mul multiply relu6 leaky_relu elu
    max_pool1d max_pool2d max_pool3d adaptive_max_pool2d pixel_shuffle pixel_unshuffle channel_shuffle type_as
    retain_grad meshgrid broadcast_tensors block_diag aminmax nan_to_num threshold hardtanh cross dequantize
    fold
    """
)
"""The result has the dtype that the tensors given have in common."""

ARITHMETIC = words("add sub subtract mul multiply clamp clip clamp_min clamp_max where lerp fmod remainder")
"""Of these, those that take numbers too: with a float, a tensor of whole numbers becomes floating."""

KEEP_FLOAT = words(
    """
    exp exp2 log log2 log10 log1p expm1 sqrt rsqrt square sin cos tan tanh sinh cosh asin acos atan
    sigmoid erf
    reciprocal mean std var norm pow sum prod cumsum logsumexp softmax log_softmax logsigmoid softplus
    gelu silu
    mish selu celu hardswish hardsigmoid normalize mse_loss l1_loss smooth_l1_loss huber_loss nll_loss
    cross_entropy binary_cross_entropy binary_cross_entropy_with_logits kl_div median nanmean nansum
    interpolate avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d div true_divide dist
    layer_norm group_norm batch_norm instance_norm rms_norm
    """
)
"""So do these where that is float32 or float64; with others, autocast and promotion have a say."""

DEFAULT_FLOAT = words(
    "zeros ones empty rand randn eye linspace logspace normal hann_window hamming_window blackman_window"
)
"""Factories that give the default dtype where none is asked for."""

FACTORIES = (
    DEFAULT_FLOAT
    | words(
        "arange full tensor as_tensor asarray randint randperm tril_indices triu_indices range scalar_tensor"
    )
    | words("sparse_coo_tensor empty_strided")
)
"""Functions that make a tensor of no other one, on the default device where none is asked for."""

COPY = words("tensor as_tensor asarray scalar_tensor")
"""Of these, those that make it of numbers, or of tensors of one number each."""

PAIRS = words("max min topk sort kthvalue mode median cummax cummin")
"""Functions that give values and indices (some of them only where a dimension is given)."""

ALWAYS_PAIRS = words("topk sort kthvalue mode cummax cummin")

SEVERAL = words(
    "chunk split unbind tensor_split hsplit vsplit dsplit meshgrid broadcast_tensors unravel_index"
)
"""Functions that give a tuple of tensors."""

TUPLES = {
    "torch.linalg.svd": 3,
    "torch.svd": 3,
    "torch.svd_lowrank": 3,
    "torch.linalg.qr": 2,
    "torch.qr": 2,
    "torch.linalg.eigh": 2,
    "torch.linalg.eig": 2,
    "torch.linalg.slogdet": 2,
    "torch.slogdet": 2,
    "torch.linalg.lstsq": 4,
    "torch.linalg.lu": 3,
    "torch.frexp": 2,
    "torch.aminmax": 2,
    "torch.var_mean": 2,
    "torch.std_mean": 2,
    "torch.nn.functional.multi_head_attention_forward": 2,
    "torch.triangular_solve": 2,
}
"""Functions that give a tuple of so many tensors."""

IS_QUESTIONS = words(
    """
    is_contiguous is_floating_point is_complex is_pinned is_shared is_signed is_inference is_set_to
    equal allclose
    is_same_size is_conj is_neg is_nonzero
    """
)
"""Methods that give a Python bool."""

NUMBERS = words(
    "item dim numel ndimension element_size data_ptr get_device nelement storage_offset __len__ dense_dim"
)
"""Methods that give a Python number."""
