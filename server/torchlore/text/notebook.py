"""`Notebook`: the code cells of one version of a notebook as one `Source`, mapped back cell by cell."""

from __future__ import annotations

import ast
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from torchlore.text.edits import Edit, Span, apply_edits
from torchlore.text.lines import LineTable
from torchlore.text.parse import Parsed, parse_tolerantly
from torchlore.text.source import Source, tokens

if TYPE_CHECKING:
    from torchlore.text.magics import Masked

_GAP = "\n\n"
"""What stands behind each cell in the source. The first line end closes the cell's last line; the empty line
behind it is the cell's too, so that a line put below the last one is not one put above the next cell."""

_LINE_NAME = re.compile(r"\bline (\d+)\b")
_LINE_END_AT_END = re.compile(r"(?:\r\n|\n|\r)\Z")
_GAP_AT_END = re.compile(r"(?:\r\n|\n|\r){0,2}\Z")


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell, as it is written.

    Attributes:
        number: its place among all cells of the notebook, from 1, as a reader counts them.
        lines: its text, magics included.
        uri: of the document that an editor shows it in; "" outside an editor.
        version: of that document.
    """

    number: int
    lines: LineTable
    uri: str = ""
    version: int = 0

    @property
    def text(self) -> str:
        return self.lines.whole


class Notebook(Source):
    """One version of a notebook. Its `text` is the code of its cells, one below the other; it never changes.

    Cells share nothing but names: what is broken in one is broken in no other. What IPython adds to Python is
    blanked in `text` (see `torchlore.text.magics`), so that every character that is left keeps its place: the
    character `n` of a cell is the character `start(cell) + n` of `text`.

    Args:
        cells: the code cells in the order of the notebook.
        path: as for `Source`.
        version: as for `Source`.
    """

    def __init__(self, cells: Iterable[Cell], path: str = "<notebook>", version: int = 0) -> None:
        self.cells: Sequence[Cell] = tuple(cells)
        self.path = path
        self.version = version
        self._starts: list[int] = []
        at = 0
        for cell in self.cells:
            self._starts.append(at)
            at += len(cell.text) + len(_GAP)

    @cached_property
    def _masked(self) -> list[Masked]:
        # Looking for magics takes a moment, which a server's event loop must not spend on every keystroke.
        from torchlore.text.magics import mask  # Most files are no notebooks.

        return [mask(cell.text) for cell in self.cells]

    @cached_property
    def text(self) -> str:  # type: ignore[override]  # As good as an attribute.
        """The code of the cells."""
        return "".join(masked.code + _GAP for masked in self._masked)

    @cached_property
    def parsed(self) -> Parsed:
        """The syntax tree of all cells; `blanked` holds lines of magics too that may have run anything."""
        tree = ast.Module(body=[], type_ignores=[])
        blanked: set[int] = set()
        for first, masked in self._first_lines():
            part = parse_tolerantly(masked.code)
            tree.body += ast.increment_lineno(part.tree, first).body
            blanked.update(first + line for line in part.blanked | masked.hidden)
        return Parsed(tree, frozenset(blanked))

    def tokens(self) -> Iterator[tokenize.TokenInfo]:
        """The tokens of all cells; of one that is broken those up to the break."""
        for first, masked in self._first_lines():
            for token in tokens(masked.code):
                yield token._replace(
                    start=(token.start[0] + first, token.start[1]),
                    end=(token.end[0] + first, token.end[1]),
                )

    def start(self, cell: Cell) -> int:
        """The offset of the cell's first character.

        Raises:
            ValueError: it is no cell of this notebook.
        """
        return self._starts[self.cells.index(cell)]

    def code(self, cell: Cell) -> str:
        """The cell's text with its magics blanked."""
        return self._masked[self.cells.index(cell)].code

    def cell_at(self, offset: int) -> Cell | None:
        """The cell that `offset` is in, the gap behind it included; None where there are no cells."""
        index = self._index(offset)
        return self.cells[index] if self.cells else None

    def in_cell(self, span: Span) -> Span:
        """`span` as offsets in the cell that it begins in; no further than that cell goes."""
        index = self._index(span.start)
        start, length = self._starts[index], len(self.cells[index].text)
        return Span(min(span.start - start, length), max(0, min(span.end - start, length)))

    def told_at(self, offset: int, message: str) -> str:
        """`message`, which names lines of the whole source (`line 12`), for a reader of the cell there."""
        cell = self.cell_at(offset)
        if cell is None:
            return message
        parts = message.split("`")  # What stands between backticks is code, not ours.
        for index in range(0, len(parts), 2):
            parts[index] = _LINE_NAME.sub(lambda match: self._line_name(int(match[1]), cell), parts[index])
        return "`".join(parts)

    def edits_in_cell(self, edits: Iterable[Edit]) -> tuple[Cell, tuple[Edit, ...]] | None:
        """The one cell that `edits` change, and the edits as edits of its text.

        None where there are none, where they are in several cells, or where one would change a magic.
        """
        found = list(edits) if self.cells else []
        indices = {self._index(place) for edit in found for place in (edit.span.start, edit.span.end)}
        if len(indices) != 1 or not all(map(self._spares_magics, found)):
            return None
        index = indices.pop()
        cell, start = self.cells[index], self._starts[index]
        try:
            after = _applied(cell.text, _moved(found, -start))
        except ValueError:
            return None
        moved = [_inside(cell.text, edit) for edit in _moved(found, -start)]
        try:
            if apply_edits(cell.text, moved) == after:
                return cell, tuple(moved)
        except ValueError:
            pass  # What touches at the end of the cell must be one edit.
        return cell, (_difference(cell.text, after),)

    def takes(self, edits: Iterable[Edit]) -> bool:
        """Whether `edits` change one cell only, and no magic of it."""
        return self.edits_in_cell(edits) is not None

    def edited(self, edits: Iterable[Edit]) -> Notebook:
        """The next version, with `edits` made; each must be within a cell.

        Raises:
            ValueError: two edits overlap, or one goes over several cells.
        """
        by_cell: dict[int, list[Edit]] = {}
        for edit in edits:
            index = self._index(edit.span.start)
            if index != self._index(edit.span.end):
                raise ValueError(f"the edit at offset {edit.span.start} goes over several cells")
            by_cell.setdefault(index, []).append(edit)
        cells = list(self.cells)
        for index, own in by_cell.items():
            cell = cells[index]
            text = _applied(cell.text, _moved(own, -self._starts[index]))
            cells[index] = Cell(cell.number, LineTable(text), cell.uri, cell.version)
        return Notebook(cells, self.path)

    def _line_name(self, line: int, seen_from: Cell) -> str:
        offset = self.lines.start(line - 1)
        index = self._index(offset)
        home = self.cells[index]
        name = f"line {line - self.lines.line_of(self._starts[index])}"
        if home is seen_from:
            return name
        if not home.uri:
            return f"{name} of cell {home.number}"
        return f"{name} of {'an earlier' if home.number < seen_from.number else 'a later'} cell"

    def _index(self, offset: int) -> int:
        return max(0, bisect_right(self._starts, offset) - 1)

    def _first_lines(self) -> Iterator[tuple[int, Masked]]:
        """Each cell's first line (0-based) and its code."""
        for start, masked in zip(self._starts, self._masked, strict=True):
            yield self.lines.line_of(start), masked

    def _spares_magics(self, edit: Edit) -> bool:
        """Whether `edit` changes no magic, and adds nothing to the line of one."""
        index = self._index(edit.span.start)
        (moved,) = _moved([edit], -self._starts[index])
        masked, lines = self._masked[index], self.cells[index].lines
        is_below_head = not masked.head or moved.span.start > masked.head or _begins_line(moved, masked.head)
        return is_below_head and not any(_harms(moved, magic, lines) for magic in masked.masks)


