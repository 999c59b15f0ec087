"""What gave a tensor its shape, told from the statements above: a name is often given a new value."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.names import words
from torchlore.rules import bindings

_KEEPS = frozenset(
    f"torch.nn.{name}()"
    for name in words("Dropout AlphaDropout ReLU ReLU6 LeakyReLU ELU GELU SiLU Tanh Sigmoid Identity")
) | frozenset(
    f"{home}.{name}"
    for home in ("torch.nn.functional", "torch", "Tensor")
    for name in words("dropout relu relu_ leaky_relu elu gelu silu tanh sigmoid contiguous float")
)

_DEPTH = 8
"""Assignments and calls are gone back so far."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The call that an expression comes from.

    Attributes:
        place: where in what the call gives; empty where that is all of it.
    """

    call: Called
    place: tuple[int, ...]


def origin(analysis: Analysis, node: ast.expr, depth: int = _DEPTH) -> Origin | None:
    """The call that gave what an expression is, where nothing since then gave it another shape.

    None where that is not known, or where other ways lead to the expression.
    """
    match node:
        case ast.Name() if depth:
            bound = bindings.last_bound(analysis, node)
            found = origin(analysis, bound[0], depth - 1) if bound is not None else None
            return _part(found, bound[1]) if bound is not None else None
        case ast.Subscript(value=whole, slice=ast.Constant(value=int() as index)) if depth:
            found = origin(analysis, whole, depth - 1)
            return _part(found, (index,)) if found is not None and not found.place else None
        case ast.Call():
            call = analysis.call_at(node)
            if call is None or call.name not in _KEEPS:
                return Origin(call, ()) if call is not None else None
            return origin(analysis, given_to(call), depth - 1) if depth else None
        case _:
            return None


def _part(found: Origin | None, place: tuple[int, ...]) -> Origin | None:
    return Origin(found.call, (*found.place, *place)) if found is not None else None


def keeps_shape(layer: str) -> bool:
    """Whether a layer of this class gives what has the shape of what it is given."""
    return f"{layer}()" in _KEEPS


def given_to(call: Called) -> ast.expr:
    """What a function, a method or a layer is given first."""
    func = call.node.func
    if isinstance(func, ast.Attribute) and call.name.startswith("Tensor."):
        return func.value
    given = [*call.node.args, *(keyword.value for keyword in call.node.keywords)]
    return given[0] if given else func
