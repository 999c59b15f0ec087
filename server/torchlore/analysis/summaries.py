"""What is said of calls that are not followed: functions that call themselves, and those that cost too much.

A function is always followed once. Later calls of it are followed while the budget for repetition lasts; what
they may do is then read off the events of the last time.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from torchlore.analysis import definitions, methods, quiet, replaying
from torchlore.analysis.circumstances import Circumstances, Effects, Summary
from torchlore.analysis.events import Call, Jump, Kind, Path, events
from torchlore.analysis.frames import Frame
from torchlore.analysis.queries import alike, filled, has_unknown, join, options, tokens_of_all
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
    Managed,
    Number,
    OneOf,
    Tensor,
    Token,
    Unknown,
    Value,
)
from torchlore.text.nodes import nodes_in


def circumstances(
    run: Run, function: Function, arguments: Arguments | None, node: ast.AST
) -> Circumstances | None:
    """What decides what a call does; None where it is given things that cannot be told."""
    if arguments is None or not arguments.complete:
        return None
    bindings = 0
    frame: Frame | None = function.frame
    while frame is not None:
        bindings, frame = bindings + frame.bindings, frame.parent
    given = (*arguments.positional, *arguments.keywords.values())
    names, place = tuple(arguments.keywords), (node, run.context)
    return Circumstances(function, given, names, run.grad, run.changes, bindings, place, len(run.stack))


def write_call(run: Run, function: Function, node: ast.AST, path: Path) -> Call | None:
    """Writes that `function` ran, where anything happened in it."""
    if not any(not isinstance(step, Jump) or step.kind == "raise" for step in path):
        return None
    call = Call(node, function.node, path, function.receiver if methods.is_forward(function) else None)
    run.path.append(call)
    return call


def remember(run: Run, function: Function, summary: Summary) -> None:
    """Keeps what a call of `function` gave and did."""
    known = run.summaries.get(function.node)
    summary.makes |= known is not None and known.makes  # it makes the same ones again
    run.summaries[function.node] = summary


def repeated(run: Run, function: Function, before: Circumstances) -> Value | None:
    """The result of a call that does what the last one did, which is written again; None if it may do else.

    Nothing that the function reads has changed since the last call began, and its arguments are the same
    objects, or tensors of which the same is known.
    """
    known = run.summaries.get(function.node)
    if known is None or known.before is None or isinstance(known.result, Iterable):
        return None  # what happens in a generator, happens to whom loops over it
    if not _are_alike(known.before, before):
        return None
    given = list(zip(known.before.given, before.given, strict=True))
    if known.before.place != before.place and (known.makes or _is_fresh(known.result)):
        return None
    new = [(old, now) for old, now in given if old is not now]
    if new and _differentiates(known.path):  # of which tensor matters
        return None
    run.making += known.makes
    run.grad = known.grad
    write_call(run, function, before.place[0], known.path)
    return _derived(run, known.result, new, before.place[0]) if new else known.result


def _are_alike(was: Circumstances, now: Circumstances) -> bool:
    return (
        was.changes == now.changes
        and was.bindings == now.bindings
        and was.function.receiver is now.function.receiver
        and was.function.frame is now.function.frame
        and was.depth <= now.depth
        and _are_given_alike(was, now)
    )


def _are_given_alike(was: Circumstances, now: Circumstances) -> bool:
    """Whether two calls are given things of which the same is known, in the same grad mode."""
    if was.grad is not now.grad or was.names != now.names or len(was.given) != len(now.given):
        return False
    return all(map(alike, was.given, now.given))


def _is_fresh(value: Value) -> bool:
    """Whether a value may be changed in place and is another one each time that it is made."""
    if isinstance(value, Container) and value.kind == "tuple" and value.items is not None:
        return any(map(_is_fresh, value.items))
    return any(isinstance(option, Container | Iterable | Coroutine | Managed) for option in options(value))


def _differentiates(path: Path) -> bool:
    return any(event.kind in (Kind.BACKWARD, Kind.DIFFERENTIATE) for event in events(path))


def _derived(run: Run, value: Value, new: list[tuple[Value, Value]], node: ast.AST) -> Value:
    """What was made from the old arguments, as it is made from the new ones.

    Args:
        run: the interpretation.
        value: the result of the last call.
        new: the arguments that are other ones now, with what they were.
        node: the call.
    """
    for old, now in new:
        if value is old:
            return now
    old_tokens = tokens_of_all(old for old, _ in new)
    match value:
        case Tensor(tokens=tokens) if tokens & old_tokens:
            return replace(value, tokens=(tokens - old_tokens) | tokens_of_all(now for _, now in new))
        case Unknown(tokens=tokens):
            return run.given(node, (tokens - old_tokens) | tokens_of_all(now for _, now in new))
        case OneOf(options=parts):
            return join([_derived(run, part, new, node) for part in parts])
        case Container(kind="tuple", items=list(items)):
            made = [_derived(run, item, new, node) for item in items]
            return Container("tuple", made, join(made), value.keyed)
        case _:
            return value


def is_spent(run: Run, function: Function) -> bool:
    """Whether nothing is left for following `function`."""
    if run.left_again <= 0 and function.node in run.reached:
        return True
    return not run.is_home(function) and (run.left if run.is_away else run.left_elsewhere) <= 0


def is_maker(run: Run, function: Function) -> bool:
    """Whether this is a class method of an imported class that says that it gives an object of the class.

    What it does to make one (`from_pretrained` downloads, looks into folders, …) is nothing to us, and long.
    """
    if not isinstance(function.receiver, LocalClass) or run.is_home(function):
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
            _blur(run, code)
    known = run.summaries.get(function.node)
    if known is not None:
        was, now = known.before, circumstances(run, function, arguments, node)
        if was is None or now is None or not _are_given_alike(was, now):
            _blur(run, function.node)
    if known is None:
        if run.is_home(function):
            run.emit(Kind.HAVOC, node, key=function.node)
        made = declared(run, function, node)
        if not quiet.is_harmless(run, function, arguments):
            run.escape(node, given if made is None else [*given, made])
        return made or run.given(node, tokens)
    if known.effects is None:
        known.effects = _effects(known.path)
    effects = known.effects
    is_told = (effects.are_felt or effects.runs) and _replay(run, function, known, arguments, node)
    if not is_told and effects.are_felt and not quiet.is_harmless(run, function, arguments):
        _write_effects(run, effects, given, node)
    if effects.makes_base:
        run.emit(Kind.SUPER_INIT, node, subject=function.receiver)
    return _weakened(known.result, tokens) or declared(run, function, node) or run.given(node, tokens)


def _write_effects(run: Run, effects: Effects, given: list[Value], node: ast.AST) -> None:
    """Writes what a call may do that is not followed, and not alike enough to the last one."""
    if effects.matters:
        run.emit(Kind.HAVOC, node)
    if effects.escaped:  # what got into other hands the last time, and what it is given now
        held = [*given, *effects.escaped]
        run.escape(node, [Container("tuple", held, held)])


def _replay(run: Run, function: Function, known: Summary, arguments: Arguments | None, node: ast.AST) -> bool:
    """Writes what the last call did once more; False where this one may do something else."""
    new = replaying.new_arguments(run, known, circumstances(run, function, arguments, node))
    if new is None:
        return False
    run.grad = known.grad
    write_call(run, function, node, known.path)
    run.escape(node, new)
    return True


def _effects(path: Path) -> Effects:
    """What of a call that was followed has to be written for one that is not."""
    happened = events(path)
    runs = any(event.kind is Kind.FORWARD for event in happened)
    if matters(path):
        return Effects(True, (), False, runs)
    escaped = {id(event.value): event.value for event in happened if event.kind is Kind.ESCAPE}
    makes_base = any(event.kind is Kind.SUPER_INIT for event in happened)
    return Effects(False, tuple(value for value in escaped.values() if value), makes_base, runs)


def without_recursion(path: Path, code: ast.AST) -> Path:
    """The events of a function that may call itself: where no more happens, nothing does in that call."""
    matter = (event for event in events(path) if event.kind not in _HARMLESS)
    is_quiet = all(event.kind is Kind.HAVOC and event.key is code for event in matter)
    return quiet.without_havoc(path) if is_quiet else path


def matters(path: Path) -> bool:
    """Whether something happens below `path` that a rule about order has to know of."""
    return any(event.kind not in _HARMLESS for event in events(path))


def _blur(run: Run, code: ast.AST) -> None:
    """A function is called with other things than it was followed with: what was seen in it is not all."""
    if code in run.blurred:
        return
    run.blurred.add(code)
    function = run.functions.get(code)
    if function is not None and not run.is_home(function):
        return  # nobody looks at what was seen in other files
    args = getattr(code, "args", None)
    names = {arg.arg for arg in definitions.all_args(args)} if isinstance(args, ast.arguments) else set()
    for inner in nodes_in(code):
        match run.values.get(inner):
            case Const(value=int() | float()) if isinstance(inner, ast.Name) and inner.id in names:
                run.values[inner] = Number()
            case Container() if isinstance(inner, ast.Name) and inner.id in names:
                run.values[inner] = Unknown()
            case Tensor(certain=certain, tokens=tokens, parameter=False):
                run.values[inner] = Tensor(None, certain, tokens=tokens)


def returned(run: Run, function: Function, frame: Frame, node: ast.AST) -> Value:
    """What a function gives that ran in `frame`; what it says that it gives, where that cannot be seen."""
    if frame.yields is not None:
        return Iterable(join(frame.yields) if frame.yields else Unknown())
    result = join(frame.returns)
    if has_unknown(result) or (result.__class__ is OneOf and not run.is_home(function)):
        return filled(result, declared(run, function, node))
    return result


def declared(run: Run, function: Function, node: ast.AST) -> Value | None:
    """What a function says that it returns; None where it does not say, or nothing that we know."""
    if isinstance(function.node, ast.Lambda):
        return None
    if function.node.returns is None:
        wrapped = function.stands_for
        return declared(run, replace(wrapped, receiver=function.receiver), node) if wrapped else None
    known = definitions.annotated(run, function, function.node.returns, node)
    return None if isinstance(known, Unknown) else known


_HARMLESS = frozenset(
    {
        *(Kind.FORWARD, Kind.RESET, Kind.REGISTER, Kind.LOSS, Kind.SUPER_INIT, Kind.ACCUMULATE, Kind.YIELD),
        *(Kind.ESCAPE, Kind.STATE, Kind.LOAD_STATE, Kind.SAVE),
    }
)


def _is_record(value: Instance) -> bool:
    """Whether an object is there to be given back: its class declares fields and has no `__init__`."""
    if not isinstance(value.cls, LocalClass) or value.made_with is None:
        return False
    return not any("__init__" in cls.attributes for cls in value.cls.order or (value.cls,))


def _weakened(value: Value, tokens: frozenset[Token], depth: int = 3) -> Value | None:
    """What stays true of a result when the arguments are others; None where that is nothing."""
    match value:
        case Tensor():
            return Tensor(certain=False, tokens=tokens)
        case Number() | Const():
            return value
        case Instance(node=node, attributes=held) if depth and _is_record(value):
            fields = {name: _weakened(part, tokens, depth - 1) for name, part in held.items()}
            known = {name: part or Unknown(tokens) for name, part in fields.items()}
            return Instance(value.cls, node, attributes=known)
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
