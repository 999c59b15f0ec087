"""What is said of calls that are not followed: functions that call themselves, and those that cost too much.

A function is always followed once. Later calls of it are followed while the budget for repetition lasts; what
they may do is then read off the events of the last time.
"""

from __future__ import annotations

import ast

from torchlore.analysis import definitions
from torchlore.analysis.events import Branch, Call, Event, Finally, Kind, Loop, Path, events
from torchlore.analysis.queries import join, options, tokens_of_all
from torchlore.analysis.run import Run, Summary
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
    Function,
    Instance,
    Iterable,
    LocalClass,
    Number,
    Tensor,
    Token,
    Unknown,
    Value,
)


def remember(run: Run, function: Function, result: Value, path: Path) -> None:
    """Keeps what a call of `function` gave and did."""
    run.summaries[function.node] = Summary(result, path)


def is_spent(run: Run, function: Function) -> bool:
    """Whether nothing is left for following `function`."""
    if not run.is_home(function):
        return (run.left if run.is_away else run.left_elsewhere) <= 0
    return run.left_again <= 0 and function.node in run.reached


def is_maker(run: Run, function: Function) -> bool:
    """Whether this is a class method of an imported class that says that it gives an object of the class.

    What it does to make one (`from_pretrained` downloads, looks into folders, …) is nothing to us, and long.
    """
    if run.is_home(function) or not isinstance(function.receiver, LocalClass):
        return False
    made = declared(run, function, function.node)
    return any(
        isinstance(part, Instance) and part.cls is function.receiver for part in options(made or Unknown())
    )


def not_followed(run: Run, function: Function, arguments: Arguments | None, node: ast.AST) -> Value:
    """The result of a call that is not followed. Anything may have happened, unless a summary tells."""
    given = list(arguments.all()) if arguments is not None else []
    if function.receiver is not None:
        given.append(function.receiver)
    tokens = tokens_of_all(given) | {node}
    if function.node in run.stack:
        for code in run.stack[run.stack.index(function.node) :]:
            _blur_parameters(run, code)
    known = run.summaries.get(function.node)
    if known is None:
        if run.is_home(function):
            run.emit(Kind.HAVOC, node)
        made = declared(run, function, node)
        run.escape(node, given if made is None else [*given, made])
        return made or run.given(node, tokens)
    if any(_matters(step) for step in known.path):
        run.emit(Kind.HAVOC, node)
    elif any(event.kind is Kind.SUPER_INIT for event in events(known.path)):
        run.emit(Kind.SUPER_INIT, node, subject=function.receiver)
    return _weakened(known.result, tokens) or declared(run, function, node) or run.given(node, tokens)


def _blur_parameters(run: Run, code: ast.AST) -> None:
    """A function that calls itself: its parameters are not only the numbers that they were at first."""
    if code in run.blurred:
        return
    run.blurred.add(code)
    args = getattr(code, "args", None)
    names = {arg.arg for arg in definitions.all_args(args)} if isinstance(args, ast.arguments) else set()
    for inner in ast.walk(code):
        known = run.values.get(inner) if isinstance(inner, ast.Name) and inner.id in names else None
        if isinstance(known, Const) and isinstance(known.value, int | float):
            run.values[inner] = Number()


def declared(run: Run, function: Function, node: ast.AST) -> Value | None:
    """What a function says that it returns; None where it does not say, or nothing that we know."""
    if isinstance(function.node, ast.Lambda) or function.node.returns is None:
        return None
    known = definitions.annotated(run, function, function.node.returns, node)
    return None if isinstance(known, Unknown) else known


_HARMLESS = frozenset({Kind.FORWARD, Kind.RESET, Kind.REGISTER, Kind.LOSS, Kind.SUPER_INIT, Kind.ACCUMULATE})


def _matters(step: object) -> bool:
    """Whether something happens in `step` that a rule about order has to know of."""
    match step:
        case Event(kind=kind):
            return kind not in _HARMLESS
        case Branch(arms=arms):
            return any(_matters(inner) for arm in arms for inner in arm)
        case Loop(body=body) | Call(body=body):
            return any(_matters(inner) for inner in body)
        case Finally(body=body, final=final):
            return any(_matters(inner) for inner in (*body, *final))
        case _:
            return False


def _weakened(value: Value, tokens: frozenset[Token], depth: int = 3) -> Value | None:
    """What stays true of a result when the arguments are others; None where that is nothing."""
    match value:
        case Tensor():
            return Tensor(certain=False, tokens=tokens)
        case Number() | Const():
            return value
        case Iterable(element=element) if depth:
            return Iterable(_weakened(element, tokens, depth - 1) or Unknown(tokens))
        case Container(kind="tuple", items=items) if depth and items is not None:
            parts = [_weakened(item, tokens, depth - 1) or Unknown(tokens) for item in items]
            return Container("tuple", parts, join(parts) if parts else Unknown())
        case _:
            parts = [
                part
                for option in options(value)
                if option is not value and (part := _weakened(option, tokens, depth))
            ]
            return join(parts) if parts and len(parts) == len(options(value)) else None
