"""Methods of torch's own classes: tensors, modules, optimizers."""

from __future__ import annotations

import ast

from torchlore.analysis import calls, expressions, members, targets, torch_facts
from torchlore.analysis.events import Kind, Path
from torchlore.analysis.names import words
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
    Function,
    Instance,
    Iterable,
    Number,
    Params,
    Tensor,
    Unknown,
    Value,
    join,
    options,
    tokens_of,
)

_MODULE_MOVES = words(
    """
    to cuda cpu float double half bfloat16 type requires_grad_ share_memory apply to_empty xpu ipu
    compile
    """
)


def activated(name: str, value: Value, node: ast.expr) -> Tensor:
    """The output of softmax or log_softmax."""
    attached = value.attached if isinstance(value, Tensor) else None
    return Tensor(attached, True, torch_facts.SOFTMAX[name], node, tokens_of(value))


def call_tensor_method(run: Run, tensor: Tensor, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """A method of `torch.Tensor`."""
    if name == "backward":
        keeps = (
            bool({"retain_graph", "create_graph"} & arguments.keywords.keys())
            or len(arguments.positional) > 1
        )
        run.emit(Kind.BACKWARD, node, subject=tensor, value=tensor, keeps_graph=keeps)
        return Const(None)
    if name in torch_facts.TO_PYTHON:
        return Number() if name not in ("tolist", "numpy", "size", "stride") else Unknown()
    if name in ("softmax", "log_softmax"):
        return activated(f"torch.{name}", tensor, node)
    if name == "requires_grad_":
        flag = arguments.get(0, "requires_grad")
        tensor.attached = True if flag is None or expressions.truth(flag) else None
        return tensor
    if name == "log" and tensor.activation == "softmax":
        return Tensor(tensor.attached, tensor.certain, "log_softmax", node, tensor.tokens)
    if name == "detach_":
        tensor.attached = False
        return tensor
    if name.endswith("_") and not name.startswith("__"):
        targets.overwrite(tensor, join([*arguments.all()]) if arguments.positional else Number())
        return tensor
    if name in torch_facts.RESHAPES:
        return Tensor(tensor.attached, tensor.certain, tensor.activation, tensor.made_at, tensor.tokens)
    if name in torch_facts.NOT_DIFFERENTIABLE:
        return Tensor(attached=False, certain=tensor.certain)
    inputs = [tensor, *(v for a in arguments.all() for v in options(a))]
    result = expressions.combine(tensor, join(inputs[1:])) if len(inputs) > 1 else tensor
    attached = result.attached if isinstance(result, Tensor) else tensor.attached
    plain = Tensor(attached, tensor.certain, tokens=tensor.tokens | tokens_of(join(inputs)))
    if name in ("max", "min", "topk", "sort", "kthvalue", "mode", "median") and arguments.positional:
        return Container("tuple", [plain, Tensor(attached=False, certain=tensor.certain)], plain)
    if name in ("chunk", "split", "unbind", "tensor_split"):
        return Iterable(plain)
    if name in ("register_hook", "register_post_accumulate_grad_hook", "storage", "untyped_storage", "type"):
        return Unknown()
    return plain


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
    if name.startswith("register_"):
        run.escape(node, [optimizer])
    return Unknown()


def _run_closure(run: Run, closure: Function, node: ast.AST) -> None:
    """Optimizers such as LBFGS evaluate the closure several times in one step."""
    path: Path = []
    with run.writing(path):
        calls.call_function(run, closure, Arguments([], {}), node)
    run.path.extend(path)


def call_module_method(run: Run, module: Instance, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """A method of `torch.nn.Module`."""
    if name in ("forward", "__call__"):
        return calls.call_instance(run, module, arguments, node)
    if name == "zero_grad":
        run.emit(Kind.CLEAR, node, subject=module)
        return Const(None)
    if name in ("train", "eval"):
        run.emit(_mode(name, arguments), node, subject=module)
        return module
    if name == "requires_grad_":
        flag = arguments.get(0, "requires_grad")
        if flag is not None and expressions.truth(flag) is not True:
            targets.freeze(run, node, module, flag)
        return module
    if name in _MODULE_MOVES:
        run.escape(node, [v for v in arguments.all() if isinstance(v, Function)])
        return module
    if name == "parameters":
        return Params(frozenset({module}))
    if name == "named_parameters":
        owned = Params(frozenset({module}))
        return Iterable(Container("tuple", [Const(""), owned], owned))
    if name in ("children", "modules", "named_children", "named_modules"):
        return _submodules(module, name)
    if name in ("add_module", "register_module") and len(arguments.positional) == 2:
        key, value = arguments.positional
        if isinstance(key, Const):
            module.attributes[str(key.value)] = value
        run.emit(Kind.REGISTER, node, subject=module, value=value)
        return Const(None)
    if name in ("register_buffer", "register_parameter"):
        run.emit(
            Kind.REGISTER, node, subject=module, value=arguments.get(1, "tensor") or arguments.get(1, "param")
        )
        return Const(None)
    if name == "append" and arguments.positional and module.arguments is not None:
        module.arguments.positional.append(arguments.positional[0])
        module.arguments.complete = False  # perhaps on one branch only: its layers are no longer certain
        return module
    if name in ("insert", "extend", "pop") and module.arguments is not None:
        module.arguments.complete = False
        return module if name != "pop" else Unknown()
    if name.startswith("register_") and "hook" in name:
        run.escape(node, list(arguments.all()))
    return Unknown()


def _mode(name: str, arguments: Arguments) -> Kind:
    if name == "eval":
        return Kind.EVAL
    flag = arguments.get(0, "mode")
    holds = True if flag is None else expressions.truth(flag)
    return Kind.MODE if holds is None else Kind.TRAIN if holds else Kind.EVAL


def _submodules(module: Instance, name: str) -> Value:
    parts = [p for p in members.submodules(module) if not isinstance(p, Container)]
    inner = join(parts) if parts and members.class_name(module) == "torch.nn.Module" else Unknown()
    if name.startswith("named_"):
        return Iterable(Container("tuple", [Const(""), inner], inner))
    return Iterable(inner)
