"""Schedulers and their optimizers: which of the two is stepped first."""

from __future__ import annotations

from collections.abc import Sequence

from torchlore.analysis.events import Branch, Event, Kind, Place, Root, events
from torchlore.analysis.queries import holds
from torchlore.analysis.values import Instance


def first_step(root: Root, place: Place, optimizer: Instance) -> Event | None:
    """The first step of the optimizer, if that comes after, in the same loop, whatever path is taken.

    Args:
        root: what the scheduler is stepped in.
        place: where it is stepped, within a loop.
        optimizer: its own.
    """
    loop = place.loops[-1]
    below = place.within[place.within.index(loop) + 1 :]
    if any(isinstance(step, Branch) for step in below):
        return None
    for event in _since_it_is_made(root, optimizer):
        if event is place.event:
            break
        if _may_step(event, optimizer):
            return None
    inside = events(loop.body)
    after = inside[inside.index(place.event) :]
    found = next((e for e in after if e.kind is Kind.STEP and e.subject is optimizer), None)
    before = after[: after.index(found)] if found is not None else []
    return None if any(_may_step(event, optimizer) for event in before) else found


def _since_it_is_made(root: Root, optimizer: Instance) -> Sequence[Event]:
    """What happens from where an optimizer is made: nothing steps it before."""
    made = next((i for i, event in enumerate(root.events) if event.key is optimizer), 0)
    return root.events[made:]


def _may_step(event: Event, optimizer: Instance) -> bool:
    """Whether the optimizer is stepped, or code that we cannot see has it: the model alone cannot step it."""
    match event.kind:
        case Kind.STEP:
            return event.subject is optimizer or not isinstance(event.subject, Instance)
        case Kind.ESCAPE:
            return holds(event.value, optimizer)
        case kind:
            return kind is Kind.HAVOC
