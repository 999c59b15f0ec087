"""Calls that are not followed, and yet do to the same objects what the last call did.

`validate(model, val_loader)` and `validate(model, test_loader)`: once nothing is left for following functions
again, the second one could have done anything, were it not for what was seen of the first.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis.circumstances import Circumstances, Summary, Traces
from torchlore.analysis.events import Event, Kind, Path, events
from torchlore.analysis.queries import options, reachable, same
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Container,
    Function,
    Instance,
    Iterable,
    Number,
    OneOf,
    Params,
    Tensor,
    Unknown,
    Value,
)
from torchlore.text.nodes import nodes_in


def new_arguments(run: Run, known: Summary, now: Circumstances | None) -> list[Value] | None:
    """What a call is given that the last one was not, where it surely does the same to the same objects.

    Args:
        run: the interpretation.
        known: of the last call.
        now: what this one is called with.

    Returns:
        Those of the arguments that are other ones and that code which cannot be seen got hold of the last
        time; None where the call may do something else.
    """
    was = known.before
    if was is None or now is None or known.decides or now.function.node in run.stack:
        return None
    if was.grad is not now.grad or was.names != now.names or len(was.given) != len(now.given):
        return None
    if was.function.frame is not now.function.frame or was.function.receiver is not now.function.receiver:
        return None
    pairs = list(zip(was.given, now.given, strict=True))
    others = [(old, new) for old, new in pairs if old is not new and not same(old, new)]
    if not all(_are_exchangeable(old, new) for old, new in others):
        return None
    if known.traces is None:
        known.traces = _traces(known.path)
    traces = known.traces
    acted_on = traces.touched | traces.called
    if any(id(part) in acted_on for old, _ in others for part in reachable(old)):
        return None
    kept = [new for old, new in pairs if old is new] + _receiver(now)
    if not traces.touched <= traces.made | {id(part) for value in kept for part in reachable(value)}:
        return None
    return [new for old, new in others if any(id(part) in traces.escaped for part in reachable(old))]


def _traces(path: Path) -> Traces:
    happened = events(path)
    return Traces(
        touched=frozenset(id(v) for e in happened if e.kind in _DONE_TO for v in _touched(e)),
        called=frozenset(id(e.subject) for e in happened if e.kind is Kind.FORWARD),
        made=frozenset(id(e.key) for e in happened if e.kind is Kind.RESET),
        escaped=frozenset(
            id(part) for e in happened if e.kind is Kind.ESCAPE and e.value for part in reachable(e.value)
        ),
    )


def _receiver(now: Circumstances) -> list[Value]:
    return [] if now.function.receiver is None else [now.function.receiver]


def _touched(event: Event) -> Iterator[Value]:
    """The objects that something is done to: models, optimizers, schedulers, scalers."""
    for value in (event.subject, event.value):
        for option in options(value) if value is not None else ():
            if isinstance(option, Params):
                yield from option.owners or (option,)
            elif not isinstance(option, Tensor | Number):
                yield option


_DONE_TO = frozenset(
    {
        *(Kind.CLEAR, Kind.WRITE_GRADS, Kind.STEP, Kind.CLIP, Kind.SCHEDULE, Kind.SCALE),
        *(Kind.UNSCALE, Kind.UPDATE, Kind.TRAIN, Kind.EVAL, Kind.MODE, Kind.FREEZE, Kind.STATE),
        *(Kind.LOAD_STATE, Kind.REGISTER),
    }
)


def _are_exchangeable(old: Value, new: Value) -> bool:
    """Whether code that looks at one of two things goes the same ways with the other: they are data."""
    if old.__class__ is not new.__class__:
        return False
    match old, new:
        case ((Tensor() | Unknown() | Number() | Iterable()), _):
            return True
        case Instance(cls=cls), Instance(cls=other):
            return cls == other
        case Function(node=code, receiver=owner), Function(node=other, receiver=other_owner):
            return code is other and owner is other_owner
        case Container(kind=kind, items=None), Container(kind=other, items=None):
            return kind == other and not old.keyed and not new.keyed
        case Container(items=list(parts)), Container(items=list(others)):
            return len(parts) == len(others) and all(map(_are_alike, parts, others))
        case OneOf(options=parts), OneOf(options=others):
            return len(parts) == len(others) and all(map(_are_alike, parts, others))
        case _:
            return False


def _are_alike(old: Value, new: Value) -> bool:
    return same(old, new) or _are_exchangeable(old, new)


def is_about_state(run: Run, test: ast.expr) -> bool:
    """Whether a condition looks at more than a function was given: at attributes, or at names around it."""
    own = run.frame.names
    for node in nodes_in(test):
        if isinstance(node, ast.Attribute):
            return True
        if isinstance(node, ast.Name) and node.id not in own and node.id in run.frame.outermost.names:
            return True
    return False
