"""Where `to`, `cuda` and `cpu` move something."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.queries import options
from torchlore.analysis.values import BoundMethod, Const, Instance, Value
from torchlore.rules import support

MOVES = ("Tensor.to", "Tensor.cuda", "Tensor.cpu")
"""The calls that move a tensor."""

FLAGS = frozenset({"non_blocking", "copy"})
"""Arguments of `to` that say how to move, not where."""


def moved(call: Called) -> ast.expr | None:
    """What is moved, where that is surely a tensor."""
    if not support.is_surely_tensor(call.receiver):
        return None
    return call.node.func.value if isinstance(call.node.func, ast.Attribute) else None


def device_of(analysis: Analysis, call: Called) -> str:
    """The device that a call in `MOVES` moves to, as Python; empty where it may do something else too."""
    names = {keyword.arg for keyword in call.node.keywords}
    if not call.is_complete or len(call.node.args) > 1 or None in names:
        return ""
    kind = call.name.rpartition(".")[2]
    given = call.argument(0, "device")
    if kind == "cpu":
        return '"cpu"' if given is None and not names else ""
    if not names <= FLAGS | {"device"}:
        return ""
    if kind == "cuda" and given is None:
        return '"cuda"'
    value = call.value(0, "device")
    if given is None or value is None or not all(map(_is_device, options(value))):
        return ""
    if kind == "cuda" and isinstance(given, ast.Constant) and isinstance(given.value, int):
        return f'"cuda:{given.value}"'
    return support.written(analysis, given)


def _is_device(value: Value) -> bool:
    if isinstance(value, Const):
        return isinstance(value.value, str | int) and not isinstance(value.value, bool)
    return (isinstance(value, Instance) and value.cls == "torch.device") or _is_of_something(value)


def _is_of_something(value: Value) -> bool:
    """Whether this is the `device` of an object that nothing is known of.

    Whoever has an attribute of this name (tensors, arrays, graphs, models of libraries) keeps in it what
    torch calls so, and `Tensor.to` would take it for nothing else. An object of the workspace says itself.
    """
    if not isinstance(value, BoundMethod) or value.name != "device":
        return False
    return not isinstance(value.receiver, Instance)


def is_of_something(call: Called) -> bool:
    """Whether a call in `MOVES` may move to the device of something that need not be a tensor of torch."""
    value = call.value(0, "device")
    return value is not None and any(map(_is_of_something, options(value)))


def is_where_another_is(call: Called) -> bool:
    """Whether a call in `MOVES` may move to where something else is: `x.device`, or a name for it."""
    value = call.value(0, "device")
    return value is not None and any(
        _is_of_something(one) or (isinstance(one, Instance) and isinstance(one.node, ast.Attribute))
        for one in options(value)
    )
