"""What the analysis knows of torch by name: which classes make modules, which functions cut the graph.

Facts of torch's public interface (2.13), not names that users choose. Every name is its public spelling (see
`torch_names`).
"""

from __future__ import annotations

import re
import sys

from torchlore.analysis import libraries
from torchlore.analysis.names import words

_CLASS = re.compile(r"\A_?[A-Z]\w*\Z")

_NOT_MODULES = frozenset({"Parameter", "Buffer", "UninitializedParameter", "UninitializedBuffer"})

_MODULE_HOMES = ("torch.nn.", "torch.ao.nn.")

ALIASES = {
    "torch.nn.parallel.DistributedDataParallel",
    "torch.nn.DataParallel",
    "torch.distributed.fsdp.FullyShardedDataParallel",
    "torch.distributed.fsdp.fully_shard",
    "torch.compile",
    "torch.jit.script",
    "torch.jit.trace",
    "torch.distributed.tensor.parallel.parallelize_module",
    "torch.nn.SyncBatchNorm.convert_sync_batchnorm",
    "torch.nn.utils.parametrizations.weight_norm",
    "torch.nn.utils.parametrizations.spectral_norm",
    "torch.nn.utils.weight_norm",
    "torch.nn.utils.spectral_norm",
    "tqdm.tqdm",
    "tqdm.trange",
    "tqdm.auto.tqdm",
    "tqdm.notebook.tqdm",
    "tqdm.rich.tqdm",
}
"""Callables whose result stands for their first argument: the same parameters, the same items."""

COPIES = {"torch.optim.swa_utils.AveragedModel"}
"""Modules that hold a changed copy of the module they are made of."""

NO_GRAD = {"torch.no_grad", "torch.inference_mode"}
ENABLE_GRAD = {"torch.enable_grad"}
SET_GRAD = {"torch.set_grad_enabled"}

CLASSES = words(
    """
    torch.autocast torch.device torch.enable_grad torch.finfo torch.iinfo torch.inference_mode torch.no_grad
    torch.set_grad_enabled torch.amp.autocast torch.cpu.amp.autocast torch.cuda.amp.autocast
    """
)
"""Classes that are spelled like functions."""

ACTIVATIONS = {
    "torch.sigmoid": "sigmoid",
    "torch.nn.functional.sigmoid": "sigmoid",
    "torch.special.expit": "sigmoid",
    "torch.nn.Sigmoid": "sigmoid",
    "torch.softmax": "softmax",
    "torch.nn.functional.softmax": "softmax",
    "torch.special.softmax": "softmax",
    "torch.nn.Softmax": "softmax",
    "torch.nn.Softmax2d": "softmax",
    "torch.log_softmax": "log_softmax",
    "torch.nn.functional.log_softmax": "log_softmax",
    "torch.special.log_softmax": "log_softmax",
    "torch.nn.LogSoftmax": "log_softmax",
}
"""Functions and modules that make probabilities, or their logarithms, and which."""

LOSSES = {
    "torch.nn.functional.cross_entropy": "cross_entropy",
    "torch.nn.CrossEntropyLoss": "cross_entropy",
    "torch.nn.functional.nll_loss": "nll_loss",
    "torch.nn.NLLLoss": "nll_loss",
    "torch.nn.functional.binary_cross_entropy": "binary_cross_entropy",
    "torch.nn.BCELoss": "binary_cross_entropy",
    "torch.nn.functional.binary_cross_entropy_with_logits": "binary_cross_entropy_with_logits",
    "torch.nn.BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "torch.nn.functional.kl_div": "kl_div",
    "torch.nn.KLDivLoss": "kl_div",
}
"""Losses that expect logits, probabilities or log-probabilities, by the function that computes them."""

RESHAPES = words(
    """
    view reshape flatten squeeze unsqueeze transpose permute contiguous t clone to cpu cuda float
    double half bfloat16 type type_as expand unflatten view_as reshape_as swapaxes movedim
    """
)
"""Tensor methods (and functions) that keep every value, so that a softmax stays a softmax."""

NOT_DIFFERENTIABLE = words(
    """
    argmax argmin argsort eq ne lt le gt ge equal isnan isinf isfinite isclose allclose logical_and
    logical_or logical_not logical_xor count_nonzero nonzero bincount long int short bool byte
    detach detach_ numel size dim histc randint zeros ones zeros_like
    ones_like rand rand_like randn_like empty empty_like full full_like arange linspace one_hot
    searchsorted bucketize multinomial any all from_numpy tensor as_tensor randn randperm
    eye new_zeros new_ones new_tensor new_full
    """
)
"""Functions and methods whose result carries no graph."""

MODULE_MEMBERS = words(
    """
    buffers eval get_submodule modules named_buffers named_children named_modules named_parameters parameters
    register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook to_empty
    """
)
"""Members of `nn.Module` that neither tensors nor optimizers nor everyday objects have."""

TENSOR_MEMBERS = words(
    """
    backward contiguous detach detach_ expand_as grad_fn index_select is_leaf log_softmax masked_fill
    masked_fill_ masked_select new_zeros permute requires_grad_ retain_grad scatter_ sigmoid softmax unsqueeze
    unsqueeze_ view_as
    """
)
"""Members of tensors that neither modules nor optimizers, everyday objects or NumPy's arrays have."""

TO_PYTHON = words(
    """
    item tolist numpy size dim numel ndimension element_size data_ptr is_contiguous stride
    """
)
"""Tensor methods that leave torch."""

_PARAMETRIC = re.compile(
    r"\A(?:Lazy)?(?:Linear|Bilinear|Conv(?:Transpose)?[123]d|BatchNorm\w+|LayerNorm|GroupNorm|RMSNorm|Embedding(?:Bag)?"
    r"|RNN|LSTM|GRU|RNNCell|LSTMCell|GRUCell|MultiheadAttention|Transformer\w*|PReLU)\Z"
)

