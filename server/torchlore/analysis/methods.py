"""Calls of methods, and of objects, whose class is not of the file."""

from __future__ import annotations

import ast
from typing import Literal

from torchlore.analysis import (
    calls,
    containers,
    functions,
    layers,
    library_calls,
    loaders,
    members,
    module_methods,
    partials,
    plain,
    sequential,
    targets,
    tensors,
    torch_facts,
    torch_methods,
    unknown_methods,
)
from torchlore.analysis.events import Kind
from torchlore.analysis.names import words
from torchlore.analysis.partials import Partial
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import options, tokens_of, tokens_of_all
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    Batch,
    Const,
    Container,
    Function,
    Grads,
    Instance,
    Iterable,
    LocalClass,
    Number,
    OneOf,
    Params,
    Ref,
    Super,
    Tensor,
    Unknown,
    Value,
)

_PLAIN_DECORATORS = (
    *("functools.", "builtins.", "torch.", "typing", "abc.", "atexit.", "overload"),
    *("contextlib.contextmanager", "contextlib.asynccontextmanager"),
    *("pytest.mark.", "unittest.skip", "unittest.expectedFailure"),
)


def is_plain_decorator(decorator: Value) -> bool:
    """Whether a decorated function still runs as it is written."""
    name = decorator.name if isinstance(decorator, Ref) else _class_of(decorator)
    return name.startswith(_PLAIN_DECORATORS)


def _class_of(value: Value) -> str:
    if isinstance(value, Instance) and isinstance(value.cls, str):
        return value.cls
    return value.made_by if isinstance(value, Unknown) else ""


def decorated_grad(run: Run, decorators: tuple[Value, ...]) -> bool | Literal["same"] | None:
    """The grad mode that decorators set; "same" where they set none."""
    grad: bool | Literal["same"] | None = "same"
    for decorator in decorators:
        name = decorator.name if isinstance(decorator, Ref) else _class_of(decorator)
        if name in torch_facts.NO_GRAD:
            grad = False
        elif name in torch_facts.ENABLE_GRAD:
            grad = True
        elif name in torch_facts.SET_GRAD:
            grad = None
    return grad


def is_forward(function: Function) -> bool:
    """Whether this is the `forward` of a module."""
    return (
        isinstance(function.node, ast.FunctionDef)
        and function.node.name == "forward"
        and function.owner is not None
        and members.kind_of_class(function.owner) == "Module"
    )


