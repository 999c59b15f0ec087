"""One of several models was made, by an option, and all go by one name: what is done to it, by which call.

`model = SAGE() if args.sage else GCN()`, `model.eval()`: to the paths, that is a call on one or on the other.
On a path on which a `SAGE` was made, no `GCN` was, so that the call is one on the `SAGE`.
"""

from __future__ import annotations

from collections.abc import Collection

from torchlore.analysis.events import Branch, Event, Kind, Root, events
from torchlore.analysis.queries import holds
from torchlore.analysis.values import Instance, Value


def acting_on(root: Root, model: Value, kinds: Collection[Kind]) -> frozenset[Event]:
    """The events that stand for one of `model`: they act on another thing, which was made instead of it.

    Args:
        root: the entry point.
        model: what is asked about.
        kinds: of the events.
    """
    found = set()
    for place in (place for kind in kinds for place in root.places_of(kind)):
        event = place.event
        choice = place.within[-1] if place.within else None
        if isinstance(choice, Branch) and choice.node is event.node and not holds(event.subject, model):
            beside = (other for arm in choice.arms for other in events(arm) if other.kind is event.kind)
            is_one_of_them = any(holds(other.subject, model) for other in beside)
            if is_one_of_them and _are_exclusive(root, event.subject, model):
                found.add(event)
    return frozenset(found)


def is_made(root: Root, model: Value) -> bool:
    """Whether it is the code from this entry point on that makes a model: before that there is none."""
    return any(event.key is model for event in root.of(Kind.RESET))


def _are_exclusive(root: Root, one: Value | None, other: Value) -> bool:
    """Whether two objects are made on different arms of a branch, and nowhere else."""
    if not isinstance(one, Instance):
        return False
    made = [place for place in root.places_of(Kind.RESET) if place.event.key is one]
    choices = [[step for step in place.within if isinstance(step, Branch)] for place in made]
    return bool(made) and all(any(_parts(branch, one, other) for branch in some) for some in choices)


def _parts(branch: Branch, one: Value, other: Value) -> bool:
    """Whether one arm of a branch makes `one`, another one `other`, and none both."""
    keys = [{event.key for event in events(arm) if event.kind is Kind.RESET} for arm in branch.arms]
    makes_one = {index for index, made in enumerate(keys) if one in made}
    makes_other = {index for index, made in enumerate(keys) if other in made}
    return bool(makes_one and makes_other) and makes_one.isdisjoint(makes_other)
