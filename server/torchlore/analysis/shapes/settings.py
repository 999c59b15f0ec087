"""Sizes that the constructor of a layer was given, and whether a tensor is as the layer wants it."""

from __future__ import annotations

from torchlore.analysis.layer_sizes import NotKnown, Settings
from torchlore.analysis.shapes.shape import Clash, Dim, Shape, dim_at


def told_size(settings: Settings, name: str) -> Dim:
    """A size that a constructor was given; None where it is not known."""
    try:
        found = settings[name]
    except NotKnown:
        return None
    return found if type(found) is int and found >= 0 else None


def each(settings: Settings, name: str, dimensions: int) -> tuple[Dim, ...]:
    """A size for each dimension; one number stands for all of them."""
    try:
        found = settings[name]
    except NotKnown:
        return (None,) * dimensions
    if isinstance(found, tuple) and len(found) == dimensions:
        return tuple(part if type(part) is int else None for part in found)
    return (found if type(found) is int else None,) * dimensions


def expect(given: Shape | None, axis: int, wanted: Dim, after: Shape | None) -> None:
    """Says that a tensor is not as wide as it has to be."""
    got = None if given is None else dim_at(given, axis)
    if given is not None and got is not None and wanted is not None and got != wanted:
        raise Clash("features", wanted, got, (given,), after)


def ranked(given: Shape | None, least: int, most: int) -> None:
    """Says that a tensor has too few or too many dimensions."""
    if given is not None and not given.is_open and not least <= len(given.dims) <= most:
        raise Clash("dimensions", most, len(given.dims), (given,))
