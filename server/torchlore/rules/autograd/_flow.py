"""Whether gradients can flow back through an expression, and what stops them."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from torchlore.analysis import Analysis
from torchlore.analysis.events import Kind
from torchlore.analysis.members import kind_of
from torchlore.analysis.names import words
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import options
from torchlore.analysis.values import Const, Number, Ref, Tensor
from torchlore.rules import bindings

_WITHOUT_GRAPH = words(
    """
    argmax argmin argsort eq ne lt le gt ge isnan isinf isfinite isclose logical_and logical_or logical_not
    logical_xor count_nonzero nonzero long int short bool byte histc one_hot multinomial any all
    """
)
"""Functions and methods that give tensors without a graph, whatever they are given."""

_FLAT = words("round floor ceil trunc fix sign sgn bernoulli")

FLAT = tuple(f"{home}.{name}" for home in ("torch", "Tensor") for name in sorted(_FLAT))
"""Those of which the derivative is zero wherever there is one, by dotted name."""

_PAIRS = words("max min topk sort kthvalue mode cummax cummin")
"""Those that give values and, with a dimension, their indices."""

_MOST = 60
"""Expressions that are looked at for one answer."""


class Stop(NamedTuple):
    """What gradients cannot pass.

    Attributes:
        node: the expression that stops them.
        cause: what that is, in words: "`argmax`", "the comparison".
        is_flat: they go on, but are zero.
    """

    node: ast.expr
    cause: str
    is_flat: bool


class Flow:
    """The flow of gradients in one file."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._left = 0

    def stop(self, node: ast.expr) -> Stop | None:
        """What stops all gradients between an expression and what it is computed from.

        None where something in it may pass them on, or where it rests on no computed tensor at all.
        """
        self._left = _MOST
        found = self._of(node)
        return found if isinstance(found, Stop) else None

    def _of(self, node: ast.expr) -> Stop | bool:
        """What stops the gradients, whether they flow (True), or whether there are none to flow (False)."""
        self._left -= 1
        if self._left <= 0:
            return True
        match node:
            case ast.Constant() | ast.JoinedStr():
                return False
            case ast.Name():
                return self._of_name(node)
            case ast.Call():
                return self._of_call(node)
            case ast.Compare(left=left, comparators=rights):
                return self._stopped([left, *rights], Stop(node, "the comparison", False))
            case ast.Attribute(value=owner, attr="data"):
                return self._stopped([owner], Stop(node, "`.data`", False))
            case ast.Attribute(value=owner, attr="values" | "T" | "mT"):
                return self._of(owner)
            case ast.Attribute(value=ast.Call() as owner, attr="indices"):
                return self._of_indices(owner) or not self._is_constant(node)
            case ast.Subscript(value=owner, slice=ast.Constant(value=1)):
                return self._of_indices(owner) or self._of(owner)
            case ast.Subscript(value=owner):
                return self._of(owner)
            case ast.BinOp(left=left, right=right):
                return self._together([left, right])
            case ast.UnaryOp(operand=operand):
                return self._of(operand)
            case ast.IfExp(body=body, orelse=other):
                return self._together([body, other])
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                return self._together(parts)
            case _:
                return not self._is_constant(node)

    def _of_name(self, node: ast.Name) -> Stop | bool:
        value = self._analysis.value(node)
        if isinstance(value, Tensor) and value.leaf:
            return True  # whatever it was made of
        made = bindings.values_of(self._analysis, node)
        if made is not None:  # the one that it holds now most often stands last before it
            return self._together(sorted(made, key=lambda one: (one.lineno > node.lineno, -one.lineno)))
        unpacked = bindings.unpacked_from(self._analysis, node)
        stop = self._of_indices(unpacked[0]) if unpacked is not None and unpacked[1] == 1 else None
        return stop or not self._is_constant(node)

    def _of_call(self, node: ast.Call) -> Stop | bool:
        known = self._analysis.call_at(node)
        if known is None:
            return not self._is_constant(node)
        home, _, name = known.name.rpartition(".")
        inputs = [*node.args, *(keyword.value for keyword in node.keywords)]
        if home == "Tensor" and isinstance(node.func, ast.Attribute):
            inputs = [node.func.value, *inputs]
        if node in self._unrecorded:
            return Stop(node, "that it ran without gradients", False)
        if home in _HOMES and name in _WITHOUT_GRAPH | {"detach"}:
            return self._stopped(inputs, Stop(node, f"`{name}`", False))
        if home in _HOMES and name in _FLAT:
            return self._stopped(inputs, Stop(node, f"`{name}`", True))
        if home in _HOMES or (known.receiver is not None and kind_of(known.receiver) == "Loss"):
            return self._together(inputs) or not self._is_constant(node)
        return not self._is_constant(node)

    def _stopped(self, inputs: list[ast.expr], stop: Stop) -> Stop | bool:
        """What comes of `inputs` behind a stop: an earlier one is told of rather."""
        found = self._together(inputs)
        return stop if found is True else found

    def _together(self, parts: Iterable[ast.expr]) -> Stop | bool:
        """What comes of several. Gradients that are zero go on, whatever stops the others."""
        found: Stop | bool = False
        for part in parts:
            one = self._of(part)
            if one is True:
                return True
            if isinstance(one, Stop) and (not isinstance(found, Stop) or one.is_flat > found.is_flat):
                found = one
        return found

    def _of_indices(self, node: ast.expr) -> Stop | None:
        """The indices that a call gives beside values: `out.max(1)`, `torch.topk(out, 5)`."""
        call = self._analysis.call_at(node)
        home, _, name = call.name.rpartition(".") if call is not None else ("", "", "")
        found = home in _HOMES and name in _PAIRS
        return Stop(node, f"taking the indices of `{name}`", False) if found else None

    def _is_constant(self, node: ast.expr) -> bool:
        """Whether an expression has no graph, and lost none: a number, a dtype, what `torch.zeros` gave."""
        return all(
            isinstance(part, Const | Number | Ref | Plain)
            or (isinstance(part, Tensor) and part.attached is False)
            or kind_of(part) == "Device"
            for part in options(self._analysis.value(node))
        )

    @cached_property
    def _unrecorded(self) -> set[ast.AST]:
        """Calls of modules with gradients off, each time that they run."""
        events = [event for root in self._analysis.roots for event in root.of(Kind.FORWARD)]
        recorded = {event.node for event in events if event.grad is not False}
        return {event.node for event in events} - recorded


_HOMES = ("torch", "torch.nn.functional", "torch.special", "torch.linalg", "Tensor")
"""Where the functions are that compute one tensor of others, and nothing else."""