_NOT_TENSOR_FUNCTIONS = re.compile(
    r"\Atorch\.(?:is_\w+|get_\w+|set_\w+|load|save|manual_seed|seed|initial_seed|compile|device|use_deterministic\w*"
    r"|are_\w+|typename|numel|finfo|iinfo|Generator|Size|vmap|export|import_ir_module|fork|wait|jit\.\w+)\Z"
)
_TENSOR_HOMES = ("torch.", "torch.nn.functional.", "torch.special.", "torch.linalg.", "torch.fft.")


def is_class_name(dotted: str) -> bool:
    return _CLASS.match(dotted.rpartition(".")[2]) is not None


def is_optimizer(dotted: str) -> bool:
    """Whether `dotted` names an optimizer class (`torch.optim.SGD`)."""
    head, _, last = dotted.rpartition(".")
    return head == "torch.optim" and _CLASS.match(last) is not None


def is_scheduler(dotted: str) -> bool:
    return dotted.startswith("torch.optim.lr_scheduler.") and is_class_name(dotted)


def is_scaler(dotted: str) -> bool:
    return dotted.startswith("torch.") and dotted.rpartition(".")[2] in {"GradScaler", "ShardedGradScaler"}


def is_module(dotted: str) -> bool:
    """Whether calling `dotted` makes an `nn.Module` (a class of torch.nn)."""
    head, _, last = dotted.rpartition(".")
    if dotted in COPIES:
        return True
    if not dotted.startswith(_MODULE_HOMES) or ".init." in dotted or ".utils." in dotted:
        return False
    return _CLASS.match(last) is not None and last not in _NOT_MODULES and ".functional" not in head


def is_loss(dotted: str) -> bool:
    return dotted.startswith("torch.nn.") and dotted.endswith("Loss")


def is_loader(dotted: str) -> bool:
    return dotted == "torch.utils.data.DataLoader"


def is_dataset(dotted: str) -> bool:
    return dotted.startswith("torch.utils.data.") and dotted.endswith(("Dataset", ".Subset"))


def is_sampler(dotted: str) -> bool:
    return dotted.startswith("torch.utils.data.") and dotted.endswith("Sampler")


def is_tensor_type(dotted: str) -> bool:
    """`torch.Tensor` and its legacy kin (`torch.LongTensor`): called, they make a tensor."""
    return re.fullmatch(r"torch\.(?:cuda\.)?\w*Tensor", dotted) is not None


def is_parameter(dotted: str) -> bool:
    return dotted.startswith("torch.nn.") and dotted.endswith(".Parameter")


PLAIN_LAYERS = words(
    """
    AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AvgPool1d
    AvgPool2d AvgPool3d BatchNorm1d BatchNorm2d BatchNorm3d Bilinear Conv1d Conv2d Conv3d ConvTranspose1d
    ConvTranspose2d ConvTranspose3d Dropout Dropout1d Dropout2d Dropout3d ELU Embedding EmbeddingBag Flatten
    GELU GRU GRUCell GroupNorm Identity InstanceNorm1d InstanceNorm2d InstanceNorm3d LSTM LSTMCell LayerNorm
    LeakyReLU Linear LogSoftmax MaxPool1d MaxPool2d MaxPool3d Mish PReLU PixelShuffle RMSNorm RNN RNNCell
    ReLU SELU SiLU Sigmoid Softmax Softplus SyncBatchNorm Tanh Unflatten
    """
)
"""Layers of `torch.nn` that hold no other module, and of which none derives from another one."""

_HOLDERS = words("Sequential ModuleList ModuleDict")


def is_plain_layer(dotted: str) -> bool:
    """Whether `dotted` names a class of modules that hold no other module."""
    head, _, last = dotted.rpartition(".")
    return head == "torch.nn" and last in PLAIN_LAYERS


def derives(dotted: str, base: str) -> bool | None:
    """Whether a module or scheduler of torch is of class `base`; None where that is not known here."""
    if dotted == base or (base == "torch.nn.Module" and is_module(dotted)):
        return True
    if is_scheduler(dotted) and is_scheduler(base):  # none derives from another one but the base of all
        return base.rpartition(".")[2] in ("LRScheduler", "_LRScheduler")
    return False if _stands_apart(base) and (_stands_apart(dotted) or dotted == "torch.nn.Module") else None


def _stands_apart(dotted: str) -> bool:
    head, _, last = dotted.rpartition(".")
    return head == "torch.nn" and (last in PLAIN_LAYERS or last in _HOLDERS)


def has_parameters(dotted: str) -> bool:
    """Whether instances of this class own parameters that require gradients."""
    known = libraries.family(dotted)
    return known.trains if known is not None else _PARAMETRIC.match(dotted.rpartition(".")[2]) is not None


def returns_tensor(dotted: str) -> bool:
    """Whether calling this torch function gives a tensor, as most do."""
    head, _, last = dotted.rpartition(".")
    return (
        f"{head}." in _TENSOR_HOMES and not _CLASS.match(last) and _NOT_TENSOR_FUNCTIONS.match(dotted) is None
    )


def keeps_its_hands_off(dotted: str) -> bool:
    """Whether code behind this name clears no gradients and keeps no hold of what it is given.

    True of builtins, the standard library, torch and the libraries of which `libraries` says so: none of
    them clears gradients but where its name says so, which the interpreter handles before it asks.
    """
    package = dotted.partition(".")[0]
    if package in _HARMLESS or package in sys.stdlib_module_names:
        return True
    return libraries.keeps_its_hands_off(dotted)


_HARMLESS = frozenset({"builtins", "torch", "tqdm", "matplotlib"})
