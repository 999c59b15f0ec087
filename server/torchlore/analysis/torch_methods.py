"""Methods of torch's own classes: tensors, modules, optimizers."""

from __future__ import annotations

import ast
from collections.abc import Callable

from torchlore.analysis import (
    calls,
    expressions,
    operators,
    parameters,
    plain,
    targets,
    tensor_facts,
    tensors,
    torch_facts,
)
from torchlore.analysis.events import Kind, Path
from torchlore.analysis.names import words
from torchlore.analysis.queries import join, options, tokens_of
from torchlore.analysis.run import Run
from torchlore.analysis.shapes import following
from torchlore.analysis.shapes.shape import Shape
from torchlore.analysis.values import (
    NO_TOKENS,
    Arguments,
    Const,
    Container,
    Function,
    Instance,
    Iterable,
    Number,
    Tensor,
    Unknown,
    Value,
)


def activated(run: Run, name: str, value: Value, node: ast.expr) -> Tensor:
    """The output of softmax, log_softmax or sigmoid."""
    kind = torch_facts.ACTIVATIONS[name]
    if not isinstance(value, Tensor):
        return Tensor(tensors.graph(run, None), True, kind, node, tokens_of(value), made_by=name)
    attached = tensors.graph(run, value.attached)
    dtype = value.dtype if value.dtype in ("float32", "float64") else ""
    return Tensor(
        attached,
        True,
        kind,
        node,
        value.tokens,
        dtype=dtype,
        device=value.device,
        made_by=name,
        shape=value.shape,
    )


