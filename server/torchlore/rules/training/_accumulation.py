"""Loops that compute gradients in every iteration and step in some: the accumulation of gradients."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis.accumulation import gate
from torchlore.analysis.events import Branch, Event, Kind, Loop, Place, Root
from torchlore.analysis.values import Grads, Instance
from torchlore.rules import support


def gated_steps(root: Root) -> Iterator[tuple[Place, Instance, Loop, ast.If]]:
    """The steps of optimizers in some iterations of a loop only, each with that loop and its gate."""
    for place in root.places_of(Kind.STEP):
        optimizer = place.event.subject
        if not isinstance(optimizer, Instance) or not support.is_optimizer(optimizer) or not place.loops:
            continue
        around = gate(place.loops[-1], place)
        if around is not None:
            yield place, optimizer, place.loops[-1], around


def is_conditional(place: Place) -> bool:
    return any(isinstance(step, Branch) for step in place.within)


def interferes(event: Event, optimizer: Instance) -> bool:
    """Whether gradients may come from elsewhere than `backward`, or unknown code has the optimizer."""
    if event.kind is Kind.WRITE_GRADS or (event.kind is Kind.ACCUMULATE and isinstance(event.subject, Grads)):
        return True
    return support.holds_on_to(event, optimizer)
