"""Pointing at code of one's own on the command line: `train.py:12`, `train.py:12-20`, `train.py:main`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torchlore.cli.terminal import fail

if TYPE_CHECKING:
    from torchlore.device.own_code import Part
    from torchlore.text import Source

_POINTED = re.compile(r"(?P<path>.+?\.(?:py|pyw|ipynb))(?::(?P<place>.+))?")


@dataclass(frozen=True, slots=True)
class Pointed:
    """A file and a place in it: a line, lines, or a name; "" for all of it."""

    path: Path
    place: str

    def source(self) -> Source:
        """The file; ends the program where it cannot be read."""
        from torchlore.text import NotebookError, decode, source_of

        try:
            return source_of(decode(self.path.read_bytes()), str(self.path))
        except OSError as error:
            fail(f"{self.path}: {error.strerror}")
        except (SyntaxError, UnicodeError, LookupError, NotebookError) as error:
            fail(f"{self.path}: {error}")


def pointed(target: str) -> Pointed | None:
    """The file and the place that a command line names; None where it names no Python file."""
    found = _POINTED.fullmatch(target)
    return Pointed(Path(found["path"]), found["place"] or "") if found is not None else None


def part_of(target: Pointed) -> Part:
    """What to run of the file.

    Raises:
        NotAllowed: as `own_code.selection`.
    """
    from torchlore.device.own_code import called, selection, under_cursor

    source = target.source()
    if not target.place:
        return selection(source, 0, len(source.lines))
    lines = re.fullmatch(r"(\d+)(?:-(\d+))?", target.place)
    if lines is None:
        return called(source, target.place)
    first = int(lines[1]) - 1
    if not 0 <= first < len(source.lines):
        fail(f"{target.path} has no line {lines[1]}")
    if lines[2] is None:
        return under_cursor(source, first)
    return selection(source, first, int(lines[2]) - 1)
