"""One finding as a person reads it: the source lines with carets under the place, the reason, the way out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from rich.cells import cell_len

from torchlore.cli.checking import FileReport
from torchlore.cli.terminal import Styled
from torchlore.cli.views import View, place, views
from torchlore.rules.model import Severity
from torchlore.text import Source, Span

_STYLES = {
    Severity.ERROR: "bold red",
    Severity.WARNING: "bold yellow",
    Severity.INFORMATION: "bold blue",
    Severity.HINT: "bold cyan",
}
_CONTEXT = 2
"""Lines shown above the place; one is shown below."""

_WHOLE = 5
"""Places of more lines than this show their first and last only."""

_TAB = 4


def frames(report: FileReport) -> list[Styled]:
    """Every finding of a file, an empty line after each."""
    lines: list[Styled] = []
    for view in views(report):
        lines += [*_frame(view), []]
    return lines


def _frame(view: View) -> list[Styled]:
    source, finding = view.source, view.finding
    style = _STYLES[finding.severity]
    row, column = place(source, finding.span.start)
    marks = [
        _Mark(finding.span, "^", style),
        *(_Mark(related.span, "-", "blue", related.message) for related in finding.related),
    ]
    numbers = _lines_to_show(source, marks)
    width = len(str(numbers[-1] + 1))
    margin = (" " * width + " = ", "blue")
    lines: list[Styled] = [
        [(finding.code, style), (f" {finding.name}", "bold"), (f": {finding.message}", "")],
        [(" " * width + "--> ", "blue"), (f"{view.name}:{row}:{column}", "")],
        *_excerpt(source, numbers, marks, width),
    ]
    for where, message in view.elsewhere:
        lines.append([margin, (where, "bold"), (f": {message}", "")])
    for fix in finding.fixes:
        option = "--fix" if fix.safe else "--fix --unsafe-fixes"
        lines.append([margin, ("fix", "bold"), (f": {fix.title} ({option})", "")])
    lines.append([margin, ("why", "bold"), (f": torchlore explain {finding.card or finding.code}", "")])
    return lines


@dataclass(frozen=True, slots=True)
class _Mark:
    """A stretch to underline with `char`, and what to say beside it."""

    span: Span
    char: str
    style: str
    label: str = ""

    def lines(self, source: Source) -> range:
        first = source.lines.line_of(self.span.start)
        return range(first, source.lines.line_of(max(self.span.start, self.span.end - 1)) + 1)


def _lines_to_show(source: Source, marks: list[_Mark]) -> list[int]:
    """The lines of all marks, and the surroundings of the first; a gap of one line is not worth a mark."""
    around = marks[0].lines(source)
    shown = {line for line in range(around[0] - _CONTEXT, around[0]) if line >= 0}
    shown |= {around[-1] + 1} & set(range(len(source.lines)))
    for mark in marks:
        lines = mark.lines(source)
        shown |= set(lines) if len(lines) <= _WHOLE else {lines[0], lines[-1]}
    shown |= {line + 1 for line in shown if line + 2 in shown}
    ordered = sorted(shown)
    while not source.lines.text(ordered[0]).strip() and ordered[0] != around[0]:
        ordered.pop(0)
    while not source.lines.text(ordered[-1]).strip() and ordered[-1] != around[-1]:
        ordered.pop()
    return ordered


def _excerpt(source: Source, numbers: list[int], marks: list[_Mark], width: int) -> list[Styled]:
    empty = (" " * width + " |", "blue")
    lines: list[Styled] = [[empty]]
    for number, before in zip(numbers, [numbers[0] - 1, *numbers], strict=False):
        if number > before + 1:
            lines.append([(" " * width + " ⋮", "blue")])
        text, cells = _expanded(source.lines.text(number))
        lines.append([(f"{number + 1:>{width}} | ", "blue"), (text, "")])
        for mark in marks:
            covered = mark.lines(source)
            if number in covered:
                begin, end = _columns(source, mark.span, number)
                signs = mark.char * max(1, cells[end] - cells[begin])
                label = f" {mark.label}" if mark.label and number == covered[-1] else ""
                lines.append([empty, (" " * (cells[begin] + 1), ""), (signs + label, mark.style)])
    return [*lines, [empty]]


def _columns(source: Source, span: Span, line: int) -> tuple[int, int]:
    """The columns of `line` that `span` covers, white space at either end of the line not counted."""
    start, text = source.lines.start(line), source.lines.text(line)
    indent, length = len(text) - len(text.lstrip()), len(text.rstrip())
    begin = min(max(span.start - start, indent), length)
    return begin, max(begin, min(span.end - start, length))


def _expanded(line: str) -> tuple[str, list[int]]:
    """A line as a terminal can show it, and the cell in which each of its characters (and its end) begins.

    Tabs become spaces; characters that would move the cursor or turn the reading direction become `�`.
    """
    pieces: list[str] = []
    cells = [0]
    for char in line:
        if char == "\t":
            piece = " " * (_TAB - cells[-1] % _TAB)
        elif (
            unicodedata.category(char) in ("Cc", "Cs")
            or char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        ):
            piece = "�"
        else:
            piece = char
        pieces.append(piece)
        cells.append(cells[-1] + cell_len(piece))
    return "".join(pieces), cells
