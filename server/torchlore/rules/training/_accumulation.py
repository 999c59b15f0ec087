"""Loops that compute gradients in every iteration and step in some: the accumulation of gradients."""

from __future__ import annotations

from torchlore.analysis.events import Branch, Event, Kind, Place
from torchlore.analysis.values import Grads, Instance
from torchlore.rules import support


def is_conditional(place: Place) -> bool:
    return any(isinstance(step, Branch) for step in place.within)


def interferes(event: Event, optimizer: Instance) -> bool:
    """Whether gradients may come from elsewhere than `backward`, or unknown code has the optimizer."""
    if event.kind is Kind.WRITE_GRADS or (event.kind is Kind.ACCUMULATE and isinstance(event.subject, Grads)):
        return True
    return support.holds_on_to(event, optimizer)