def call_method(run: Run, receiver: Value, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """Calls a method that is not code of the file."""
    if run.patched_methods and isinstance(receiver, _OF_TORCH) and is_patched(run, name):
        return call_patched(run, receiver, arguments, node)
    if isinstance(receiver, Instance):
        return _call_instance_method(run, receiver, name, arguments, node)
    match receiver:
        case Super(receiver=inner):
            if name in ("__init__", "__new__", "__init_subclass__"):
                run.emit(Kind.SUPER_INIT, node, subject=inner)
                if isinstance(inner, Instance) and members.class_name(inner) not in ("", "torch.nn.Module"):
                    inner.arguments = arguments
                return Const(None)
            if name.startswith("_"):  # a private method of a base may do what its constructor does
                run.escape(node, [inner])
            if isinstance(inner, Instance):
                return _call_instance_method(run, inner, name, arguments, node)
            return Unknown()
        case Tensor() | Batch():
            tensor = receiver if isinstance(receiver, Tensor) else Tensor(attached=False, certain=False)
            return torch_methods.call_tensor_method(run, tensor, name, arguments, node)
        case LocalClass() if name == "apply":
            return _apply_operation(run, receiver, arguments, node)
        case Container():
            return containers.call_method(run, receiver, name, arguments, node)
        case Grads(owners=owners):
            if name in ("zero_", "fill_"):
                for module in owners or [None]:
                    run.emit(Kind.CLEAR, node, subject=module)
            elif name.endswith("_") and name != "detach_":
                for module in owners or [None]:
                    run.emit(Kind.WRITE_GRADS, node, subject=module)
            return receiver if name in ("data", "detach", "clone", "detach_") else Tensor(attached=False)
        case Params(owners=owners) if name in ("requires_grad_", "detach_"):
            flag = arguments.get(0, "requires_grad") or Const(name == "requires_grad_")
            for module in owners or [None]:
                targets.freeze(run, node, module, flag)
            return receiver
        case Params(one=True):
            tensor = tensors.of_parameter(receiver)
            return torch_methods.call_tensor_method(run, tensor, name, arguments, node)
        case Partial(callee=callee) if name == "__call__":
            return calls.call_value(run, callee, partials.completed(receiver, arguments), node)
        case Plain(kind=kind):
            return _call_plain_method(run, kind, name, arguments, node)
        case Const(value=literal):
            return _call_plain_method(run, plain.kind_of_literal(literal), name, arguments, node)
        case Number():
            return _call_plain_method(run, "number", name, arguments, node)
        case Iterable() | Params():
            return Unknown(tokens_of(receiver))
        case _:
            return unknown_methods.call(run, receiver, name, arguments, node)


_OF_TORCH = (Instance, Super, Tensor, Batch, Params, Grads)
"""Values whose methods are torch's, unless the program has put others in their place."""


def _apply_operation(run: Run, cls: LocalClass, arguments: Arguments, node: ast.expr) -> Value:
    """`apply` of an operation with a backward of its own: `forward` runs unrecorded."""
    forward = members.lookup(cls, "forward")
    if not isinstance(forward, Function):
        return Unknown(tokens_of_all(arguments.all()))
    context = [Unknown()] if members.lookup(cls, "setup_context") is None else []
    given = Arguments([*context, *arguments.positional], arguments.keywords, arguments.complete)
    with run.grad_mode(False):
        result = calls.call_function(run, forward, given, node)
    attached = tensors.graph(run, functions.attached([v for a in arguments.all() for v in options(a)]))
    return tensors.with_graph(result, attached)


def _call_plain_method(run: Run, kind: str, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """A method of something that is not torch's: it may call what it is given, and keeps its hands off it."""
    functions.call_back(run, arguments, node)
    if kind == "argparse.ArgumentParser" and name in _PARSES:
        made = run.make(node, "argparse.Namespace")  # whose attributes may be set later
        return Container("tuple", [made, Container("list", None, plain.STR)], made) if _PARSES[name] else made
    found = plain.call(kind, name)
    return found if found is not None else Unknown(tokens_of_all(arguments.all()), made_by=kind)


def is_patched(run: Run, name: str) -> bool:
    """Whether the program has put another method of this name on some class of torch."""
    return name in run.patched_methods or targets.ANY in run.patched_methods


def call_patched(run: Run, receiver: Value, arguments: Arguments, node: ast.expr) -> Value:
    """Calls a method of torch's that is another one now: it may do anything."""
    run.emit(Kind.HAVOC, node)
    run.escape(node, [receiver, *arguments.all()])
    return Unknown(tokens_of_all(arguments.all()))


def _call_instance_method(
    run: Run, receiver: Instance, name: str, arguments: Arguments, node: ast.expr
) -> Value:
    kind = members.kind_of(receiver)
    if name in ("__enter__", "__exit__", "enter_context"):
        run.grad = None  # contexts that are entered by hand end somewhere else
    known_method = library_calls.call_method(run, receiver, name, arguments, node)
    if known_method is not None:
        return known_method
    if isinstance(receiver.cls, LocalClass) and members.is_open(receiver.cls):
        run.escape(node, [receiver, *arguments.all()])
        if kind == "Unknown":
            return Unknown(tokens_of_all(arguments.all()))
    match kind:
        case "Module" | "Loss" | "Metric":
            return module_methods.call_module_method(run, receiver, name, arguments, node)
        case "Optimizer":
            return torch_methods.call_optimizer_method(run, receiver, name, arguments, node)
        case "GradScaler":
            return _call_scaler_method(run, receiver, name, arguments, node)
        case "Scheduler":
            return _call_scheduler_method(run, receiver, name, node)
        case "DataLoader" | "Dataset":
            return _call_loader_method(receiver, name)
        case "Device":
            return Unknown()
    if isinstance(receiver.cls, str) and receiver.cls.startswith("torch.distributions."):
        found = _call_distribution(run, receiver, name, arguments)
        if found is not None:
            return found
    if isinstance(receiver.cls, str) and torch_facts.keeps_its_hands_off(receiver.cls):
        found = plain.call(receiver.cls, name)
        return found if found is not None else Unknown(tokens_of_all(arguments.all()))
    if name.startswith("assert") and _is_test_case(receiver):  # it looks at what it is given
        functions.call_back(run, arguments, node)
    else:
        run.escape(node, [receiver, *arguments.all()])
    return Unknown(tokens_of_all(arguments.all()))


def _is_test_case(receiver: Instance) -> bool:
    """Whether the methods that a class does not define itself are those of `unittest`."""
    bases = members.imported_bases(receiver.cls) if isinstance(receiver.cls, LocalClass) else ()
    names = [base.name if isinstance(base, Ref) else "" for base in bases]
    return "unittest.TestCase" in names and all(name.startswith(("unittest.", "builtins.")) for name in names)


def _call_distribution(run: Run, receiver: Instance, name: str, arguments: Arguments) -> Value | None:
    """A method of a distribution that gives a tensor. A sample carries no graph, what is computed may."""
    made = list(receiver.arguments.all()) if receiver.arguments is not None else [Unknown()]
    tokens = tokens_of_all([*made, *arguments.all()])
    if name in ("sample", "sample_n"):
        return Tensor(False, tokens=tokens)
    if name not in _OF_DISTRIBUTIONS:
        return None
    inputs = [option for value in [*made, *arguments.all()] for option in options(value)]
    return Tensor(tensors.graph(run, functions.attached(inputs)), tokens=tokens)


_OF_DISTRIBUTIONS = words("rsample rsample_n log_prob cdf icdf entropy perplexity")
"""Methods of distributions that compute a tensor from what they were made of."""

_PARSES = {"parse_args": False, "parse_intermixed_args": False, "parse_known_args": True}
"""Methods of an argument parser that give a namespace, and whether they give what is left beside it."""


def _call_scheduler_method(run: Run, scheduler: Instance, name: str, node: ast.expr) -> Value:
    match name:
        case "step":
            run.emit(Kind.SCHEDULE, node, subject=scheduler)
            return Const(None)
        case "get_last_lr" | "get_lr":
            return Container("list", None, Number())
        case "state_dict":
            return Container("dict", None, Unknown())
        case _:
            return Const(None)


def _call_loader_method(receiver: Instance, name: str) -> Value:
    match name:
        case "__iter__":
            return Iterable(loaders.iterated(receiver))
        case "__getitem__":
            return loaders.iterated(receiver)
        case "__len__":
            return Number()
        case _:
            return Unknown()


def _call_scaler_method(run: Run, scaler: Instance, name: str, arguments: Arguments, node: ast.expr) -> Value:
    first = arguments.get(0, _SCALED.get(name, "")) or Unknown()
    if name == "step":
        for closure in arguments.positional[1:]:
            if isinstance(closure, Function):
                calls.call_function(run, closure, Arguments([], {}), node)
        run.emit_each(Kind.STEP, node, first)
        return Unknown()
    match name:
        case "scale":
            run.emit(Kind.SCALE, node, subject=scaler, value=first)
            return first
        case "unscale_":
            run.emit(Kind.UNSCALE, node, subject=scaler, value=first)
            return Const(None)
        case "update":
            run.emit(Kind.UPDATE, node, subject=scaler)
            return Const(None)
        case "get_scale" | "get_growth_factor" | "get_backoff_factor" | "get_growth_interval":
            return Number()
        case "is_enabled":
            return plain.BOOL
        case "state_dict":
            return Container("dict", None, Number())
        case _:
            return Const(None)


_SCALED = {"scale": "outputs", "unscale_": "optimizer", "step": "optimizer"}
"""The first parameter of methods of a gradient scaler."""


def call_torch_instance(run: Run, instance: Instance, arguments: Arguments, node: ast.expr) -> Value:
    """`criterion(out, y)`, `nn.Linear(3, 4)(x)`."""
    assert isinstance(instance.cls, str)
    if run.patched_methods and (is_patched(run, "__call__") or is_patched(run, "forward")):
        return call_patched(run, instance, arguments, node)
    name = instance.cls
    first = arguments.get(0, "input")
    if name in torch_facts.LOSSES:
        run.emit(Kind.LOSS, node, value=first, key=name)
    if name in torch_facts.ACTIVATIONS:
        return torch_methods.activated(run, name, first or Unknown(), node)
    known = library_calls.output(run, instance, arguments, node)
    if not members.is_module_like(instance):
        return known or Unknown(tokens_of_all(arguments.all()))
    if known is not None:
        result = known
    elif name == "torch.nn.Sequential":
        result = sequential.output(run, instance, arguments)
    else:
        result = layers.output(run, name, instance, arguments, node)
    result = module_output(run, instance, result, node)
    run.emit(Kind.FORWARD, node, subject=instance, value=result)
    return result


def module_output(run: Run, module: Instance, result: Value, node: ast.AST) -> Value:
    """The output of a module carries a graph where its parameters do and grad mode is on."""
    if isinstance(result, OneOf):
        return OneOf(tuple(module_output(run, module, option, node) for option in result.options))
    if isinstance(result, Container) and result.kind == "tuple":  # others may be changed in place elsewhere
        items = result.items and [module_output(run, module, item, node) for item in result.items]
        keyed = {key: module_output(run, module, item, node) for key, item in result.keyed.items()}
        return Container("tuple", items, module_output(run, module, result.element, node), keyed)
    if run.grad is False:
        return _detached(result)
    if isinstance(result, Tensor):
        attached = result.attached
        if isinstance(module.cls, str) and torch_facts.has_parameters(module.cls):
            attached = attached if module.frozen else True if module.frozen is False else attached or None
        attached = tensors.graph(run, attached)
        return tensors.like(result, attached, result.tokens | {node})
    if isinstance(result, Unknown):
        return Unknown(result.tokens | {node})
    return result


def _detached(value: Value) -> Value:
    if isinstance(value, Tensor):
        return tensors.like(value, False, value.tokens)
    return value
