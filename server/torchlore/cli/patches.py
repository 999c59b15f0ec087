"""What fixes change, as a diff; and mended texts put back into their files."""

from __future__ import annotations

import difflib
import tokenize
from pathlib import Path


def unified_diff(before: str, after: str, name: str) -> str:
    """A unified diff of one file that `patch` and `git apply` take; "" where nothing changed."""
    lines = difflib.unified_diff(_lines(before), _lines(after), fromfile=name, tofile=name)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def write_text(path: Path, text: str) -> None:
    """Writes a Python file in the encoding that it declares.

    Raises:
        OSError: it cannot be written.
        UnicodeEncodeError: the declared encoding has no such character.
    """
    with path.open("rb") as file:
        encoding, _ = tokenize.detect_encoding(file.readline)
    path.write_bytes(text.encode(encoding))


def _lines(text: str) -> list[str]:
    """Split at `\\n` alone: a form feed inside a line must not become a line of the diff."""
    *whole, rest = text.split("\n")
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])
