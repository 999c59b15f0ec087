"""How repairs write names of torch, so that they fit the file."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis
from torchlore.analysis.frames import Frame
from torchlore.analysis.values import Ref
from torchlore.text import Edit, Span


def spelled(analysis: Analysis, at: ast.AST, dotted: str) -> str | None:
    """How `dotted` (`torch.nn.ModuleList`) can be written at a place; None where it is not imported.

    The shortest that the file has: `ModuleList`, `nn.ModuleList`, `torch.nn.ModuleList`.
    """
    frame = _frame(analysis, at)
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        prefix, rest = ".".join(parts[:length]), parts[length:]
        name = _bound_to(frame, prefix)
        if name is not None:
            return ".".join([name, *rest])
    return None


def _frame(analysis: Analysis, at: ast.AST) -> Frame:
    """The innermost function around `at` that was run, or the module."""
    frames = (analysis.run.frames.get(outer) for outer in reversed(analysis.around(at) or ()))
    return next((frame for frame in frames if frame is not None), analysis.run.home)


def _bound_to(frame: Frame, dotted: str) -> str | None:
    """A name that means what is called `dotted`, where the code of `frame` stands."""
    current: Frame | None = frame
    while current is not None:
        for name, value in current.names.items():
            if isinstance(value, Ref) and value.name == dotted and frame.find(name) is value:
                return name
        current = current.parent
    return None


def wrapped(analysis: Analysis, node: ast.expr, function: str, before: str = "") -> tuple[Edit, Edit]:
    """Puts `node` into a call: `function(before node)`."""
    span = analysis.source.span(node)
    return (
        Edit(Span(span.start, span.start), f"{function}({before}"),
        Edit(Span(span.end, span.end), ")"),
    )
