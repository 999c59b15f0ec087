"""Calls of Python's builtins."""

from __future__ import annotations

import ast
from collections.abc import Callable

from torchlore.analysis import (
    calls,
    containers,
    functions,
    members,
    methods,
    operators,
    plain,
    targets,
    unpacking,
)
from torchlore.analysis.events import Kind
from torchlore.analysis.queries import join, options, tokens_of_all
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    BoundMethod,
    Const,
    Container,
    Function,
    Instance,
    Iterable,
    LocalClass,
    LocalModule,
    Number,
    Params,
    Ref,
    Super,
    Tensor,
    Unknown,
    Value,
)


def call_builtin(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """Calls a builtin by its bare name."""
    first = arguments.positional[0] if arguments.positional else None
    match name:
        case "abs" | "round" if isinstance(first, Tensor | Params):
            return methods.call_method(run, first, name, Arguments([], {}), node)
        case "float" | "int" | "complex" | "abs" | "round" | "pow":
            return Number()
        case "range":
            return Iterable(Number())
        case "enumerate" if first is not None:
            return _enumerated(first)
        case "zip":
            parts = [unpacking.element(v) for v in arguments.positional]
            return Iterable(Container("tuple", parts, join(parts) if parts else Unknown()))
        case "list" | "tuple" | "set" | "frozenset" | "sorted" | "reversed" | "iter" | "filter" | "map":
            return _sequence_builtin(run, name, arguments, node)
        case "next" if first is not None:
            return join([unpacking.element(first), *arguments.positional[1:2]])
        case "sum" | "max" | "min" if first is not None:
            inner = unpacking.element(first) if len(arguments.positional) == 1 else join(arguments.positional)
            if name != "sum":
                _ask(run, arguments.keywords.get("key"), inner, node)
            return operators.combine(inner, Number()) if not isinstance(inner, Unknown) else inner
        case "dict" | "getattr" | "setattr" | "vars":
            return _OF_OBJECTS[name](run, arguments, node)
        case "open":
            return _file(arguments.get(1, "mode"))
        case "type" if isinstance(first, Instance):
            return first.cls if isinstance(first.cls, LocalClass) else Ref(first.cls)
        case "exec" | "eval":
            run.emit(Kind.HAVOC, node)
            return Unknown()
        case _:
            known = plain.call_function(f"builtins.{name}")
            if known is not None:
                functions.call_back(run, arguments, node)
            return known or Unknown(tokens_of_all(arguments.all()), made_by=f"builtins.{name}")


def _enumerated(iterated: Value) -> Value:
    inner = unpacking.element(iterated)
    pair = Container("tuple", [Number(), inner], join([Number(), inner]))
    items = unpacking.few_items(iterated)
    if items is None:
        return Iterable(pair, iterated.call if isinstance(iterated, Iterable) else None)
    return Container("list", [Container("tuple", [Const(i), v], v) for i, v in enumerate(items)], pair)


def _file(mode: Value | None) -> Value:
    if mode is None:
        return plain.of("io.TextIOWrapper")
    if not isinstance(mode, Const) or not isinstance(mode.value, str):
        return Unknown(made_by="builtins.open")
    return plain.of("io.BufferedIOBase" if "b" in mode.value else "io.TextIOWrapper")


def _dict(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    made = containers.dictionary(arguments)
    run.emit(Kind.RESET, node, key=made)
    return made


def _vars(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    owner = arguments.positional[0] if arguments.positional else None
    if not isinstance(owner, Instance):
        return Unknown()
    held: dict[object, Value] = dict[object, Value](members.attributes(owner))
    return Container("dict", None, join(list(held.values())) if held else Unknown(), held)


def _getattr(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`getattr(owner, "name", default)`: the default counts where the attribute may be missing."""
    if len(arguments.positional) < 2:
        return Unknown()
    owner, attr = arguments.positional[:2]
    names = [option.value for option in options(attr) if isinstance(option, Const)]
    if len(names) < len(options(attr)) or not all(isinstance(name, str) for name in names):
        return Unknown(tokens_of_all([owner]))
    if not isinstance(owner, Instance | Ref | LocalClass | Tensor | Super | LocalModule):
        return Unknown(tokens_of_all([owner]))
    found = [_read(run, owner, str(name), node) for name in names]
    default = arguments.positional[2:3]
    if default and any(isinstance(value, BoundMethod | Unknown) for value in found):
        return join([*found, *default]) if isinstance(owner, Instance) else Unknown()
    return join(found)


def _read(run: Run, owner: Value, attr: str, node: ast.expr) -> Value:
    access = ast.copy_location(ast.Attribute(value=node, attr=attr, ctx=ast.Load()), node)
    return members.attribute(run, owner, attr, access)


def _setattr(run: Run, arguments: Arguments, node: ast.expr) -> Value:
    """`setattr(owner, "name", value)` with a name that is known; else it may set any attribute."""
    if len(arguments.positional) != 3 or not isinstance(node, ast.Call) or len(node.args) != 3:
        return Const(None)
    owner, attr, value = arguments.positional
    names = [option.value for option in options(attr) if isinstance(option, Const)]
    if len(names) < len(options(attr)) or not all(isinstance(name, str) for name in names):
        run.escape(node, [owner])
        targets.register(run, node, owner, value)
        return Const(None)
    for name in names:
        target = ast.Attribute(value=node.args[0], attr=str(name), ctx=ast.Store())
        targets.assign(run, ast.copy_location(target, node), value)
    return Const(None)


_OF_OBJECTS: dict[str, Callable[[Run, Arguments, ast.expr], Value]] = {
    "dict": _dict,
    "getattr": _getattr,
    "setattr": _setattr,
    "vars": _vars,
}


def _sequence_builtin(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
    kind = _KINDS.get(name, "list")
    if not arguments.positional:
        container = Container(kind, [], Unknown())
        run.emit(Kind.RESET, node, key=container)
        return container
    source = arguments.positional[-1] if name in ("filter", "map") else arguments.positional[0]
    if all(isinstance(option, Params) for option in options(source)):
        return source  # list(model.parameters()), filter(lambda p: p.requires_grad, …): still its parameters
    inner = unpacking.element(source)
    if name in ("sorted", "filter"):
        _ask(run, arguments.keywords.get("key") if name == "sorted" else arguments.positional[0], inner, node)
    if name == "map":
        several = unpacking.items_with_objects(source) if len(arguments.positional) == 2 else None
        if several is not None:
            return _mapped_each(run, arguments.positional[0], several, node)
        return Iterable(_mapped(run, arguments.positional[0], inner, node))
    if name in ("iter", "filter", "reversed"):
        return Iterable(inner)
    if isinstance(source, Container) and source.items is not None and name in ("list", "tuple"):
        return Container(name, list(source.items), source.element)
    return Container(kind, None, inner)


_KINDS = {"list": "list", "tuple": "tuple", "set": "set", "frozenset": "set"}


def _ask(run: Run, function: Value | None, inner: Value, node: ast.expr) -> None:
    """Calls what sorts or picks items by what it says of each: what it gives is of no interest here."""
    if isinstance(function, Function):
        calls.call_function(run, function, Arguments([inner], {}), node)


def _mapped_each(run: Run, function: Value, items: list[Value], node: ast.expr) -> Value:
    """`g, net = map(lambda x: x.to(device), (g, net))`: what becomes of each of a few things."""
    results = []
    for index, item in enumerate(items):
        with run.within((node, index)):
            results.append(_mapped(run, function, item, node))
    return Container("list", results, [*results])


def _mapped(run: Run, function: Value, inner: Value, node: ast.expr) -> Value:
    if isinstance(function, Function):
        return calls.call_function(run, function, Arguments([inner], {}), node)
    if isinstance(function, Ref) and function.name.startswith("builtins."):
        return call_builtin(run, function.name.removeprefix("builtins."), Arguments([inner], {}), node)
    return Unknown(tokens_of_all([inner]))
