"""Functions that give something of their own kind, by dotted name."""

from __future__ import annotations

import ast
from collections.abc import Callable

from torchlore.analysis import (
    calls,
    containers,
    copies,
    expressions,
    functions,
    layers,
    loaders,
    partials,
    tensors,
    unpacking,
)
from torchlore.analysis.events import Kind
from torchlore.analysis.queries import is_none, join, options, tokens_of_all
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
    Coroutine,
    Function,
    Instance,
    Iterable,
    LocalClass,
    Number,
    Params,
    Ref,
    Tensor,
    Unknown,
    Value,
)


def gradients(arguments: Arguments) -> Value:
    """`torch.autograd.grad(…)`: they have a graph of their own only where one is asked for."""
    create = arguments.get(4, "create_graph")
    attached = False if create is None else expressions.truth(create)
    return Container("tuple", None, Tensor(attached, tokens=tokens_of_all(arguments.all())))


def _copy(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    value = arguments.get(0, "x")
    return copies.shallow(value, node) if value is not None else Unknown()


def _deepcopy(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    value = arguments.get(0, "x")
    return copies.deep(value, node) if value is not None else Unknown()


def _partial(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`partial(f, …)`: `f` with some parameters bound; anything, where arguments are not known."""
    if not arguments.positional or not arguments.complete:
        run.escape(node, list(arguments.all()))
        return Unknown()
    callee, rest = arguments.positional[0], arguments.positional[1:]
    if rest:  # whoever gets hold of it may call it: what is bound to it may change at any time from here
        run.escape(node, list(arguments.all()))
    return partials.bound(callee, Arguments(rest, arguments.keywords))


def _dict(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    made = containers.dictionary(arguments)
    run.emit(Kind.RESET, node, key=made)
    return made


def _defaultdict(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`defaultdict(list)` holds what its factory makes, before anything is put in."""
    given = Arguments(arguments.positional[1:], arguments.keywords, arguments.complete)
    made = containers.dictionary(given)
    factory = arguments.positional[0] if arguments.positional else None
    if containers.is_empty(made) and isinstance(factory, Ref | Function | LocalClass):
        made.element = calls.call_value(run, factory, Arguments([], {}), node)
    run.emit(Kind.RESET, node, key=made)
    return made


def _deque(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    longest = arguments.get(1, "maxlen")
    inner = unpacking.element(arguments.positional[0]) if arguments.positional else Unknown()
    made = Container("list" if longest is None else containers.BOUNDED, None, inner)
    run.emit(Kind.RESET, node, key=made)
    return made


def _namespace(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    attributes = {name: value for name, value in arguments.keywords.items() if name != "**"}
    made = run.make(node, "types.SimpleNamespace", arguments)
    made.attributes.update(attributes)
    return made


def _counter(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    return Container("dict", None, Number())


def _default_dtype(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    tensors.set_default_dtype(run, arguments.positional[0] if arguments.positional else Unknown())
    return Const(None)


def _random_split(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    return loaders.splits(arguments, node)


def _packed(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    return Instance(layers.PACKED, node, arguments)


def _unpacked(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    padded = Tensor(tokens=tokens_of_all(arguments.all()))
    return Container("tuple", [padded, Tensor(False, dtype="int64", device="cpu")], padded)


def _padded(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    parts = [unpacking.element(value) for value in arguments.positional[:1]]
    return Tensor(functions.attached(parts), tokens=tokens_of_all(parts))


def _clipped(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """Gives the norm that the gradients had."""
    functions.write_gradients(run, arguments, node)
    run.emit(Kind.CLIP, node, value=arguments.get(0, "parameters"))
    return Tensor(attached=False)


def _clipped_by_value(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    _clipped(run, arguments, node)
    return Const(None)


def _vector(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    return Tensor()


def _script_module(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    return Instance("torch.jit.ScriptModule", node, arguments)


def _accelerator(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`torch.accelerator.current_accelerator()`: a device, whichever the machine has."""
    return run.make(node, "torch.device", Arguments([Unknown(made_by=_CURRENT)], {}))


_CURRENT = "torch.accelerator.current_accelerator"


def _checkpointed(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`checkpoint(function, *args)` calls the function, and again during backward."""
    if not arguments.positional:
        return Unknown()
    callee, *rest = arguments.positional
    named = {key: value for key, value in arguments.keywords.items() if key not in _OF_CHECKPOINT}
    given = Arguments(rest, named, arguments.complete, arguments.nodes[1:])
    results = [calls.call_value(run, option, given, node) for option in options(callee)]
    return join(results)


_OF_CHECKPOINT = ("use_reentrant", "preserve_rng_state", "context_fn", "determinism_check", "debug")


def _data_parallel(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`data_parallel(module, inputs)` calls the module on parts of the batch, and joins what comes out."""
    module, inputs = arguments.get(0, "module"), arguments.get(1, "inputs")
    named = arguments.get(5, "module_kwargs")
    if module is None or inputs is None or not arguments.complete or named is not None:
        run.escape(node, list(arguments.all()))
        return Unknown(tokens_of_all(arguments.all()))
    given = Arguments([inputs], {}, complete=isinstance(inputs, Tensor))  # else it may be a tuple of them
    if isinstance(inputs, Container) and inputs.kind == "tuple" and inputs.items is not None:
        given = Arguments([*inputs.items], {})
    return join([calls.call_value(run, option, given, node) for option in options(module)])


def _functional_call(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`functional_call(net, parameters, args, kwargs)`: a call of `net`, where the parameters are its own."""
    module, given = arguments.get(0, "module"), arguments.get(1, "parameter_and_buffer_dicts")
    if not isinstance(module, Instance) or given is None or not _are_of(module, given):
        functions.call_back(run, arguments, node)
        return Unknown(tokens_of_all(arguments.all()), made_by="torch.func.functional_call")
    args, kwargs = arguments.get(2, "args"), arguments.get(3, "kwargs")
    inputs = Arguments([], {}, arguments.complete)
    if isinstance(args, Container) and args.kind == "tuple":
        inputs.positional += args.items if args.items is not None else [args.element]
        inputs.complete &= args.items is not None
    elif args is not None and not is_none(args):  # what is unknown may be a tuple
        inputs.positional.append(args)
        inputs.complete &= not any(isinstance(option, Unknown) for option in options(args))
    if isinstance(kwargs, Container):
        inputs.keywords.update({key: part for key, part in kwargs.keyed.items() if isinstance(key, str)})
    if kwargs is not None and not is_none(kwargs):
        inputs.complete &= isinstance(kwargs, Container) and kwargs.whole
    return calls.call_value(run, module, inputs, node)


def _are_of(module: Instance, given: Value) -> bool:
    """Whether dicts of parameters, one or several, hold those of `module` itself: all or some of them."""
    if isinstance(given, Container) and given.kind in ("tuple", "list"):  # the parameters, then the buffers
        return given.items is not None and len(given.items) > 0 and _are_of(module, given.items[0])
    if not isinstance(given, Container) or given.kind != "dict":
        return False
    held = [*given.keyed.values(), *([] if given.whole else [given.element])]
    own: frozenset[Value] = frozenset({module})
    return bool(held) and all(isinstance(part, Params) and part.owners == own for part in held)


def _cycled(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`cycle(loader)`, `islice(loader, n)`: the same items."""
    return Iterable(unpacking.element(arguments.positional[0])) if arguments.positional else Unknown()


def _last_cycled(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`takewhile(test, loader)`: some of the items."""
    functions.call_back(run, arguments, node)
    return Iterable(unpacking.element(arguments.positional[-1])) if arguments.positional else Unknown()


def _repeated(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    return Iterable(arguments.positional[0]) if arguments.positional else Unknown()


def _counted(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    return Iterable(Number())


def _combined(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`product(a, b)`, `zip_longest(a, b)`: tuples with an item of each."""
    parts = [unpacking.element(value) for value in arguments.positional]
    return Iterable(Container("tuple", parts, join(parts) if parts else Unknown()))


def _grouped(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`permutations(a)`, `pairwise(a)`: tuples of its items."""
    inner = unpacking.element(arguments.positional[0]) if arguments.positional else Unknown()
    return Iterable(Container("tuple", None, inner))


def _ran(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`asyncio.run(main())`: what is awaited."""
    parts = options(arguments.positional[0]) if arguments.positional else ()
    found = [part.result if isinstance(part, Coroutine) else Unknown() for part in parts]
    return join(found) if found else Unknown()


def _scheduled(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`asyncio.create_task(work())`: to be awaited as what it was made of."""
    return arguments.positional[0] if arguments.positional else Unknown()


def _gathered(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`asyncio.gather(a(), b())`: to be awaited, a list of what each gives."""
    results = [_ran(run, Arguments([part], {}), node) for part in arguments.positional]
    items = results if arguments.complete else None
    return Coroutine(Container("list", items, join(results) if results else Unknown()))


def _named_tuple(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`namedtuple("Pair", ["a", "b"])`: the class that a `class` statement would make."""
    known = run.made.get((node, 0, "collections.namedtuple"))
    title, given = arguments.get(0, "typename"), arguments.get(1, "field_names")
    if known is not None or not isinstance(title, Const):
        return known or Unknown()
    if isinstance(given, Const) and isinstance(given.value, str):
        names: list[object] = [*given.value.replace(",", " ").split()]
    else:
        parts = given.items if isinstance(given, Container) else None
        names = [part.value for part in parts or () if isinstance(part, Const)]
        if parts is None or len(names) < len(parts):
            return Unknown()
    declared = [
        ast.AnnAssign(ast.Name(str(name), ast.Store()), ast.Constant(None), None, simple=1) for name in names
    ]
    statement = ast.ClassDef(str(title.value), [], [], list[ast.stmt](declared), [])
    cls = LocalClass(ast.copy_location(statement, node), (Ref("builtins.tuple"),), {}, home=run.home)
    run.made[node, 0, "collections.namedtuple"] = cls
    return cls


def _null_context(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    return run.make(node, "contextlib.nullcontext", arguments)


SPECIAL: dict[str, Callable[[Run, Arguments, ast.expr], Value]] = {
    "copy.copy": _copy,
    "copy.deepcopy": _deepcopy,
    "functools.partial": _partial,
    "collections.OrderedDict": _dict,
    "collections.defaultdict": _defaultdict,
    "collections.deque": _deque,
    "collections.Counter": _counter,
    "types.SimpleNamespace": _namespace,
    "asyncio.run": _ran,
    "asyncio.create_task": _scheduled,
    "asyncio.ensure_future": _scheduled,
    "asyncio.shield": _scheduled,
    "asyncio.wait_for": _scheduled,
    "asyncio.gather": _gathered,
    "collections.namedtuple": _named_tuple,
    "contextlib.nullcontext": _null_context,
    "argparse.Namespace": _namespace,
    "torch.utils.checkpoint.checkpoint": _checkpointed,
    "torch.nn.parallel.data_parallel": _data_parallel,
    _CURRENT: _accelerator,
    "torch.func.functional_call": _functional_call,
    "torch.nn.utils.stateless.functional_call": _functional_call,
    "itertools.cycle": _cycled,
    "itertools.islice": _cycled,
    "itertools.takewhile": _last_cycled,
    "itertools.dropwhile": _last_cycled,
    "itertools.filterfalse": _last_cycled,
    "itertools.repeat": _repeated,
    "itertools.count": _counted,
    "itertools.product": _combined,
    "itertools.zip_longest": _combined,
    "itertools.pairwise": _grouped,
    "itertools.permutations": _grouped,
    "itertools.combinations": _grouped,
    "torch.set_default_dtype": _default_dtype,
    "torch.set_default_tensor_type": _default_dtype,
    "torch.utils.data.random_split": _random_split,
    "torch.nn.utils.rnn.pack_padded_sequence": _packed,
    "torch.nn.utils.rnn.pack_sequence": _packed,
    "torch.nn.utils.rnn.pad_packed_sequence": _unpacked,
    "torch.nn.utils.rnn.pad_sequence": _padded,
    "torch.nn.utils.clip_grad_norm_": _clipped,
    "torch.nn.utils.clip_grad_norm": _clipped,
    "torch.nn.utils.clip_grad_value_": _clipped_by_value,
    "torch.nn.utils.parameters_to_vector": _vector,
    "torch.jit.load": _script_module,
    "torch.autograd.functional.jacobian": _vector,
    "torch.autograd.functional.hessian": _vector,
}
"""Functions that give something of their own kind."""
