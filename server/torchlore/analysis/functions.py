"""Calls of imported functions: torch's are known by name, those of unknown code may do anything."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import lru_cache

from torchlore.analysis import (
    builtin_functions,
    callbacks,
    contexts,
    expressions,
    imports,
    library_calls,
    loaders,
    plain,
    python_facts,
    special_functions,
    targets,
    tensor_facts,
    tensors,
    torch_facts,
    torch_methods,
    unpacking,
)
from torchlore.analysis.events import Kind
from torchlore.analysis.queries import join, options, reachable, tokens_of_all
from torchlore.analysis.run import Run
from torchlore.analysis.shapes import creation, following
from torchlore.analysis.values import (
    NO_TOKENS,
    Arguments,
    Const,
    Container,
    Function,
    Grads,
    Instance,
    Iterable,
    Number,
    Params,
    Ref,
    Tensor,
    Unknown,
    Value,
)

_Caller = Callable[[Run, str, Arguments, ast.expr], Value]


def call_imported(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """Calls something imported, by its dotted name."""
    return _caller(name)(run, name, arguments, node)


@lru_cache(maxsize=8192)
def _caller(name: str) -> _Caller:
    """What knows how to call `name`: a question of its spelling alone, asked once for each."""
    if name in torch_facts.ALIASES:
        return _alias
    if name in torch_facts.ACTIVATIONS and not torch_facts.is_class_name(name):
        return _activation
    if name in torch_facts.LOSSES and not torch_facts.is_class_name(name):
        return _loss
    if name.endswith(".__init__"):  # nn.Module.__init__(self)
        return _init
    if name in _CALLERS:
        return _CALLERS[name]
    if name.startswith("builtins."):
        return _builtin
    special = special_functions.SPECIAL.get(name)
    if special is not None:
        return lambda run, _, arguments, node: special(run, arguments, node)
    if torch_facts.is_parameter(name):
        return _parameter
    if plain.call_function(name) is not None:
        return _call_plain
    if name.startswith("torch."):
        return _torch_caller(name)
    return _call_of_library


def _torch_caller(name: str) -> _Caller:
    """A class of torch makes an object, a function of torch most often a tensor."""
    if torch_facts.is_tensor_type(name):
        return _legacy_tensor
    if torch_facts.is_class_name(name) or torch_facts.is_module(name) or name in torch_facts.CLASSES:
        return _made_by_torch
    if name.startswith("torch.nn.init."):
        return _initialised
    return _call_tensor_function if torch_facts.returns_tensor(name) else _call_other_of_torch


def _alias(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    named = [arguments.keywords.get(keyword) for keyword in ("module", "model", "iterable")]
    given = [*arguments.positional[:1], *(value for value in named if value is not None)]
    if given:
        return given[0]
    return plain.of("tqdm.std.tqdm") if name in _BARS else Unknown(made_by=name)


_BARS = frozenset({"tqdm.tqdm", "tqdm.auto.tqdm", "tqdm.notebook.tqdm", "tqdm.rich.tqdm"})
"""Progress bars that are moved by hand where they are over nothing."""


def _activation(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    return torch_methods.activated(run, name, arguments.get(0, "input") or Unknown(), node)


def _loss(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    run.emit(Kind.LOSS, node, value=arguments.get(0, "input"), key=name)
    return _torch_caller(name)(run, name, arguments, node)


def _backward(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    run.emit(Kind.BACKWARD, node, value=arguments.get(0, "tensors"), keeps_graph=True)
    return Const(None)


def _grad(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    run.emit(Kind.DIFFERENTIATE, node, value=arguments.get(0, "outputs"))
    return special_functions.gradients(arguments)


def _save(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    run.emit(Kind.SAVE, node, value=arguments.get(0, "obj"))
    return _call_plain(run, name, arguments, node)


def _load(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """What a file holds: anything, but always the same thing."""
    return run.given(node, NO_TOKENS, made_by=name)


def _init(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    run.emit(Kind.SUPER_INIT, node, subject=arguments.get(0, "self"))
    return Const(None)


def _builtin(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    return builtin_functions.call_builtin(run, name.removeprefix("builtins."), arguments, node)


def _call_of_library(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    found = library_calls.call(run, name, arguments, node)
    return found if found is not None else _call_foreign(run, name, arguments, node)


def _import(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """A module by its name. `__import__("torch.nn")` gives torch; its other arguments make it another one."""
    literal = arguments.positional[0] if arguments.positional else None
    if not isinstance(literal, Const) or not isinstance(literal.value, str) or literal.value.startswith("."):
        return Unknown()
    if name == "importlib.import_module":
        return imports.import_module(run, literal.value)
    if len(arguments.positional) > 1 or arguments.keywords or not arguments.complete:
        return Unknown()
    return imports.import_module(run, literal.value.partition(".")[0])


def _legacy_tensor(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    copied = tensors.graphs_left(node, arguments.positional[:1])
    dtype, shape = tensors.dtype_named(Ref(name)), creation.legacy(arguments)
    return Tensor(attached=False, tokens=copied, dtype=dtype, made_by=name, shape=shape)


def _made_by_torch(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    made = run.make(node, name, arguments)
    run.emit(Kind.RESET, node, key=made)
    if name == "torch.nn.Sequential":
        following.check_sequence(run, made)
    loaders.remember_items(run, made, node)
    if name in torch_facts.SET_GRAD:  # takes effect at once, in a `with` statement or not
        _, run.grad = contexts.enter_context(run, node, made)
    return made


def _initialised(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    write_gradients(run, arguments, node)
    return arguments.positional[0] if arguments.positional else Unknown()


def _call_tensor_function(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    last = name.rpartition(".")[2]
    if last.endswith("_"):
        write_gradients(run, arguments, node)
    return _tensor_function(run, name, last, arguments, node)


def _call_other_of_torch(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    write_gradients(run, arguments, node)
    call_back(run, arguments, node)
    return Unknown(made_by=name)


def write_gradients(run: Run, arguments: Arguments, node: ast.expr) -> None:
    """`all_reduce(p.grad)`, `_foreach_add_([p.grad …], …)`: the gradients may be other ones afterwards."""
    for argument in arguments.all():
        for part in reachable(argument, depth=2):
            if isinstance(part, Grads):
                for module in part.owners or [None]:
                    run.emit(Kind.WRITE_GRADS, node, subject=module)


def _tensor_function(run: Run, name: str, last: str, arguments: Arguments, node: ast.expr) -> Value:
    given = [value for key, value in arguments.keywords.items() if key not in ("dtype", "device", "layout")]
    inputs = [v for a in [*arguments.positional, *given] for v in _inputs(a)]
    out = arguments.keywords.get("out")
    if isinstance(out, Tensor):
        targets.overwrite(run, out, join(inputs))
    if last in tensor_facts.FACTORIES and name == f"torch.{last}":
        return _factory(run, name, last, arguments, node)
    found = [value for value in inputs if isinstance(value, Tensor)]
    mixed = len(found) < len(inputs) and any(isinstance(value, Unknown) for value in inputs)
    dtype = "" if mixed and last not in _FIRST_DECIDES else tensors.result_dtype(last, found, arguments)
    device = tensors.result_device(found, arguments)
    several = tensors.indices(last, arguments, device) if last in ("where", "nonzero") else None
    if several is not None:
        return several
    shape = following.of_function(run, name, last, found, arguments, node)
    if last in torch_facts.NOT_DIFFERENTIABLE:
        trained = _requires_grad(arguments)
        return Tensor(
            trained, dtype=dtype, device=device, leaf=trained is not False, made_by=name, shape=shape
        )
    tokens = tokens_of_all(inputs)
    first = arguments.positional[0] if arguments.positional else None
    if last in torch_facts.RESHAPES and isinstance(first, Tensor):
        return Tensor(
            tensors.graph(run, first.attached),
            True,
            first.activation,
            first.made_at,
            tokens,
            dtype=dtype,
            device=device,
            made_by=first.made_by,
            shape=shape,
        )
    graph = tensors.graph(run, attached(inputs))
    combined = Tensor(graph, tokens=tokens, dtype=dtype, device=device, made_by=name, shape=shape)
    if name in tensor_facts.TUPLES:
        return Container("tuple", [combined] * tensor_facts.TUPLES[name], combined)
    if last in tensor_facts.PAIRS:
        return _values_and_indices(combined, last, arguments)
    if last in tensor_facts.SEVERAL:
        return Iterable(combined)
    return combined


_FIRST_DECIDES = tensor_facts.GIVE_BOOL | tensor_facts.GIVE_INT64
"""Functions whose result has one dtype, whatever they are given."""


def _requires_grad(arguments: Arguments) -> bool | None:
    requires = arguments.keywords.get("requires_grad")
    return False if requires is None else expressions.truth(requires)


def _factory(run: Run, name: str, last: str, arguments: Arguments, node: ast.expr) -> Tensor:
    """A tensor that is made of no other one."""
    trained = _requires_grad(arguments)
    first = arguments.positional[0] if arguments.positional else None
    if isinstance(first, Tensor) and last in ("as_tensor", "asarray"):
        return first
    dtype = tensors.factory_dtype(run, last, arguments)
    device = tensors.factory_device(run, arguments)
    shape = creation.made(last, arguments)
    copied = tensors.graphs_left(node, arguments.positional[:1]) if last in tensor_facts.COPY else NO_TOKENS
    leaf = trained is not False
    return Tensor(trained, tokens=copied, dtype=dtype, device=device, leaf=leaf, made_by=name, shape=shape)


def _values_and_indices(combined: Tensor, last: str, arguments: Arguments) -> Value:
    """`torch.max(x)` is a tensor, `torch.max(x, 1)` a pair, `torch.max(x, y)` a tensor."""
    several = len(arguments.positional) + len(arguments.keywords) > 1
    if last not in tensor_facts.ALWAYS_PAIRS and not several:
        return combined
    if len(arguments.positional) > 1 and isinstance(arguments.positional[1], Tensor):
        return combined
    indices = Tensor(False, dtype="int64", device=combined.device, shape=combined.shape)
    return torch_methods.named_pair(combined, indices)


def _inputs(argument: Value) -> tuple[Value, ...]:
    """The tensors that an argument brings along: itself, or those in a list of them."""
    if isinstance(argument, Container):
        parts = argument.items if argument.items else [argument.element]
        return tuple(option for part in parts for option in options(part))
    return options(argument)


def attached(inputs: list[Value]) -> bool | None:
    """Whether what is computed from `inputs` carries a graph; None where that is not known."""
    is_known = True
    for value in inputs:
        cls = value.__class__
        if cls is Params or (isinstance(value, Tensor) and value.attached):
            return True
        if cls is Unknown or cls is Container or (isinstance(value, Tensor) and value.attached is None):
            is_known = False
    return False if is_known else None


def _call_foreign(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """Code of another package or file: it may keep and change whatever it is given."""
    tokens = tokens_of_all(arguments.all())
    if torch_facts.keeps_its_hands_off(name):
        call_back(run, arguments, node)
        made = (
            Instance(name, node, arguments) if torch_facts.is_class_name(name) and _is_context(name) else None
        )
        return made or Unknown(tokens, made_by=name)
    run.escape(node, arguments.all())
    result = run.given(node, tokens | {node}, made_by=name)
    callbacks.entrust(run, name, arguments, result, node)
    return result


def _is_context(name: str) -> bool:
    return name.startswith(("contextlib.", "tempfile.", "threading."))


def call_back(run: Run, arguments: Arguments, node: ast.AST) -> None:
    """Known code that is given a function may call it."""
    given = [value for value in arguments.positional if value.__class__ is Function]
    if arguments.keywords:
        given += [value for value in arguments.keywords.values() if value.__class__ is Function]
    if given:
        run.escape(node, given)


def _chained(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    parts = (
        [unpacking.element(v) for v in arguments.positional]
        if name.endswith("iterable")
        else arguments.positional
    )
    owned = [p for part in parts for p in options(part) if isinstance(p, Params)]
    if owned and len(owned) == len(parts) and all(p.owners is not None for p in owned):
        return Params(frozenset().union(*(p.owners for p in owned if p.owners is not None)))
    return (
        Params(None)
        if owned
        else Iterable(join([unpacking.element(p) for p in parts]) if parts else Unknown())
    )


def _parameter(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    data = arguments.get(0, "data")
    flag = arguments.get(1, "requires_grad")
    trained = True if flag is None else expressions.truth(flag)
    dtype, device, shape = ("", "", None)
    if isinstance(data, Tensor):
        dtype, device, shape = data.dtype, data.device, data.shape
    leaf = trained is not False
    return Tensor(trained, parameter=True, dtype=dtype, device=device, leaf=leaf, made_by=name, shape=shape)


def _call_plain(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """A function whose result is not torch's. Others than those of known packages may do anything."""
    if torch_facts.keeps_its_hands_off(name):
        call_back(run, arguments, node)
    else:
        run.escape(node, arguments.all())
    if (
        name in python_facts.ELEMENTWISE
        and arguments.positional
        and all(map(tensors.is_number, arguments.positional))
    ):
        return Number()
    return plain.call_function(name) or Unknown()


_CALLERS: dict[str, _Caller] = {
    "torch.autograd.backward": _backward,
    "torch.autograd.grad": _grad,
    "torch.load": _load,
    "torch.save": _save,
    "importlib.import_module": _import,
    "builtins.__import__": _import,
    "itertools.chain": _chained,
    "itertools.chain.from_iterable": _chained,
}
