"""The file of the symbol index: compressed lines, so that reading it parses nothing that nobody asks for.

The first line is a JSON object: the format, the torch and the Python that were described, the versions whose
wheels were read, and how many lines each section has. Sections follow in the order of `_SECTIONS`, their
lines sorted: a name, a tab, and JSON or another name.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FORMAT = 2

# Of the described torch: records, spellings in other places, other names for the same thing, and what is
# known of names below others that have no record. Of other versions: records and spellings that the described
# one lacks. Of all: what changes between versions.
_SECTIONS = ("symbols", "aliases", "same_as", "namespaces", "other_symbols", "other_aliases", "ranges")
_OF_NAMES = ("aliases", "same_as", "other_aliases")
_HEAD = ("torch", "python", "versions")


def pack(content: Mapping[str, Any]) -> bytes:
    """The bytes of an index file. They depend on the content alone: sorted, without time or file name."""
    head = {"format": FORMAT, **{key: content[key] for key in _HEAD}}
    head["sections"] = [len(content[section]) for section in _SECTIONS]
    lines = [_json(head)]
    for section in _SECTIONS:
        for name, value in sorted(content[section].items()):
            lines.append(f"{name}\t{value if section in _OF_NAMES else _json(value)}")
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as packed:
        packed.write("\n".join(lines).encode("utf-8"))
    return buffer.getvalue()


class Lines(Mapping[str, str]):
    """What stands behind each name: looked up in the sorted lines, of which a session asks for few."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def __getitem__(self, name: str) -> str:
        begin = f"{name}\t"
        at = bisect_left(self._lines, begin)
        if at == len(self._lines) or not self._lines[at].startswith(begin):
            raise KeyError(name)
        return self._lines[at][len(begin) :]

    def __iter__(self) -> Iterator[str]:
        return (line.partition("\t")[0] for line in self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def read_index(path: Path) -> dict[str, Any]:
    """The whole content of an index file, for tools.

    Raises ValueError where it is not an index of this format, OSError where it cannot be read.
    """
    content = read_lines(path)
    for section in _SECTIONS:
        if section not in _OF_NAMES:
            content[section] = {name: json.loads(value) for name, value in content[section].items()}
    return content


def read_lines(path: Path) -> dict[str, Any]:
    """The same, but what stands behind a name is left as text.

    Raises ValueError where it is not an index of this format, OSError where it cannot be read.
    """
    try:
        text = gzip.decompress(path.read_bytes()).decode("utf-8")
        first, *lines = text.split("\n")
        head = json.loads(first)
    except (gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not a symbol index ({error})") from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise ValueError(f"{path}: not a symbol index of format {FORMAT}")
    if text.count("\t") != len(lines):  # JSON writes none: there is one in each line, behind the name
        raise ValueError(f"{path}: not a symbol index (a line has no name)")
    content: dict[str, Any] = {key: head[key] for key in _HEAD}
    start = 0
    for section, count in zip(_SECTIONS, head["sections"], strict=True):
        content[section] = Lines(lines[start : start + count])
        start += count
    return content


def without_history() -> dict[str, Any]:
    """What an index holds of other versions where no wheels were read."""
    return {"versions": [], "other_symbols": {}, "other_aliases": {}, "ranges": {}}


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
