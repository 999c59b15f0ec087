"""Gradient scalers: what the gradients of an optimizer are, on every path, when something happens."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from torchlore.analysis import Analysis, parameters
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Event, Kind, Place, Root
from torchlore.analysis.members import kind_of
from torchlore.analysis.queries import holds, options
from torchlore.analysis.values import Const, Grads, Instance, Unknown, Value
from torchlore.rules import support


@dataclass(frozen=True, slots=True)
class Gradients:
    """What the gradients of one optimizer are.

    Attributes:
        state: "none", "plain", "scaled", "unscaled" (they were scaled) or "unknown".
        clipped: what clipped them while they were scaled.
        scaled: losses that were scaled and not yet differentiated.
    """

    state: str = "none"
    clipped: Event | None = None
    scaled: frozenset[Event] = frozenset()


def gradients(root: Root, optimizer: Value) -> dict[Event, set[Gradients]]:
    """What the gradients of `optimizer` can be when something happens to them.

    Of one that is not known they are taken to be all that there are.
    """
    start = Gradients() if root.certain else Gradients("unknown")
    return walk(root.path, start, partial(_move, optimizer), _KINDS)


_KINDS = (
    *(Kind.HAVOC, Kind.ESCAPE, Kind.WRITE_GRADS, Kind.ACCUMULATE, Kind.CLEAR, Kind.BACKWARD, Kind.STEP),
    *(Kind.CLIP, Kind.SCALE, Kind.UNSCALE),
)


def _move(optimizer: Value, event: Event, before: Gradients) -> Gradients:
    match event.kind:
        case Kind.SCALE:
            return replace(before, scaled=before.scaled | {event})
        case Kind.BACKWARD:
            return _after_backward(event, before)
        case Kind.CLEAR:
            return _after_clearing(event, before, optimizer)
        case Kind.UNSCALE if event.value is optimizer and before.state in ("scaled", "unscaled"):
            return replace(before, state="unscaled")
        case Kind.UNSCALE if event.value is not optimizer and not _is_other(event.value):
            return replace(before, state="unknown")
        case Kind.CLIP if before.state == "scaled" and before.clipped is None and concerns(event, optimizer):
            return replace(before, clipped=event)
        case Kind.STEP if event.subject is optimizer:
            return Gradients(scaled=before.scaled)
        case Kind.WRITE_GRADS:
            return replace(before, state="unknown")
        case Kind.ACCUMULATE if isinstance(event.subject, Grads):
            return replace(before, state="unknown")
        case Kind.HAVOC:
            return replace(before, state="unknown")
        case Kind.ESCAPE if isinstance(optimizer, Instance) and support.holds_on_to(event, optimizer):
            return replace(before, state="unknown")
        case _:
            return before


def _after_clearing(event: Event, before: Gradients, optimizer: Value) -> Gradients:
    if not isinstance(optimizer, Instance) or support.surely_clears(event, optimizer):
        return Gradients(scaled=before.scaled)
    return replace(before, state="unknown") if support.may_clear(event, optimizer) else before


def _is_other(value: Value | None) -> bool:
    return isinstance(value, Instance) and support.is_optimizer(value)


def _after_backward(event: Event, before: Gradients) -> Gradients:
    """Of what was scaled and what was not the sum is neither."""
    scaled = next((scale for scale in before.scaled if _is_of(scale, event)), None)
    if scaled is not None:
        left = before.scaled - {scaled}
        is_new = before.state in ("none", "scaled")
        return replace(before, state="scaled" if is_new else "unknown", scaled=left)
    is_plain = not before.scaled and not getattr(event.node, "args", ())  # `engine.backward(loss)` may scale
    return replace(before, state="plain" if is_plain and before.state in ("none", "plain") else "unknown")


def _is_of(scale: Event, backward: Event) -> bool:
    return scale.value is not None and any(option is backward.value for option in options(scale.value))


def concerns(clip: Event, optimizer: Value) -> bool:
    """Whether what is clipped is surely updated by `optimizer`, if that is known."""
    if not isinstance(optimizer, Instance):
        return True
    clipped = parameters.owners(clip.value) if clip.value is not None else None
    mine = support.owners(optimizer)
    if clipped is None or mine is None:
        return False
    return any(holds(a, b) or holds(b, a) for a in clipped for b in mine)


def scaler_of(analysis: Analysis, step: ast.AST) -> Instance | None:
    """The scaler that steps an optimizer: `scaler` in `scaler.step(optimizer)`; None where it is another."""
    if not isinstance(step, ast.Call) or not isinstance(step.func, ast.Attribute):
        return None
    value = analysis.run.values.get(step.func.value)
    found = [option for option in options(value) if isinstance(option, Instance)] if value is not None else []
    if len(found) != 1 or kind_of(found[0]) != "GradScaler" or _is_switched_off(found[0]):
        return None
    return found[0]


def _is_switched_off(scaler: Instance) -> bool:
    """Whether it was made with `enabled=False`: then it scales nothing."""
    flag = scaler.arguments.keywords.get("enabled") if scaler.arguments is not None else None
    return isinstance(flag, Const) and not flag.value


def steps(root: Root) -> Iterator[tuple[Value, Place]]:
    """Every step of an optimizer, or of what is not known (a scaler steps nothing else)."""
    for place in root.places_of(Kind.STEP):
        optimizer = place.event.subject
        if isinstance(optimizer, Unknown) or (optimizer is not None and support.is_optimizer(optimizer)):
            yield optimizer, place
