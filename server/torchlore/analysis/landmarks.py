"""The places of a file that somebody may want to read about as a whole: training loops and modules."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import members
from torchlore.analysis.events import Kind, happens
from torchlore.analysis.run import Run
from torchlore.analysis.values import LocalClass
from torchlore.text import Source, Span


@dataclass(frozen=True, slots=True)
class Landmark:
    """One of them.

    Attributes:
        kind: "loop" or "module".
        span: the first line of the statement, from its first word on.
    """

    kind: str
    span: Span


def landmarks(source: Source, run: Run) -> Iterator[Landmark]:
    """The loops that train, the innermost ones, and the classes of modules, in no order."""
    loops = {id(node): node for kind in (ast.For, ast.AsyncFor, ast.While) for node in source.every(kind)}
    for node in _training_loops(run):
        if id(node) in loops:  # else it is of a file that this one imports
            yield Landmark("loop", _head(source, loops[id(node)]))
    for node in source.every(ast.ClassDef):
        cls = run.classes.get(node)
        if isinstance(cls, LocalClass) and members.kind_of_class(cls) in ("Module", "Loss"):
            yield Landmark("module", _head(source, node))


def _training_loops(run: Run) -> Iterator[ast.AST]:
    """The innermost loops in which gradients are computed and an optimizer steps, each once."""
    seen: set[ast.AST] = set()
    for root in run.roots:
        for place in root.places_of(Kind.STEP):
            around = reversed(place.loops)
            loop = next((loop for loop in around if happens(loop.body, Kind.BACKWARD)), None)
            if loop is not None and loop.node not in seen:
                seen.add(loop.node)
                yield loop.node


def _head(source: Source, statement: ast.stmt) -> Span:
    start = source.span(statement).start
    return Span(start, source.lines.end(source.lines.line_of(start)))
