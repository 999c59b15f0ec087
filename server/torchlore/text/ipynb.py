"""Notebook files: their code cells, and new code put back into them with all else left as it was.

The format: https://nbformat.readthedocs.io/en/latest/format_description.html. Versions 3 and 4 are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from torchlore.text.edits import Edit, Span, apply_edits
from torchlore.text.lines import LineTable
from torchlore.text.notebook import Cell, Notebook
from torchlore.text.source import Source

SUFFIX = ".ipynb"

MAX_CHARACTERS = 200_000_000
"""Longer notebooks are not read: they are pictures and tables, and would take gigabytes."""

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:]|[^\s"\[\]{},:]+', re.DOTALL)
_ESCAPED_CHARACTER = re.compile(r"\\u(?!00[0-7])[0-9a-fA-F]{4}")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")

_Key = str | int
_Path = tuple[_Key, ...]


class NotebookError(ValueError):
    """A file is no notebook that can be read; `str()` says why."""


def is_notebook(path: PurePath | str) -> bool:
    """Whether a file of this name holds a notebook."""
    return PurePath(path).suffix.lower() == SUFFIX


def source_of(text: str, path: str) -> Source:
    """What to analyse of the file at `path` that holds `text`: of a notebook its code.

    Raises:
        NotebookError: it is called a notebook and is none.
    """
    return read_notebook(text, path) if is_notebook(path) else Source(text, path)


def read_notebook(text: str, path: str = "<notebook>") -> Notebook:
    """The notebook whose JSON is `text`. One that is not in Python has no cells.

    Raises:
        NotebookError: the text is not JSON, or not that of a notebook, or too long.
    """
    if len(text) > MAX_CHARACTERS:
        raise NotebookError(f"is too large: a notebook of more than {MAX_CHARACTERS // 10**6} MB is not read")
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise NotebookError(
            f"{error.lineno}:{error.colno}: is no notebook: not valid JSON: {error.msg}"
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise NotebookError(f"is no notebook: not readable as JSON: {error}") from None
    written = list(_written_cells(document))
    if not _is_python(document):
        return Notebook((), path)
    return Notebook((Cell(w.number, LineTable(w.text)) for w in written if w.is_python), path)


def rewritten(text: str, before: Notebook, after: Notebook) -> str:
    """The JSON `text` of `before` with the code of `after`; what is the same in both stays as it is written.

    Raises:
        ValueError: the two are not versions of one notebook, or `text` is not the JSON of `before`.
    """
    result = apply_edits(text, file_edits(text, before, after))
    if [cell.text for cell in read_notebook(result).cells] != [cell.text for cell in after.cells]:
        raise ValueError("the notebook cannot be written without changing more than its code")
    return result


def file_edits(text: str, before: Notebook, after: Notebook) -> list[Edit]:
    """The edits of the JSON `text` of `before` that make it that of `after`, one for each changed cell."""
    places, written = _places(text), _by_number(text)
    escaped = text.isascii() and _ESCAPED_CHARACTER.search(text) is not None
    return [
        _source_edit(text, places, written[old.number], new.text, escaped)
        for old, new in zip(before.cells, after.cells, strict=True)
        if old.text != new.text
    ]


def lines_in_file(text: str) -> dict[int, list[int]]:
    """By a code cell's number, for each of its lines the line (0-based) of the JSON `text` that holds it."""
    places, table = _places(text), LineTable(text)
    found: dict[int, list[int]] = {}
    for number, written in _by_number(text).items():
        count = len(LineTable(written.text))
        lines: list[int] = []
        for index, piece in enumerate(written.source if isinstance(written.source, list) else ()):
            line = table.line_of(places[written.place(index)].start)
            lines += [line] * (len(LineTable(piece)) - 1 or 1)
        last = lines[-1] if lines else table.line_of(places[written.path].start)
        found[number] = [*lines, *[last] * count][:count]
    return found


@dataclass(frozen=True, slots=True)
class _Written:
    """A code cell in the JSON: its number, what holds its text, and where that is."""

    number: int
    source: str | list[str]
    path: _Path
    is_python: bool

    @property
    def text(self) -> str:
        return self.source if isinstance(self.source, str) else "".join(self.source)

    def place(self, index: int) -> _Path:
        """Where piece `index` of a source that is a list stands."""
        return (*self.path, index)


def _by_number(text: str) -> dict[int, _Written]:
    document = json.loads(text.removeprefix("\ufeff"))
    return {written.number: written for written in _written_cells(document)}


def _written_cells(document: Any) -> Iterator[_Written]:
    """The code cells, numbered among all cells.

    Raises:
        NotebookError: the document is no notebook, or of a version that is not known.
    """
    if not isinstance(document, dict):
        raise NotebookError("is no notebook: its JSON is not an object")
    version = document.get("nbformat", 4)
    if not isinstance(version, int) or version < 3:
        raise NotebookError(f"is a notebook of format {version!r}, which is not read; 3 and 4 are")
    number = 0
    for at, cells in _cell_lists(document, version):
        for index, cell in enumerate(cells):
            number += 1
            if not isinstance(cell, dict):
                raise NotebookError(f"is no notebook: its cell {number} is not an object")
            if cell.get("cell_type") != "code":
                continue
            key = "source" if version > 3 else "input"
            if key not in cell:
                continue
            source = cell[key]
            if not _is_text(source):
                raise NotebookError(
                    f"is no notebook: the {key} of cell {number} is neither text nor lines of it"
                )
            yield _Written(number, source, (*at, index, key), _is_python_cell(cell))


