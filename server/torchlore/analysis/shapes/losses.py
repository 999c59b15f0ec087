"""Losses of an input and a target: torch broadcasts the shapes of some, and refuses those of others."""

from __future__ import annotations

from torchlore.analysis.shapes.shape import SCALAR, Clash, Shape
from torchlore.analysis.tensor_facts import WHOLE
from torchlore.analysis.values import Tensor

KINDS = {
    **dict.fromkeys(("mse_loss", "MSELoss"), "broadcast"),
    **dict.fromkeys(("l1_loss", "L1Loss"), "broadcast"),
    **dict.fromkeys(("smooth_l1_loss", "SmoothL1Loss"), "broadcast"),
    **dict.fromkeys(("huber_loss", "HuberLoss"), "broadcast"),
    **dict.fromkeys(("binary_cross_entropy", "BCELoss"), "same"),
    **dict.fromkeys(("binary_cross_entropy_with_logits", "BCEWithLogitsLoss"), "same"),
    **dict.fromkeys(("cross_entropy", "CrossEntropyLoss"), "classes"),
    **dict.fromkeys(("nll_loss", "NLLLoss"), "classes"),
}
"""What a loss, as a function or as a layer, asks of its target."""


def check(name: str, given: Tensor, target: Tensor) -> None:
    """Says whether a loss does not do with two tensors what it is there for.

    Raises:
        Clash: "loss", where each of the two is stretched to the other one; "target" and "classes", where
            torch raises.
    """
    if given.shape is None or target.shape is None:
        return
    match KINDS.get(name):
        case "broadcast" if _is_crossed(given.shape, target.shape):
            raise Clash("loss", 0, 0, (given.shape, target.shape), SCALAR)
        case "same" if _surely_differ(given.shape, target.shape):
            raise Clash("target", 0, 0, (given.shape, target.shape), SCALAR)
        case "classes" if target.dtype in WHOLE and _is_column(given.shape, target.shape):
            raise Clash("classes", 0, 0, (given.shape, target.shape), SCALAR)


def _is_crossed(one: Shape, other: Shape) -> bool:
    """Whether broadcasting repeats both: `(N, 1)` and `(N,)` become `(N, N)`."""
    if other.is_open:
        return False
    length = max(len(one.dims), len(other.dims)) + one.is_open
    pairs = [(_along(one, axis), _along(other, axis)) for axis in range(-length, 0)]
    if any(a is not None and b is not None and a != b and 1 not in (a, b) for a, b in pairs):
        return False  # torch raises
    return any(a == 1 != b for a, b in pairs) and any(b == 1 != a for a, b in pairs)


def _along(shape: Shape, axis: int) -> int | None:
    if -axis <= len(shape.dims):
        return shape.dims[axis]
    return None if shape.is_open else 1


def _surely_differ(one: Shape, other: Shape) -> bool:
    if one.is_open or other.is_open:
        return False
    if len(one.dims) != len(other.dims):
        return True
    pairs = zip(one.dims, other.dims, strict=True)
    return any(a is not None and b is not None and a != b for a, b in pairs)


def _is_column(given: Shape, target: Shape) -> bool:
    """Whether class numbers stand below one another where they are to stand in a row."""
    both_matrices = not given.is_open and not target.is_open and len(given.dims) == len(target.dims) == 2
    return both_matrices and target.dims[1] == 1
