"""Calls of Python's builtins."""

from __future__ import annotations

import ast

from torchlore.analysis import calls, members, operators, targets
from torchlore.analysis.events import Kind
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
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
    join,
    tokens_of_all,
)


def call_builtin(run: Run, name: str, arguments: Arguments, node: ast.expr) -> Value:
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
            return operators.combine(inner, Number()) if not isinstance(inner, Unknown) else inner
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
            return Unknown(tokens_of_all(arguments.all()), made_by=f"builtins.{name}")


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
