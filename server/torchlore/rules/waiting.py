"""Findings that wait until the text parses again: a statement that is being typed may be what is missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Call, Kind, Root
from torchlore.rules.model import Finding


def settled(analysis: Analysis, findings: list[Finding]) -> list[Finding]:
    """The findings that no broken statement can be the answer to.

    A broken statement at the top level of the file, or the broken header of a definition, may concern
    everything in it; a statement in a function concerns what happens on the same paths.
    """
    blanked = analysis.source.parsed.blanked
    if not blanked or not findings:
        return findings
    if any(_concerns_all(analysis, blanked)):
        return []
    waiting = set(blanked)
    for root in analysis.roots:
        if _is_broken(root, blanked):
            waiting.update(_lines(root))
    return [f for f in findings if waiting.isdisjoint(_lines_of(analysis, f))]


def _concerns_all(analysis: Analysis, blanked: frozenset[int]) -> Iterator[bool]:
    """Whether something broken runs outside all functions, or is the header of a function or class."""
    for node in ast.walk(analysis.source.tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            decorators = [decorator.lineno for decorator in node.decorator_list]
            yield not blanked.isdisjoint(range(min([node.lineno, *decorators]) - 1, node.lineno))
    for root in analysis.roots:
        if isinstance(root.node, ast.Module):
            for place in root.places_of(Kind.HAVOC):
                inside = any(isinstance(step, Call) for step in place.within)
                yield not inside and getattr(place.event.node, "lineno", 0) - 1 in blanked


def _is_broken(root: Root, blanked: frozenset[int]) -> bool:
    """Whether something broken happens below `root`."""
    return any(getattr(event.node, "lineno", 0) - 1 in blanked for event in root.of(Kind.HAVOC))


def _lines(root: Root) -> Iterator[int]:
    """The lines (0-based) of what happens below `root`, and its own."""
    for event in root.events:
        yield getattr(event.node, "lineno", 0) - 1
    yield from range(getattr(root.node, "lineno", 1) - 1, getattr(root.node, "end_lineno", 0) or 0)


def _lines_of(analysis: Analysis, finding: Finding) -> range:
    first = analysis.source.position(finding.span.start)[0]
    return range(first, analysis.source.position(finding.span.end)[0] + 1)