def call_tensor_method(run: Run, tensor: Tensor, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """A method of `torch.Tensor`."""
    if name in torch_facts.TO_PYTHON or name in tensor_facts.IS_QUESTIONS:
        return _to_python(tensor, name, arguments)
    special = _SPECIAL.get(name)
    if special is not None:
        return special(run, tensor, arguments, node)
    if name in _ACTIVATIONS:
        return activated(run, f"torch.{name}", tensor, node)
    if name.endswith("_") and not name.startswith("__"):
        if tensor.leaf:
            tensors.change_leaf(run, node, tensor)
        targets.overwrite(run, tensor, join([*arguments.all()]) if arguments.positional else Number())
        if name in _RESHAPE_IN_PLACE:
            tensors.forget_shape(run, tensor)
        return tensor
    shape = following.of_method(run, tensor, name, arguments, node)
    if name in torch_facts.RESHAPES:
        return _reshaped(run, tensor, name, arguments, shape)
    return _computed(run, tensor, name, arguments, shape)


_ACTIVATIONS = frozenset({"softmax", "log_softmax", "sigmoid"})

_RESHAPE_IN_PLACE = words(
    """
    resize_ resize_as_ set_ squeeze_ unsqueeze_ t_ transpose_ swapaxes_ swapdims_ as_strided_ rename_
    """
)
"""Methods after which a tensor has another shape; all others that work in place keep it."""


def _to_python(tensor: Tensor, name: str, arguments: Arguments) -> Value:
    match name:
        case "numpy":
            return plain.NDARRAY
        case "size":
            return following.size_of(tensor, arguments)
        case "dim" | "ndimension":
            return following.rank_of(tensor)
        case "stride" if not arguments.positional and not arguments.keywords:
            return Container("tuple", None, Number())
        case "tolist":
            return Container("list", None, Unknown())
        case _ if name in tensor_facts.IS_QUESTIONS:
            return plain.BOOL
        case _:
            return Number()


def _backward(run: Run, tensor: Tensor, arguments: Arguments, node: ast.expr) -> Value:
    keeps = (
        bool({"retain_graph", "create_graph"} & arguments.keywords.keys()) or len(arguments.positional) > 1
    )
    run.emit(Kind.BACKWARD, node, subject=tensor, value=tensor, keeps_graph=keeps)
    return Const(None)


def _require_grad(run: Run, tensor: Tensor, arguments: Arguments, node: ast.expr) -> Value:
    flag = arguments.get(0, "requires_grad")
    tensors.keep_past(run, tensor)
    tensor.leaf = tensor.attached is False
    tensor.attached = True if flag is None or expressions.truth(flag) else None
    return tensor


def _log(run: Run, tensor: Tensor, arguments: Arguments, node: ast.expr) -> Value:
    if tensor.activation != "softmax":
        return _computed(run, tensor, "log", arguments, tensor.shape)
    return activated(run, "torch.log_softmax", tensor, node)


def _detach_in_place(run: Run, tensor: Tensor, arguments: Arguments, node: ast.expr) -> Value:
    if tensor.attached is not False:
        tensors.keep_past(run, tensor)
        tensor.attached = False
    return tensor


def _detach(run: Run, tensor: Tensor, arguments: Arguments, node: ast.expr) -> Value:
    return tensors.like(tensor, False, NO_TOKENS)


def _leave(run: Run, tensor: Tensor, arguments: Arguments, node: ast.expr) -> Value:
    return Unknown()


def _type(run: Run, tensor: Tensor, arguments: Arguments, node: ast.expr) -> Value:
    """`x.type()` names the type, `x.type(torch.float16)` casts."""
    if not arguments.positional and not arguments.keywords:
        return plain.STR
    return _reshaped(run, tensor, "type", arguments, tensor.shape)


_SPECIAL: dict[str, Callable[[Run, Tensor, Arguments, ast.expr], Value]] = {
    "backward": _backward,
    "requires_grad_": _require_grad,
    "log": _log,
    "detach": _detach,
    "detach_": _detach_in_place,
    "type": _type,
    "register_hook": _leave,
    "register_post_accumulate_grad_hook": _leave,
    "storage": _leave,
    "untyped_storage": _leave,
}


def _reshaped(run: Run, tensor: Tensor, name: str, arguments: Arguments, shape: Shape | None) -> Tensor:
    """The same numbers in another shape (which is `shape`), dtype or place."""
    dtype, device = tensor.dtype, tensor.device
    match name:
        case "to":
            dtype, device = tensors.moved(tensor, arguments)
        case "cpu":
            device = "cpu"
        case "cuda":
            chosen = arguments.get(0, "device")
            device = "cuda" if chosen is None else tensors.device_named(chosen)
        case "type" | "view" if arguments.positional and tensors.dtype_named(arguments.positional[0]):
            dtype = tensors.dtype_named(arguments.positional[0])
        case "type":
            dtype = ""
        case "type_as" if arguments.positional:
            other = arguments.positional[0]
            dtype, device = (other.dtype, other.device) if isinstance(other, Tensor) else ("", "")
        case "view" if not all(map(tensors.is_size, arguments.positional)):
            dtype = ""
        case _:
            dtype = tensor_facts.CASTS.get(name, dtype)
    attached = tensor.attached if not dtype or dtype in tensor_facts.CARRY_GRAPH else False
    return Tensor(
        tensors.graph(run, attached),
        tensor.certain,
        tensor.activation,
        tensor.made_at,
        tensor.tokens,
        dtype=dtype,
        device=device,
        made_by=tensor.made_by,
        shape=shape,
    )


def _computed(run: Run, tensor: Tensor, name: str, arguments: Arguments, shape: Shape | None) -> Value:
    """What a method gives that computes something new, of this shape."""
    others = [v for a in arguments.all() for v in options(a)]
    found = [tensor, *(v for v in others if isinstance(v, Tensor))]
    dtype = tensors.result_dtype(name, found, arguments)
    device = tensors.result_device(found, arguments)
    made_by = f"torch.Tensor.{name}"
    if name in torch_facts.NOT_DIFFERENTIABLE:
        several = tensors.indices(name, arguments, device)
        if several is not None:
            return several
        return Tensor(False, tensor.certain, dtype=dtype, device=device, made_by=made_by, shape=shape)
    combined = operators.combine(tensor, join(others)) if others else tensor
    attached = combined.attached if isinstance(combined, Tensor) else tensor.attached
    tokens = tensor.tokens | tokens_of(join([tensor, *others]))
    plain_result = Tensor(
        tensors.graph(run, attached),
        tensor.certain,
        tokens=tokens,
        dtype=dtype,
        device=device,
        made_by=made_by,
        shape=shape,
    )
    if name in tensor_facts.SEVERAL:
        return Iterable(plain_result)
    if name in tensor_facts.ALWAYS_PAIRS or (name in tensor_facts.PAIRS and _asks_for_pair(arguments)):
        indices = Tensor(False, tensor.certain, dtype="int64", device=device, shape=shape)
        return named_pair(plain_result, indices)
    return plain_result


def named_pair(values: Tensor, indices: Tensor) -> Container:
    """What `max(dim)`, `sort` and their kin give: a tuple whose parts have names."""
    return Container("tuple", [values, indices], values, {"values": values, "indices": indices})


def _asks_for_pair(arguments: Arguments) -> bool:
    """`x.max(1)` and `x.max(dim=1)` give values and indices, `x.max()` and `x.max(other)` do not."""
    if not arguments.positional:
        return "dim" in arguments.keywords
    return not isinstance(arguments.positional[0], Tensor)


def call_optimizer_method(
    run: Run, optimizer: Instance, name: str, arguments: Arguments, node: ast.expr
) -> Value:
    """A method of `torch.optim.Optimizer`."""
    if name == "zero_grad":
        run.emit(Kind.CLEAR, node, subject=optimizer)
        return Const(None)
    if name == "step":
        closure = arguments.get(0, "closure")
        if isinstance(closure, Function):
            _run_closure(run, closure, node)
        elif isinstance(closure, Unknown):
            run.emit(Kind.HAVOC, node)
        run.emit(Kind.STEP, node, subject=optimizer)
        return Unknown()
    if name == "add_param_group" and arguments.positional and optimizer.arguments is not None:
        run.changes += 1
        optimizer.arguments = parameters.with_group(optimizer.arguments, arguments.positional[0])
        return Const(None)
    if name == "state_dict":
        return Container("dict", None, Unknown())
    if name.startswith("register_"):
        run.escape(node, [optimizer])
    return Unknown()


def _run_closure(run: Run, closure: Function, node: ast.AST) -> None:
    """Optimizers such as LBFGS evaluate the closure several times in one step."""
    path: Path = []
    with run.writing(path):
        calls.call_function(run, closure, Arguments([], {}), node)
    run.path.extend(path)
