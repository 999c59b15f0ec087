"""Functions of imported files that do nothing a rule could ask about: told once for all who import them.

`is_available()`, `get_logger(__name__)`, `seed_everything(0)`: to follow such functions anew in every file
that imports them would take longer than the rest of a large project. Each is followed once with unknown
arguments, by an interpretation of its own, so that what is known of it depends on nobody who asks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

from torchlore.analysis import calls, imports, interpret, summaries, tensors
from torchlore.analysis.budget import Budget
from torchlore.analysis.events import Event, Kind, Path, events
from torchlore.analysis.files import File
from torchlore.analysis.frames import Frame
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import join, options, reachable, tokens_of_all
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    BoundMethod,
    Const,
    Container,
    Function,
    Instance,
    LocalClass,
    Number,
    Params,
    Ref,
    Tensor,
    Unknown,
    Value,
)
from torchlore.analysis.workspace import Imports


@dataclass(frozen=True, slots=True)
class Inert:
    """A function of which nothing but its result matters.

    Attributes:
        result: what it gives, whatever it is given.
        hands_on: whether code that cannot be seen may get what it is given.
        files, missed, broken: what this rests on, as in `Imports`.
    """

    result: Value
    hands_on: bool
    files: Mapping[str, File]
    missed: frozenset[str]
    broken: frozenset[str]


def call(run: Run, function: Function, arguments: Arguments, node: ast.AST) -> Value | None:
    """What a call of an inert function gives; None where the function has to be followed."""
    loader = function.frame.loader
    if not isinstance(loader, imports.FileLoader) or function.owner is not None or function.decorators:
        return None
    if run.imports is None or any(_is_worth_following(value) for value in arguments.all()):
        return None
    known = _known(run.imports, loader, function)
    if known is None:
        return None
    run.imports.files.update(known.files)
    run.imports.missed |= known.missed
    run.imports.broken |= known.broken
    if known.hands_on:
        run.escape(node, list(arguments.all()))
    return _given(run, known.result, arguments, node)


def _is_worth_following(value: Value) -> bool:
    """Whether it may matter what becomes of an argument, or a result made from it may be told."""
    return any(isinstance(part, _SUBJECTS) for part in reachable(value, depth=2))


_SUBJECTS = (BoundMethod, Function, Instance, LocalClass, Params, Tensor)


def _known(asking: Imports, loader: imports.FileLoader, function: Function) -> Inert | None:
    kept = loader.file.inert
    code = function.node
    known = kept.get(code)
    if code not in kept or (known is not None and not asking.still_holds(known.files, known.missed)):
        kept[code] = None  # until it is known: it may call itself
        kept[code] = known = _found_out(asking, loader, function)
    return known


def _found_out(asking: Imports, loader: imports.FileLoader, function: Function) -> Inert | None:
    code, file = function.node, loader.file
    if isinstance(code, ast.Lambda) or _LOUD.search(file.text_of(code)) is not None:
        return None
    budget = Budget.for_a_call()
    home = Frame(ast.Module([], []))
    run = Run(ast.Module([], []), home, home, budget, imports=Imports(asking.workspace, file.path))
    run.left, run.left_again, run.left_elsewhere = budget.module, budget.again, budget.elsewhere
    found = imports.member_of(run, file.path, code.name)
    path: Path = []
    if not isinstance(found, Function) or found.node is not code:
        return None
    frame = calls.follow(run, found, None, code, path)
    is_done = run.left_elsewhere > 0
    result = _portable(summaries.returned(run, found, frame, code))
    happened = events(path)
    interpret.dissolve(run)
    if not is_done or result is None or not all(map(_is_quiet, happened)):
        return None
    assert run.imports is not None
    hands_on = any(event.kind is Kind.ESCAPE for event in happened)
    return Inert(
        result, hands_on, run.imports.files, frozenset(run.imports.missed), frozenset(run.imports.broken)
    )


_LOUD = re.compile(r"\b(?:backward|step|zero_grad|grad|no_grad|eval|train|requires_grad_?|yield|nonlocal)\b")
"""Words of functions that most likely do matter: nothing is lost where these are followed."""

_QUIET = frozenset(
    {Kind.ESCAPE, Kind.RESET, Kind.LOSS, Kind.FORWARD, Kind.ACCUMULATE, Kind.RETURN, Kind.SAVE}
)


def _is_quiet(event: Event) -> bool:
    """Whether an event is of no interest outside of the function in which it happens."""
    if event.kind is not Kind.RESET or not isinstance(event.key, tuple):
        return event.kind in _QUIET
    owner = event.key[0]  # of a variable a frame, of an attribute an object
    if isinstance(owner, Frame):
        return True
    return isinstance(owner, Instance) and isinstance(owner.node, ast.Call)


def _portable(value: Value) -> Value | None:
    """What can be said of a result to everyone; None where it is an object, of which there are many."""
    match value:
        case Const() | Number() | Plain() | Ref() | Unknown():
            return value
        case Tensor(attached=attached, certain=certain, dtype=dtype, device=device):
            return Tensor(attached, certain, dtype=dtype, device=device)
        case Container(kind="tuple", items=list(items), keyed=keyed) if not keyed:
            parts = [_portable(item) for item in items]
            return None if None in parts else Container("tuple", [p for p in parts if p], parts)  # type: ignore[arg-type]
        case _:
            parts = [_portable(option) for option in options(value) if option is not value]
            return join([p for p in parts if p]) if parts and None not in parts else None


def _given(run: Run, value: Value, arguments: Arguments, node: ast.AST) -> Value:
    """A result as one call gives it."""
    tokens = tokens_of_all(arguments.all()) | {node}
    match value:
        case Unknown(made_by=made_by):
            return run.given(node, tokens, made_by)
        case Tensor(attached=attached):
            return tensors.like(value, attached, tokens)
        case Container(items=list(items)):
            parts = [_given(run, item, arguments, node) for item in items]
            return Container("tuple", parts, [*parts])
        case _:
            parts = [_given(run, option, arguments, node) for option in options(value) if option is not value]
            return join(parts) if parts else value
