"""Under which autocast something runs, and which ones a file has."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Call, Place
from torchlore.analysis.values import Const, Instance

_ENABLED = {
    "torch.autocast": 2,
    "torch.amp.autocast": 2,
    "torch.amp.autocast_mode.autocast": 2,
    "torch.cuda.amp.autocast": 0,
    "torch.cpu.amp.autocast": 0,
}
"""Where `enabled` stands among the arguments of each of them."""

AUTOCASTS = tuple(_ENABLED)

Block = ast.With | ast.AsyncWith


def autocast_around(analysis: Analysis, place: Place) -> tuple[Block, ast.expr] | None:
    """The `with autocast(…)` that surely holds where an event happens, and what is entered there.

    It may stand around a call that leads to the event. None where the innermost one is switched off, or
    may be.
    """
    calls = [step.node for step in reversed(place.within) if isinstance(step, Call)]
    for node in (place.event.node, *calls):
        for block in _blocks_around(analysis, node):
            for item in reversed(block.items):
                value = analysis.value(item.context_expr)
                if not isinstance(value, Instance):  # it may be what switches autocast off
                    return None
                if value.cls in _ENABLED:
                    return (block, item.context_expr) if is_on(value) else None
    return None


def _blocks_around(analysis: Analysis, node: ast.AST) -> Iterator[Block]:
    """The `with` statements around a node in its own function, the innermost first."""
    inner = node
    for outer in reversed(analysis.around(node) or ()):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return
        if isinstance(outer, Block) and inner in outer.body:
            yield outer
        inner = outer


def is_on(value: Instance) -> bool:
    """Whether an autocast, or a gradient scaler, surely does anything: `enabled` is True, or not given."""
    given = value.arguments
    if given is None or not given.complete:
        return False
    index = enabled_at(value.cls) if isinstance(value.cls, str) else -1
    enabled = given.get(index, "enabled")
    return enabled is None or (isinstance(enabled, Const) and enabled.value is True)


def enabled_at(name: str) -> int:
    """Where `enabled` stands among the arguments of an autocast; -1 of what takes it by name only."""
    return _ENABLED.get(name, -1)
