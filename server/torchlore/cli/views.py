"""Findings as their reader counts places: in their file, or in the cell of a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from torchlore.cli.checking import FileReport
from torchlore.rules.model import Finding, Fix
from torchlore.text import Cell, Notebook, Source, source_of


@dataclass(frozen=True, slots=True)
class View:
    """One finding.

    Attributes:
        name: of the file, and of the cell where it is a notebook: `train.ipynb:cell 3`.
        cell: of the notebook.
        source: the text that a reader sees: the file's, or the cell's.
        finding: its places are places in `source`.
        elsewhere: related places in other cells, as text, and what each explains.
    """

    name: str
    cell: Cell | None
    source: Source
    finding: Finding
    elsewhere: tuple[tuple[str, str], ...] = ()


def views(report: FileReport) -> Iterator[View]:
    """The findings of a file."""
    source = source_of(report.text, str(report.path))
    name = shown(report.path)
    if not isinstance(source, Notebook):
        yield from (View(name, None, source, finding) for finding in report.findings)
        return
    texts: dict[int, Source] = {}
    for finding in report.findings:
        cell = source.cell_at(finding.span.start)
        if cell is not None:
            text = texts.setdefault(cell.number, Source(cell.text, str(report.path)))
            yield _in_cell(name, source, cell, text, finding)


def place(source: Source, offset: int) -> tuple[int, int]:
    """Row and column of an offset, both from 1."""
    line, column = source.position(offset)
    return line + 1, column + 1


def shown(path: Path) -> str:
    """`path` as a person wants to read it: relative where it is below the current folder."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _in_cell(name: str, notebook: Notebook, cell: Cell, text: Source, finding: Finding) -> View:
    related = []
    elsewhere: list[tuple[str, str]] = []
    for other in finding.related:
        home = notebook.cell_at(other.span.start)
        span = notebook.in_cell(other.span)
        if home is cell:
            related.append(
                replace(other, span=span, message=notebook.told_at(finding.span.start, other.message))
            )
        elif home is not None:
            line, column = home.lines.position(span.start)
            elsewhere.append(
                (
                    f"cell {home.number}:{line + 1}:{column + 1}",
                    notebook.told_at(finding.span.start, other.message),
                )
            )
    local = replace(
        finding,
        message=notebook.told_at(finding.span.start, finding.message),
        span=notebook.in_cell(finding.span),
        related=tuple(related),
        fixes=tuple(_fixes_in_cell(notebook, finding)),
    )
    return View(f"{name}:cell {cell.number}", cell, text, local, tuple(elsewhere))


def _fixes_in_cell(notebook: Notebook, finding: Finding) -> Iterator[Fix]:
    for fix in finding.fixes:
        changed = notebook.edits_in_cell(fix.edits)
        if changed is not None:
            yield replace(fix, edits=changed[1])
