"""Calls of imported functions: torch's are known by name, those of unknown code may do anything."""

from __future__ import annotations

import ast
from dataclasses import replace

from torchlore.analysis import (
    builtin_functions,
    contexts,
    expressions,
    imports,
    library_calls,
    targets,
    torch_facts,
    torch_methods,
)
from torchlore.analysis.events import Kind
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
    Function,
    Grads,
    Instance,
    Iterable,
    Params,
    Tensor,
    Unknown,
    Value,
    join,
    options,
    reachable,
    tokens_of_all,
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
        return builtin_functions.call_builtin(run, name.removeprefix("builtins."), arguments, node)
    if name in ("itertools.chain", "itertools.chain.from_iterable"):
        return _chained(name, arguments)
    if name in ("copy.copy", "copy.deepcopy"):
        return _copied(first, node)
    if name in ("importlib.import_module", "builtins.__import__"):
        literal = first.value if isinstance(first, Const) else None
        known = isinstance(literal, str) and not literal.startswith(".")
        return imports.import_module(run, str(literal)) if known else Unknown()
    if name == "functools.partial":
        return _partial(run, arguments, node)
    if torch_facts.is_parameter(name):
        return Tensor(attached=True, parameter=True)
    if name.startswith("torch."):
        return _call_torch(run, name, arguments, node)
    known = library_calls.call(run, name, arguments, node)
    return known if known is not None else _call_foreign(run, name, arguments, node)


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
        made = run.make(node, name, arguments)
        run.emit(Kind.RESET, node, key=made)
        if name in torch_facts.SET_GRAD:  # takes effect at once, in a `with` statement or not
            _, run.grad = contexts.enter_context(run, node, made)
        return made
    last = name.rpartition(".")[2]
    if last.endswith("_") or not torch_facts.returns_tensor(name):
        _write_gradients(run, arguments, node)
    if name.startswith("torch.nn.init."):
        return arguments.positional[0] if arguments.positional else Unknown()
    if torch_facts.returns_tensor(name):
        return _tensor_function(name, last, arguments)
    call_back(run, arguments, node)
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
    tokens = tokens_of_all(inputs)
    if last in torch_facts.NOT_DIFFERENTIABLE:
        return Tensor(attached=requires is not None and expressions.truth(requires) is True)
    combined = Tensor(attached(inputs), tokens=tokens)
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


def attached(inputs: list[Value]) -> bool | None:
    tensors = [v for v in inputs if isinstance(v, Tensor)]
    if any(t.attached for t in tensors) or any(isinstance(v, Params) for v in inputs):
        return True
    if any(t.attached is None for t in tensors) or any(isinstance(v, Unknown | Container) for v in inputs):
        return None
    return False


def _call_foreign(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """Code of another package or file: it may keep and change whatever it is given."""
    tokens = tokens_of_all(arguments.all())
    if torch_facts.keeps_its_hands_off(name):
        call_back(run, arguments, node)
        made = (
            Instance(name, node, arguments) if torch_facts.is_class_name(name) and _is_context(name) else None
        )
        return made or Unknown(tokens, made_by=name)
    run.escape(node, list(arguments.all()))
    return run.given(node, tokens | {node}, made_by=name)


def _is_context(name: str) -> bool:
    return name.startswith(("contextlib.", "tempfile.", "threading."))


def call_back(run: Run, arguments: Arguments, node: ast.AST) -> None:
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
