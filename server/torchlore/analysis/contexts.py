"""What `with` statements enter and leave."""

from __future__ import annotations

import ast

from torchlore.analysis import calls, expressions, members, plain, torch_facts
from torchlore.analysis.events import Call, Kind, Path
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import options
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    Batch,
    Const,
    Container,
    Coroutine,
    Function,
    Instance,
    Iterable,
    LocalClass,
    Managed,
    Number,
    Params,
    Tensor,
    Unknown,
    Value,
)


def enter_context(run: Run, node: ast.expr, context: Value) -> tuple[Value, bool | None]:
    """What `with context as x` binds, and the grad mode inside."""
    match context:
        case Instance(cls=str() as name) if name in torch_facts.NO_GRAD:
            flag = context.arguments.get(0, "mode") if context.arguments is not None else None
            return Unknown(), _inverted(flag) if flag is not None else False
        case Instance(cls=str() as name) if name in torch_facts.ENABLE_GRAD:
            return Unknown(), True
        case Instance(cls=str() as name) if name in torch_facts.SET_GRAD:
            flag = context.arguments.get(0, "mode") if context.arguments is not None else None
            return Unknown(), expressions.truth(flag) if flag is not None else None
        case Instance(cls="contextlib.nullcontext", arguments=given):
            held = given.get(0, "enter_result") if given is not None else None
            return held or Const(None), run.grad
        case Instance(cls=str() as name) if torch_facts.keeps_its_hands_off(name):
            return context, run.grad
        case Instance(cls=LocalClass() as cls):
            return _enter_object(run, node, context, cls)
        case Managed():
            return _enter_managed(run, node, context)
        case Plain(kind=kind):
            return plain.call(kind, "__enter__") or context, run.grad
        case Unknown(made_by=name) if name and torch_facts.keeps_its_hands_off(name):
            return Unknown(made_by=name), run.grad  # itself, or something else of the same library
        case Iterable() | Container() | Batch() | Tensor() | Number() | Params():
            return context, run.grad
        case _:
            return Unknown(), None


def leave_context(run: Run, node: ast.expr, context: Value) -> None:
    """What happens at the end of `with context`: `__exit__` runs, or the rest of a generator."""
    for option in options(context):
        if isinstance(option, Instance) and isinstance(option.cls, LocalClass):
            leave = members.lookup(option.cls, "__exit__") or members.lookup(option.cls, "__aexit__")
            if isinstance(leave, Function):
                calls.call_function(run, calls.bound(leave, option), None, node)
        elif isinstance(option, Managed) and option.rest:
            run.path.append(Call(node, option.function.node, option.rest))


def _enter_object(run: Run, node: ast.expr, context: Instance, cls: LocalClass) -> tuple[Value, bool | None]:
    enter = members.lookup(cls, "__enter__") or members.lookup(cls, "__aenter__")
    if not isinstance(enter, Function):
        return Unknown(), None
    value = calls.call_function(run, calls.bound(enter, context), Arguments([], {}), node)
    if isinstance(value, Coroutine):  # of `async with`
        value = value.result
    return value, None if members.is_open(cls) else run.grad


def _enter_managed(run: Run, node: ast.expr, context: Managed) -> tuple[Value, bool | None]:
    """Runs a generator up to its `yield`; what stands behind it waits in `rest`.

    Where the `yield` stands in a branch or a loop, or there are several, anything may happen.
    """
    pauses: list[tuple[int, bool | None, Value]] = []
    path: Path = []

    def pause(value: Value) -> None:
        pauses.append((len(path) if run.path is path else -1, run.grad, value))

    with run.grad_mode(run.grad):
        calls.follow(run, context.function, context.arguments, node, path, pause)
    if len(pauses) != 1 or pauses[0][0] < 0:
        run.emit(Kind.HAVOC, node)
        return Unknown(), None
    index, inside, value = pauses[0]
    if path[:index]:
        run.path.append(Call(node, context.function.node, path[:index]))
    context.rest = path[index:]
    return value, inside


def _inverted(flag: Value) -> bool | None:
    holds = expressions.truth(flag)
    return None if holds is None else not holds
