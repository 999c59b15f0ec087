"""What code outside the file does when it is called: torch is known by name, the rest is unknown."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Literal

from torchlore.analysis import calls, expressions, members, targets, torch_facts, torch_methods
from torchlore.analysis.events import Kind
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
    Params,
    Ref,
    Super,
    Tensor,
    Unknown,
    Value,
    join,
    options,
    reachable,
    tokens_of,
)

_PLAIN_DECORATORS = ("functools.", "builtins.", "torch.", "typing", "abc.", "atexit.", "overload")


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


def call_imported(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """Calls something imported, by its dotted name."""
    first = arguments.positional[0] if arguments.positional else None
    if name in torch_facts.ALIASES:
        module = first or arguments.keywords.get("module") or arguments.keywords.get("model")
        return module or arguments.keywords.get("iterable") or Unknown()
    if name in torch_facts.SOFTMAX and not torch_facts.is_class_name(name):
        return torch_methods.activated(name, first or arguments.keywords.get("input") or Unknown(), node)
    if name in torch_facts.CROSS_ENTROPY and not torch_facts.is_class_name(name):
        run.emit(Kind.LOSS, node, value=first or arguments.keywords.get("input"), key=name)
    if name == "torch.autograd.backward":
        run.emit(Kind.BACKWARD, node, value=first or arguments.keywords.get("tensors"), keeps_graph=True)
        return Const(None)
    if name == "torch.autograd.grad":
        run.emit(Kind.DIFFERENTIATE, node, value=first or arguments.keywords.get("outputs"))
        return Iterable(Tensor())
    if name.endswith(".__init__"):  # nn.Module.__init__(self)
        run.emit(Kind.SUPER_INIT, node, subject=first or arguments.keywords.get("self"))
        return Const(None)
    if name.startswith("builtins."):
        return _call_builtin(run, name.removeprefix("builtins."), arguments, node)
    if name in ("itertools.chain", "itertools.chain.from_iterable"):
        return _chained(name, arguments)
    if name in ("copy.copy", "copy.deepcopy"):
        return _copied(first, node)
    if name == "functools.partial":
        return _partial(run, arguments, node)
    if torch_facts.is_parameter(name):
        return Tensor(attached=True, parameter=True)
    if name.startswith(("torch.", "torchvision.", "torchaudio.", "torch_geometric.")):
        return _call_torch(run, name, arguments, node)
    return _call_foreign(run, name, arguments, node)


def _call_torch(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """A class of torch makes an object, a function of torch most often a tensor."""
    if torch_facts.is_tensor_type(name):
        return Tensor(attached=False)
    if (
        torch_facts.is_class_name(name)
        or torch_facts.is_module(name)
        or _is_grad_mode(name)
        or name == "torch.device"
    ):
        made = Instance(name, node, arguments)
        run.emit(Kind.RESET, node, key=made)
        if name in torch_facts.SET_GRAD:  # takes effect at once, in a `with` statement or not
            _, run.grad = calls.enter_context(run, node, made, run.grad)
        return made
    last = name.rpartition(".")[2]
    if last.endswith("_") or not torch_facts.returns_tensor(name):
        _write_gradients(run, arguments, node)
    if name.startswith("torch.nn.init."):
        return arguments.positional[0] if arguments.positional else Unknown()
    if torch_facts.returns_tensor(name):
        return _tensor_function(name, last, arguments)
    _call_back(run, arguments, node)
    return Unknown(made_by=name)


def _write_gradients(run: Run, arguments: Arguments, node: ast.expr) -> None:
    """`all_reduce(p.grad)`, `_foreach_add_([p.grad …], …)`: the gradients may be other ones afterwards."""
    for argument in arguments.all():
        for part in reachable(argument, depth=2):
            if isinstance(part, Grads):
                for module in part.owners or [None]:
                    run.emit(Kind.WRITE_GRADS, node, subject=module)


def _is_grad_mode(name: str) -> bool:
    return name in torch_facts.NO_GRAD | torch_facts.ENABLE_GRAD | torch_facts.SET_GRAD


def _tensor_function(name: str, last: str, arguments: Arguments) -> Value:
    inputs = [
        v for a in arguments.all() for v in options(targets.element(a) if isinstance(a, Container) else a)
    ]
    requires = arguments.keywords.get("requires_grad")
    out = arguments.keywords.get("out")
    if isinstance(out, Tensor):
        targets.overwrite(out, join(inputs))
    tokens = frozenset[ast.AST]().union(*(tokens_of(v) for v in inputs))
    if last in torch_facts.NOT_DIFFERENTIABLE:
        return Tensor(attached=requires is not None and expressions.truth(requires) is True)
    combined = Tensor(_attached(inputs), tokens=tokens)
    if last in ("max", "min", "topk", "sort", "kthvalue", "mode", "median", "cummax", "cummin"):
        return _values_and_indices(combined, arguments)
    first = arguments.positional[0] if arguments.positional else None
    if last in torch_facts.RESHAPES and isinstance(first, Tensor):
        return Tensor(first.attached, True, first.activation, first.made_at, tokens)
    if last in ("chunk", "split", "unbind", "tensor_split", "meshgrid", "broadcast_tensors"):
        return Iterable(combined)
    return combined


def _values_and_indices(combined: Tensor, arguments: Arguments) -> Value:
    """`torch.max(x)` is a tensor, `torch.max(x, 1)` a pair."""
    if len(arguments.positional) + len(arguments.keywords) < 2:
        return combined
    return Container("tuple", [combined, Tensor(attached=False)], combined)


def _attached(inputs: list[Value]) -> bool | None:
    tensors = [v for v in inputs if isinstance(v, Tensor)]
    if any(t.attached for t in tensors) or any(isinstance(v, Params) for v in inputs):
        return True
    if any(t.attached is None for t in tensors) or any(isinstance(v, Unknown | Container) for v in inputs):
        return None
    return False


def _call_foreign(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """Code of another package or file: it may keep and change whatever it is given."""
    tokens = frozenset[ast.AST]().union(*(tokens_of(v) for v in arguments.all()))
    if torch_facts.keeps_its_hands_off(name):
        _call_back(run, arguments, node)
        made = (
            Instance(name, node, arguments) if torch_facts.is_class_name(name) and _is_context(name) else None
        )
        return made or Unknown(tokens, made_by=name)
    run.escape(node, list(arguments.all()))
    return Unknown(tokens | {node}, made_by=name)


def _is_context(name: str) -> bool:
    return name.startswith(("contextlib.", "tempfile.", "threading."))


def _call_back(run: Run, arguments: Arguments, node: ast.AST) -> None:
    """Known code that is given a function may call it."""
    run.escape(node, [value for value in arguments.all() if isinstance(value, Function)])


def _chained(name: str, arguments: Arguments) -> Value:
    parts = (
        [targets.element(v) for v in arguments.positional]
        if name.endswith("iterable")
        else arguments.positional
    )
    owned = [p for part in parts for p in options(part) if isinstance(p, Params)]
    if owned and len(owned) == len(parts) and all(p.owners is not None for p in owned):
        return Params(frozenset().union(*(p.owners for p in owned if p.owners is not None)))
    return (
        Params(None) if owned else Iterable(join([targets.element(p) for p in parts]) if parts else Unknown())
    )


def _partial(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """Given keywords only, `partial(f, …)` stands for `f`; where arguments move, what it does is unknown."""
    if len(arguments.positional) != 1 or not arguments.complete:
        run.escape(node, list(arguments.all()))
        return Unknown()
    callee = arguments.positional[0]
    if isinstance(callee, Function):
        return replace(callee, defaults={**callee.defaults, **arguments.keywords})
    return callee


def _copied(value: Value | None, node: ast.expr) -> Value:
    if isinstance(value, Instance):
        return Instance(value.cls, node, value.arguments, dict(value.attributes), value.frozen)
    return value if isinstance(value, Tensor | Const) else Unknown()


def _call_builtin(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    first = arguments.positional[0] if arguments.positional else None
    match name:
        case "float" | "int" | "len" | "round" | "abs" if not isinstance(first, Tensor) or name not in (
            "abs",
            "round",
        ):
            return Number()
        case (
            "bool"
            | "isinstance"
            | "hasattr"
            | "callable"
            | "print"
            | "repr"
            | "str"
            | "format"
            | "id"
            | "hash"
        ):
            return Unknown()
        case "range":
            return Iterable(Number())
        case "enumerate" if first is not None:
            inner = targets.element(first)
            pair = Container("tuple", [Number(), inner], join([Number(), inner]))
            items = targets.few_items(first)
            if items is not None:
                return Container(
                    "list", [Container("tuple", [Const(i), v], v) for i, v in enumerate(items)], pair
                )
            return Iterable(pair)
        case "zip":
            parts = [targets.element(v) for v in arguments.positional]
            return Iterable(Container("tuple", parts, join(parts) if parts else Unknown()))
        case "list" | "tuple" | "set" | "sorted" | "reversed" | "iter" | "filter" | "map":
            return _sequence_builtin(run, name, arguments, node)
        case "next" if first is not None:
            return targets.element(first)
        case "sum" | "max" | "min" if first is not None:
            inner = targets.element(first) if len(arguments.positional) == 1 else join(arguments.positional)
            return expressions.combine(inner, Number()) if not isinstance(inner, Unknown) else inner
        case "dict":
            return Container(
                "dict", None, Unknown(), {k: v for k, v in arguments.keywords.items() if k != "**"}
            )
        case "getattr" if len(arguments.positional) > 1:
            return _getattr(run, arguments, node)
        case "setattr" if len(arguments.positional) == 3:
            run.escape(node, arguments.positional[:1])
            return Const(None)
        case "type" if isinstance(first, Instance):
            return first.cls if isinstance(first.cls, LocalClass) else Ref(first.cls)
        case "exec" | "eval":
            run.emit(Kind.HAVOC, node)
            return Unknown()
        case _:
            return Unknown(
                frozenset().union(*(tokens_of(v) for v in arguments.all())), made_by=f"builtins.{name}"
            )


def _getattr(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    owner, attr = arguments.positional[:2]
    if isinstance(attr, Const) and isinstance(attr.value, str) and isinstance(owner, Instance | Ref):
        access = ast.copy_location(ast.Attribute(value=node, attr=attr.value, ctx=ast.Load()), node)
        return members.attribute(run, owner, attr.value, access)
    return Unknown()


def _sequence_builtin(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    if not arguments.positional:
        container = Container(name if name in ("list", "tuple", "set") else "list", [], Unknown())
        run.emit(Kind.RESET, node, key=container)
        return container
    source = arguments.positional[-1] if name in ("filter", "map") else arguments.positional[0]
    if isinstance(source, Params):
        return source  # list(model.parameters()), filter(lambda p: p.requires_grad, …): still its parameters
    if name == "map":
        function = arguments.positional[0]
        element = targets.element(source)
        if isinstance(function, Function):
            return Iterable(calls.call_function(run, function, Arguments([element], {}), node))
        return Iterable(
            Number() if isinstance(function, Ref) and function.name == "builtins.float" else Unknown()
        )
    if isinstance(source, Container) and source.items is not None and name in ("list", "tuple"):
        return Container(name, list(source.items), source.element)
    return Container("list", None, targets.element(source))


def call_method(run: Run, receiver: Value, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """Calls a method that is not code of the file."""
    match receiver:
        case Instance():
            return _call_instance_method(run, receiver, name, arguments, node)
        case Super(receiver=inner):
            if name in ("__init__", "__new__", "__init_subclass__"):
                run.emit(Kind.SUPER_INIT, node, subject=inner)
                if isinstance(inner, Instance) and members.kind_of(inner) == "Optimizer":
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
        case Container():
            return _call_container_method(run, receiver, name, arguments, node)
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
        case Params() if name in ("cpu", "cuda", "to", "data", "detach", "clone"):
            return receiver
        case Const() | Number() | Iterable() | Params():
            return Unknown(tokens_of(receiver))
        case _:
            return _call_unknown_method(run, receiver, name, arguments, node)


def _call_container_method(
    run: Run, receiver: Container, name: str, arguments: Arguments, node: ast.expr
) -> Value:
    if name in ("append", "add", "appendleft", "insert") and arguments.positional:
        value = arguments.positional[-1]
        if isinstance(value, Tensor | Unknown):
            run.emit(Kind.ACCUMULATE, node, subject=receiver, value=value, key=receiver)
            value = targets.with_token(value, node)
        targets.extend(receiver, value)
        return Const(None)
    if name == "extend" and arguments.positional:
        targets.extend(receiver, targets.element(arguments.positional[0]))
        return Const(None)
    if name in ("clear", "pop", "popleft", "remove"):
        run.emit(Kind.RESET, node, key=receiver)
        return receiver.element if name != "clear" else Const(None)
    if name == "items":
        pairs: list[Value] = [Container("tuple", [Const(k), v], v) for k, v in receiver.keyed.items()]
        return Iterable(
            join(pairs) if pairs else Container("tuple", [Unknown(), receiver.element], receiver.element)
        )
    if name == "values":
        return Container("list", list(receiver.keyed.values()) or None, receiver.element)
    if name in ("get", "setdefault") and arguments.positional:
        key = arguments.positional[0]
        found = receiver.keyed.get(targets.hashable(key.value)) if isinstance(key, Const) else None
        return found or receiver.element
    if name in ("copy",):
        return Container(receiver.kind, receiver.items, receiver.element, dict(receiver.keyed))
    return Unknown()


def _call_instance_method(
    run: Run, receiver: Instance, name: str, arguments: Arguments, node: ast.expr
) -> Value:
    kind = members.kind_of(receiver)
    if name in ("__enter__", "__exit__", "enter_context"):
        run.grad = None  # contexts that are entered by hand end somewhere else
    if isinstance(receiver.cls, LocalClass) and members.is_open(receiver.cls):
        run.escape(node, [receiver, *arguments.all()])
        if kind == "Unknown":
            return Unknown(frozenset().union(*(tokens_of(v) for v in arguments.all())))
    match kind:
        case "Module" | "Loss":
            return torch_methods.call_module_method(run, receiver, name, arguments, node)
        case "Optimizer":
            return torch_methods.call_optimizer_method(run, receiver, name, arguments, node)
        case "GradScaler":
            return _call_scaler_method(run, name, arguments, node)
        case "Scheduler" | "DataLoader" | "Dataset" | "Device":
            return Unknown()
    known = isinstance(receiver.cls, str) and torch_facts.keeps_its_hands_off(receiver.cls)
    if not known:
        run.escape(node, [receiver, *arguments.all()])
    return Unknown(frozenset().union(*(tokens_of(v) for v in arguments.all())))


def _call_scaler_method(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    first = arguments.positional[0] if arguments.positional else Unknown()
    if name == "step":
        for closure in arguments.positional[1:]:
            if isinstance(closure, Function):
                calls.call_function(run, closure, Arguments([], {}), node)
        run.emit_each(Kind.STEP, node, first)
        return Unknown()
    return first if name == "scale" else Unknown()


def _call_unknown_method(run: Run, receiver: Value, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """A method of something unknown. Its name alone proves nothing, but it may do what it says."""
    if name == "zero_grad":
        run.emit(Kind.CLEAR, node)
    elif name == "__init__":
        run.emit(Kind.SUPER_INIT, node)
    elif name == "backward":
        keeps = bool({"retain_graph", "create_graph"} & arguments.keywords.keys()) or bool(
            arguments.positional
        )
        subject = arguments.positional[0] if arguments.positional else receiver
        run.emit(Kind.BACKWARD, node, subject=receiver, value=subject, keeps_graph=keeps)
    elif name in ("train", "eval"):
        mode = arguments.get(0, "mode")
        on = name == "train" and (mode is None or expressions.truth(mode) is True)
        run.emit(Kind.TRAIN if on else Kind.EVAL if name == "eval" else Kind.MODE, node, subject=receiver)
        return receiver
    elif name in ("parameters", "named_parameters") and isinstance(receiver, Unknown):
        owned = Params(frozenset({receiver}))
        return owned if name == "parameters" else Iterable(Container("tuple", [Const(""), owned], owned))
    made_by = receiver.made_by if isinstance(receiver, Unknown) else ""
    if made_by and torch_facts.keeps_its_hands_off(made_by):
        _call_back(run, arguments, node)
    else:
        run.escape(node, [receiver, *arguments.all()])
    if name in torch_facts.TO_PYTHON:
        return Number() if name == "item" else Unknown()
    if name in ("to", "cuda", "cpu", "float", "half", "double", "share_memory"):
        return receiver
    return Unknown(
        frozenset().union(tokens_of(receiver), *(tokens_of(v) for v in arguments.all())), made_by=made_by
    )


def call_torch_instance(run: Run, instance: Instance, arguments: Arguments, node: ast.expr) -> Value:
    """`criterion(out, y)`, `nn.Linear(3, 4)(x)`."""
    assert isinstance(instance.cls, str)
    name = instance.cls
    first = arguments.positional[0] if arguments.positional else arguments.keywords.get("input")
    if name in torch_facts.CROSS_ENTROPY:
        run.emit(Kind.LOSS, node, value=first, key=name)
    if name in torch_facts.SOFTMAX:
        return torch_methods.activated(name, first or Unknown(), node)
    if not members.is_module_like(instance):
        return Unknown(frozenset().union(*(tokens_of(v) for v in arguments.all())))
    if name == "torch.nn.Sequential":
        result = _run_sequential(run, instance, first or Unknown())
    else:
        inputs = [v for a in arguments.all() for v in options(a)]
        tokens = frozenset[ast.AST]().union(*(tokens_of(v) for v in inputs))
        result = Tensor(_attached(inputs), tokens=tokens)
    result = module_output(run, instance, result, node)
    run.emit(Kind.FORWARD, node, subject=instance, value=result)
    return result


def _run_sequential(run: Run, instance: Instance, value: Value) -> Value:
    """Each layer in turn. Layers that are not known make the result an ordinary tensor."""
    layers = instance.arguments.positional if instance.arguments is not None else []
    known = instance.arguments is not None and instance.arguments.complete
    for layer in layers:
        if not known or not isinstance(layer, Instance) or not isinstance(layer.node, ast.expr):
            return Tensor(attached=None, tokens=tokens_of(value))
        value = calls.call_instance(run, layer, Arguments([value], {}), layer.node)
    return value if layers else Tensor(attached=None)


def module_output(run: Run, module: Instance, result: Value, node: ast.AST) -> Value:
    """The output of a module carries a graph where its parameters do and grad mode is on."""
    if run.grad is False:
        return _detached(result)
    if isinstance(result, Tensor):
        attached = result.attached
        if isinstance(module.cls, str) and torch_facts.has_parameters(module.cls) and not module.frozen:
            attached = True if run.grad else None
        if run.grad is None and attached:
            attached = None
        return Tensor(attached, result.certain, result.activation, result.made_at, result.tokens | {node})
    if isinstance(result, Unknown):
        return Unknown(result.tokens | {node})
    return result


def _detached(value: Value) -> Value:
    if isinstance(value, Tensor):
        return Tensor(False, value.certain, value.activation, value.made_at, value.tokens)
    return value
