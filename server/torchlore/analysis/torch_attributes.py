"""Attributes of torch's own objects."""

from __future__ import annotations

import ast

from torchlore.analysis import plain, submodules, torch_facts
from torchlore.analysis.names import words
from torchlore.analysis.shapes import following
from torchlore.analysis.values import (
    Arguments,
    BoundMethod,
    Const,
    Container,
    Grads,
    Instance,
    Number,
    Params,
    Ref,
    Tensor,
    Unknown,
    Value,
)

_BOOLS = words(
    """
    requires_grad is_cuda is_leaf is_sparse is_quantized is_mps is_meta is_cpu is_xpu retains_grad is_mkldnn
    is_nested is_sparse_csr
    """
)
_NUMBERS = words("ndim itemsize nbytes output_nr")
_SAME = words("T mT H mH real imag")

_PARAMETERS = words("weight bias in_proj_weight in_proj_bias bias_k bias_v")
_SIZES = words(
    """
    in_features out_features in_channels out_channels groups num_embeddings embedding_dim padding_idx
    input_size
    hidden_size num_layers embed_dim num_heads head_dim num_features eps momentum p num_groups num_channels
    kdim vdim d_model scale_factor upscale_factor negative_slope label_smoothing ignore_index proj_size
    """
)
"""Attributes of layers that keep a number that their constructor was given."""

_SWITCHES = words("training affine track_running_stats batch_first bidirectional inplace elementwise_affine")

_CONSTRUCTORS = {
    "Linear": ("in_features", "out_features", "bias"),
    "Bilinear": ("in1_features", "in2_features", "out_features"),
    "Conv1d": ("in_channels", "out_channels", "kernel_size", "stride", "padding"),
    "Conv2d": ("in_channels", "out_channels", "kernel_size", "stride", "padding"),
    "Conv3d": ("in_channels", "out_channels", "kernel_size", "stride", "padding"),
    "ConvTranspose2d": ("in_channels", "out_channels", "kernel_size", "stride", "padding"),
    "Embedding": ("num_embeddings", "embedding_dim", "padding_idx"),
    "LSTM": ("input_size", "hidden_size", "num_layers"),
    "GRU": ("input_size", "hidden_size", "num_layers"),
    "RNN": ("input_size", "hidden_size", "num_layers"),
    "BatchNorm1d": ("num_features", "eps", "momentum"),
    "BatchNorm2d": ("num_features", "eps", "momentum"),
    "LayerNorm": ("normalized_shape", "eps"),
    "GroupNorm": ("num_groups", "num_channels", "eps"),
    "MultiheadAttention": ("embed_dim", "num_heads", "dropout"),
    "Dropout": ("p", "inplace"),
}
"""The first parameters of the constructors whose arguments are kept as attributes."""


def of_tensor(owner: Tensor, attr: str, node: ast.AST) -> Value:
    """`tensor.attr`."""
    match attr:
        case "data":
            return Tensor(
                False,
                owner.certain,
                owner.activation,
                owner.made_at,
                dtype=owner.dtype,
                device=owner.device,
                made_by=owner.made_by,
                shape=owner.shape,
            )
        case "grad":
            return Grads(None)
        case "shape":
            return following.size_of(owner, Arguments([], {}))
        case "ndim":
            return following.rank_of(owner)
        case "dtype":
            return Ref(f"torch.{owner.dtype}") if owner.dtype else plain.of("torch.dtype")
        case "device":
            known = (
                Arguments([Const(owner.device)], {}) if owner.device and " or " not in owner.device else None
            )
            return Instance("torch.device", node, known)
        case _ if attr in _SAME:
            return Tensor(
                owner.attached,
                owner.certain,
                tokens=owner.tokens,
                dtype=owner.dtype,
                device=owner.device,
                shape=None if owner.shape is None else following.of_attribute(owner.shape, attr),
            )
        case _ if attr in _NUMBERS:
            return Number()
        case _ if attr in _BOOLS:
            return plain.BOOL
        case "layout" | "grad_fn" | "names":
            return plain.of(f"torch.Tensor.{attr}")
        case _:
            return BoundMethod(owner, attr)


def of_parameters(owner: Params, attr: str, node: ast.AST) -> Value:
    """An attribute of a parameter."""
    match attr:
        case "grad":
            return Grads(owner.owners)
        case "data" if owner.one:
            return Tensor(attached=False)
        case "data":
            return owner
        case "dtype":
            return plain.of("torch.dtype")
        case "device":
            return Instance("torch.device", node)
        case "shape":
            return Container("tuple", None, Number())
        case _ if attr in _BOOLS:
            return plain.BOOL
        case _ if attr in _NUMBERS:
            return Number()
        case _:
            return BoundMethod(owner, attr)


def of_module(owner: Instance, attr: str, name: str) -> Value | None:
    """An attribute that torch sets on modules of the class called `name`; None where it says nothing."""
    if attr in _PARAMETERS or attr.startswith(("weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l")):
        return Params(frozenset({owner}), one=True)
    if attr in ("running_mean", "running_var", "num_batches_tracked"):
        return Tensor(attached=False)
    named = submodules.named_child(owner, attr) if name == "torch.nn.Sequential" else None
    if named is not None:
        return named
    if attr == "module" and name in torch_facts.COPIES and owner.arguments is not None:
        return owner.arguments.get(0, "model")
    if attr in ("module", "_orig_mod"):  # what DDP(…), torch.compile(…) stand for
        return owner
    given = _argument(owner, attr, name.rpartition(".")[2])
    if given is not None:
        return given
    if attr in _SWITCHES:
        return plain.BOOL
    return Number() if attr in _SIZES and name != "torch.nn.Module" else None


def _argument(owner: Instance, attr: str, layer: str) -> Value | None:
    """The argument of the layer's constructor that it keeps under this name."""
    known = _CONSTRUCTORS.get(layer, ())
    if owner.arguments is None or attr not in known or attr == "bias":
        return None
    found = owner.arguments.get(known.index(attr), attr)
    return found if isinstance(found, Const | Number) else None


_HYPERPARAMETERS = words("lr initial_lr momentum dampening weight_decay eps alpha rho lr_decay")
"""What groups of parameters hold that is a number, in the optimizers of torch that have it."""


def of_optimizer(owner: Instance, attr: str) -> Value | None:
    match attr:
        case "param_groups":
            held: dict[object, Value] = {name: Number() for name in _HYPERPARAMETERS}
            group = Container("dict", None, Unknown(), {"params": Params(frozenset({owner})), **held})
            return Container("list", None, group)
        case "defaults":
            return Container("dict", None, Number())
        case _:
            return None


def of_device(owner: Instance, attr: str) -> Value | None:
    if attr == "type":
        kind = owner.arguments.get(0, "type") if owner.arguments is not None else None
        if isinstance(kind, Const) and isinstance(kind.value, str):
            return Const(kind.value.partition(":")[0])
        return plain.STR
    return Number() if attr == "index" else None
