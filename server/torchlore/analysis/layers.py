"""What comes out of torch's own modules."""

from __future__ import annotations

import ast

from torchlore.analysis import functions, tensors
from torchlore.analysis.names import words
from torchlore.analysis.queries import join, options, tokens_of_all
from torchlore.analysis.run import Run
from torchlore.analysis.shapes import following
from torchlore.analysis.values import Arguments, Const, Container, Instance, Tensor, Unknown, Value

_KEEP_DTYPE = words(
    """
    ReLU ReLU6 Identity Flatten Unflatten Dropout Dropout1d Dropout2d Dropout3d AlphaDropout MaxPool1d
    MaxPool2d
    MaxPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d PixelShuffle PixelUnshuffle
    LeakyReLU Hardtanh
    ELU Threshold ChannelShuffle ZeroPad2d ReflectionPad2d ReplicationPad2d ConstantPad2d
    """
)
_KEEP_FLOAT = words(
    """
    Sigmoid Tanh GELU SiLU Mish Softplus SELU CELU Hardswish Hardsigmoid Softmax LogSoftmax MSELoss L1Loss
    SmoothL1Loss HuberLoss CrossEntropyLoss NLLLoss BCELoss BCEWithLogitsLoss KLDivLoss AvgPool2d
    AdaptiveAvgPool2d
    Upsample
    """
)
"""Layers without parameters: the result has the dtype of the input (of the second: if autocast lets it)."""

PACKED = "torch.nn.utils.rnn.PackedSequence"


def output(run: Run, name: str, module: Instance, arguments: Arguments, node: ast.expr) -> Value:
    """What the module, of the torch class called `name`, makes of its input in the call `node`."""
    inputs = [v for a in arguments.all() for v in options(a)]
    tokens = tokens_of_all(inputs)
    last = name.rpartition(".")[2]
    if last in ("Module", "ScriptModule"):  # whatever module it is, its output may be anything
        return Tensor(tensors.graph(run, None), certain=False, tokens=tokens)
    if last == "Identity" and len(inputs) == 1 and isinstance(inputs[0], Tensor):
        return inputs[0]
    found = [value for value in inputs[:1] if isinstance(value, Tensor)]
    dtype = tensors.common_dtype(found) if found else ""
    if last not in _KEEP_DTYPE and (last not in _KEEP_FLOAT or dtype not in ("float32", "float64")):
        dtype = ""
    device = tensors.common_device([v for v in inputs if isinstance(v, Tensor)])
    attached = tensors.graph(run, functions.attached(inputs))
    shape = following.of_layer(run, module, arguments, node)

    def tensor() -> Tensor:
        return Tensor(attached, tokens=tokens, dtype=dtype, device=device, made_by=name, shape=shape)

    def state() -> Tensor:
        return Tensor(attached, tokens=tokens, dtype=dtype, device=device, made_by=name)

    match last:
        case "LSTM":
            return _pair(_sequence(inputs, tensor()), _pair(state(), state()))
        case "RNN" | "GRU":
            return _pair(_sequence(inputs, tensor()), state())
        case "LSTMCell":
            return _pair(tensor(), tensor())
        case "MultiheadAttention":
            flag = arguments.get(4, "need_weights")
            off = isinstance(flag, Const) and flag.value is False
            return _pair(tensor(), Const(None) if off else state())
        case _ if last.startswith(("MaxPool", "AdaptiveMaxPool")) and _returns_indices(module):
            return _pair(tensor(), Tensor(False, dtype="int64", device=device))
        case _:
            return tensor()


def _sequence(inputs: list[Value], plain_output: Tensor) -> Value:
    """A packed sequence goes in and comes out packed."""
    first = inputs[0] if inputs else Unknown()
    if isinstance(first, Instance) and first.cls == PACKED:
        return first
    if not isinstance(first, Tensor):
        return Unknown(plain_output.tokens)
    return plain_output


def _pair(first: Value, second: Value) -> Container:
    return Container("tuple", [first, second], join([first, second]))


def _returns_indices(module: Instance) -> bool:
    flag = module.arguments.keywords.get("return_indices") if module.arguments is not None else None
    return flag is not None and not (isinstance(flag, Const) and flag.value is False)