def _harms(edit: Edit, magic: Span, lines: LineTable) -> bool:
    """Whether `edit` changes the text of `magic`, or puts something before or behind it on its line."""
    text, (start, end) = lines.whole, (edit.span.start, edit.span.end)
    line = lines.start(lines.line_of(magic.start))
    begin = magic.start if text[line : magic.start].strip() else line  # A command may own its line.
    if end < begin or (end == begin and begin == magic.start != line):
        return False
    if start == end == begin and not edit.text.strip(" \t"):
        return False  # It is only indented deeper.
    if end == begin:
        leaves_line = edit.text.endswith(("\n", "\r")) or (not edit.text and lines.position(start)[1] == 0)
        return not leaves_line
    if start >= magic.end:
        owns_rest = text[magic.end : magic.end + 1] in ("", "\n", "\r")
        return owns_rest and start == magic.end and not _begins_line(edit, start)
    return True


def _begins_line(edit: Edit, at: int) -> bool:
    """Whether what `edit` puts at `at`, the end of a line, begins with a new one."""
    return edit.span.start == at and edit.text.startswith(("\n", "\r"))


def _moved(edits: Iterable[Edit], by: int) -> list[Edit]:
    return [Edit(Span(edit.span.start + by, edit.span.end + by), edit.text) for edit in edits]


def _applied(text: str, edits: Iterable[Edit]) -> str:
    """A cell's text after edits that may reach into the gap behind it."""
    found = list(edits)
    if all(edit.span.end <= len(text) for edit in found):
        return apply_edits(text, found)
    return _GAP_AT_END.sub("", apply_edits(text + _GAP, found), count=1)


def _inside(text: str, edit: Edit) -> Edit:
    """`edit`, which may reach into the gap behind `text`, as an edit of `text` alone."""
    start, end, new = edit.span.start, edit.span.end, edit.text
    length = len(text)
    if start > length:
        return Edit(Span(length, length), "\n" + new.removesuffix("\n"))
    if end > length:
        if not new:
            before = _LINE_END_AT_END.search(text, 0, start)  # It goes in the gap's place.
            start = before.start() if before else start
        return Edit(Span(start, length), new.removesuffix("\n"))
    return edit


def _difference(before: str, after: str) -> Edit:
    """The one edit that turns `before` into `after`."""
    limit = min(len(before), len(after))
    head = next((n for n in range(limit) if before[n] != after[n]), limit)
    limit -= head
    tail = next((n for n in range(limit) if before[-1 - n] != after[-1 - n]), limit)
    return Edit(Span(head, len(before) - tail), after[head : len(after) - tail])
