"""Findings that wait until the text parses again: a statement that is being typed may be what is missing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from torchlore.analysis.events import Call, Kind, Root
from torchlore.rules.model import Finding
from torchlore.text import Notebook
from torchlore.text.nodes import first_line, nodes_in

if TYPE_CHECKING:
    from torchlore.analysis import Analysis


def settled(analysis: Analysis, findings: list[Finding]) -> list[Finding]:
    """The findings that no broken statement can be the answer to.

    A broken statement at the top level of the file, or the broken header of a class, may concern everything
    in it; a statement in a function concerns what happens on the same paths, and so does a call of a
    function whose header is broken. What is broken in a file that this one makes use of concerns all.
    """
    blanked = analysis.source.parsed.blanked
    if not findings or analysis.rests_on_broken:
        return []
    if not blanked:
        return findings
    if isinstance(analysis.source, Notebook):
        return [f for f in findings if blanked.isdisjoint(_lines_of_cell(analysis.source, f))]
    functions = list(_broken_functions(analysis, blanked))
    if any(_is_anybodys(analysis, function) for function in functions) or _concerns_all(analysis, blanked):
        return []
    names = {function.name for function in functions}
    waiting = set(blanked)
    for root in analysis.roots:
        if any(_is_broken(event.node, blanked, names) for event in root.of(Kind.HAVOC)):
            waiting.update(_lines(root))
    return [finding for finding in findings if waiting.isdisjoint(_lines_of(analysis, finding))]


def _lines_of_cell(notebook: Notebook, finding: Finding) -> range:
    """The lines of the cell that a finding is in: what a loop lacks is typed in the cell of the loop."""
    cell = notebook.cell_at(finding.span.start)
    first = notebook.position(finding.span.start if cell is None else notebook.start(cell))[0]
    return range(first, first + (1 if cell is None else notebook.code(cell).count("\n") + 1))


def _broken_functions(
    analysis: Analysis, blanked: frozenset[int]
) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions of which the header, or a decorator, does not parse."""
    nodes = nodes_in(analysis.source.tree)
    for function in (node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
        if not blanked.isdisjoint(range(first_line(function), function.lineno)):
            yield function


def _is_anybodys(analysis: Analysis, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function may be one that is called elsewhere: half its name is typed, or Python calls it."""
    header = analysis.source.lines.text(function.lineno - 1)
    whole = re.search(rf"\bdef\s+{re.escape(function.name)}\s*\(", header) is not None
    return not whole or function.name == "forward" or function.name.startswith("__")


def _concerns_all(analysis: Analysis, blanked: frozenset[int]) -> bool:
    """Whether something broken runs outside all functions, or is the header of a class."""
    nodes: list[ast.AST] = [node for node in nodes_in(analysis.source.tree) if isinstance(node, ast.ClassDef)]
    for root in analysis.roots:
        if isinstance(root.node, ast.Module):
            outside = (
                p for p in root.places_of(Kind.HAVOC) if not any(isinstance(s, Call) for s in p.within)
            )
            nodes += [place.event.node for place in outside]
    return any(_is_broken(node, blanked, set()) for node in nodes)


def _is_broken(node: ast.AST, blanked: frozenset[int], names: set[str]) -> bool:
    """Whether a node is on a broken line, or calls a function of one of these names."""
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in names:
            return True
    return getattr(node, "lineno", 0) - 1 in blanked


def _lines(root: Root) -> Iterator[int]:
    """The lines (0-based) of what happens below `root`, and its own."""
    for event in root.events:
        yield getattr(event.node, "lineno", 0) - 1
    yield from range(getattr(root.node, "lineno", 1) - 1, getattr(root.node, "end_lineno", 0) or 0)


def _lines_of(analysis: Analysis, finding: Finding) -> range:
    first = analysis.source.position(finding.span.start)[0]
    return range(first, analysis.source.position(finding.span.end)[0] + 1)