def _cell_lists(document: dict[str, Any], version: int) -> Iterator[tuple[_Path, list[Any]]]:
    """Where cells are: version 3 has worksheets."""
    if version > 3:
        cells = document.get("cells")
        if not isinstance(cells, list):
            raise NotebookError("is no notebook: it has no list of cells")
        yield ("cells",), cells
        return
    sheets = document.get("worksheets")
    if not isinstance(sheets, list):
        raise NotebookError("is no notebook: it has no list of worksheets")
    for index, sheet in enumerate(sheets):
        cells = sheet.get("cells", []) if isinstance(sheet, dict) else None
        if not isinstance(cells, list):
            raise NotebookError("is no notebook: a worksheet of it has no list of cells")
        yield ("worksheets", index, "cells"), cells


def _is_text(source: object) -> bool:
    return isinstance(source, str) or (isinstance(source, list) and all(isinstance(s, str) for s in source))


def _is_python(document: dict[str, Any]) -> bool:
    """Whether the notebook's language is Python; one that names none is."""
    metadata = _mapping(document.get("metadata"))
    kernel = _mapping(metadata.get("kernelspec"))
    language = _mapping(metadata.get("language_info")).get("name") or kernel.get("language")
    if isinstance(language, str):
        return language.lower() in ("python", "ipython")
    # Colab names only the kernel: `python3`, or `ir` for R.
    name = kernel.get("name")
    return not isinstance(name, str) or "py" in name.lower()


def _is_python_cell(cell: dict[str, Any]) -> bool:
    """Whether a code cell is in the notebook's own language. VS Code notes it where a cell is in another."""
    own = cell.get("language") or _mapping(_mapping(cell.get("metadata")).get("vscode")).get("languageId")
    return not isinstance(own, str) or own.lower() == "python"


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _source_edit(text: str, places: dict[_Path, Span], written: _Written, code: str, escaped: bool) -> Edit:
    """The edit of the JSON that makes `code` the text of a cell, in the form that the cell has."""
    if isinstance(written.source, str):
        return Edit(places[written.path], _quoted(code, escaped))
    old = written.source
    head = tail = 0
    while head < len(old) and code.startswith(old[head]) and old[head].endswith("\n"):
        code, head = code[len(old[head]) :], head + 1
    while tail < len(old) - head and code.endswith(old[-1 - tail]) and _starts_line(code, old[-1 - tail]):
        code, tail = code[: len(code) - len(old[-1 - tail])], tail + 1
    spans = [places[written.place(index)] for index in range(len(old))]
    whole = places[written.path]
    lines = [_quoted(line, escaped) for line in _LINE.findall(code)]
    kept = [text[span.start : span.end] for span in spans]
    lines = [*kept[:head], *lines, *kept[len(old) - tail :]]
    if not spans:
        return Edit(whole, f"[{', '.join(lines)}]")
    before = text[whole.start + 1 : spans[0].start]
    between = text[spans[0].end : spans[1].start] if len(spans) > 1 else f",{before or ' '}"
    return Edit(Span(spans[0].start, spans[-1].end), between.join(lines))


def _starts_line(code: str, piece: str) -> bool:
    """Whether `piece`, which `code` ends with, begins a line of it."""
    before = code[: len(code) - len(piece)]
    return bool(piece) and (not before or before.endswith("\n"))


def _quoted(text: str, escaped: bool) -> str:
    """`text` as JSON; a lone surrogate, which no file can hold, is escaped always."""
    try:
        text.encode()
    except UnicodeEncodeError:
        escaped = True
    return json.dumps(text, ensure_ascii=escaped)


def _places(text: str) -> dict[_Path, Span]:
    """Where the source of each cell stands in the JSON, and each line of one that is a list."""
    found: dict[_Path, Span] = {}
    keys: list[_Key | None] = []
    starts: list[int] = []
    for token in _TOKEN.finditer(text, 1 if text.startswith("\ufeff") else 0):
        sign = token[0]
        if sign in ("}", "]"):
            keys.pop()
            start = starts.pop()
        elif sign == ":":
            continue
        elif sign == ",":
            last = keys[-1]
            keys[-1] = last + 1 if isinstance(last, int) else None
            continue
        elif sign in ("{", "["):
            starts.append(token.start())
            keys.append(None if sign == "{" else 0)
            continue
        elif keys and keys[-1] is None:
            keys[-1] = json.loads(sign)
            continue
        else:
            start = token.start()
        if _may_be_source(keys):
            found[tuple(key for key in keys if key is not None)] = Span(start, token.end())
    return found


def _may_be_source(keys: list[_Key | None]) -> bool:
    return bool(keys) and keys[0] in ("cells", "worksheets") and bool({"source", "input"} & set(keys[2:6]))
