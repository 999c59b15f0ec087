"""Which versions of torch a project is for, as the files beside its code declare it."""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Version = tuple[int, int]
"""Major and minor: what a version of torch has is decided by them."""


@dataclass(frozen=True, slots=True)
class Supported:
    """The versions that a project declares; None where it sets no bound, or where nothing is declared.

    Attributes:
        oldest: the first.
        newest: the last.
    """

    oldest: Version | None = None
    newest: Version | None = None


UNCLEAR = Supported((0, 0), (0, 0))
"""What is declared cannot be read (it is being typed): no version has to be thought of."""


def version(text: str) -> Version | None:
    """The version that a text begins with: "2.4.1+cpu" is (2, 4). None where it is none."""
    match = re.match(r"v?(\d+)(?:\.(\d+))?", text.strip())
    return None if match is None else (int(match[1]), int(match[2] or 0))


def supported(path: str) -> Supported:
    """What the project of a file declares: the nearest folder above it in which any file names torch.

    The folder that holds the repository, or the `pyproject.toml`, is the last one that is asked. Of several
    declarations (extras, a pinned list for the tests beside an open one) all count.
    """
    if not os.path.isabs(path):  # noqa: PTH117 (a text that lies nowhere)
        return Supported()
    for folder in Path(path).parents:
        try:
            names, is_root = _entries(folder, folder.stat().st_mtime_ns)
        except OSError:
            return Supported()
        declared = [spec for name in names for spec in _specifiers(folder / name)]
        if declared:
            return _joined(declared)
        if is_root:
            break
    return Supported()


@lru_cache(maxsize=1024)
def _entries(folder: Path, modified: int) -> tuple[tuple[str, ...], bool]:
    """The files of a folder in which projects declare what they need, and whether a project ends there.

    Kept until the folder changes: files of one project are asked about one after another.
    """
    entries = os.listdir(folder)  # noqa: PTH208
    return tuple(sorted(filter(_FILES.fullmatch, entries))), not _ROOTS.isdisjoint(entries)


_ROOTS = frozenset({".git", ".hg", "pyproject.toml"})


def _specifiers(path: Path) -> tuple[str, ...]:
    """What a file demands of torch, one text for each time that it does."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return _read(path, stat.st_mtime_ns, stat.st_size) if stat.st_size < _LONGEST else ()


_FILES = re.compile(
    r"pyproject\.toml|setup\.(?:py|cfg)|[\w.-]*requirements[\w.-]*\.(?:txt|in)|environment[\w.-]*\.ya?ml"
)
_LONGEST = 1_000_000


@lru_cache(maxsize=256)
def _read(path: Path, modified: int, size: int) -> tuple[str, ...]:
    """See `_specifiers`. Kept until the file is another one."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.name == "pyproject.toml":
            return tuple(_of_pyproject(tomllib.loads(text)))
        if path.suffix == ".py":
            ast.parse(text)
    except OSError:
        return ()
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return ("=",)  # It is being edited: see `UNCLEAR`.
    pattern = _IN_STRINGS if path.suffix == ".py" else _IN_LINES
    return tuple(match[1] for match in pattern.finditer(text))


_REQUIREMENT = r"(?:py)?torch\s*(?:\[[^\]\n]*\])?\s*((?:\(?\s*[<>=!~^]=?=?[^#;\"'\n]*)?)"
_IN_LINES = re.compile(rf"^[ \t]*(?:-[ \t]+)?(?:[\w-]+::)?{_REQUIREMENT}[ \t]*(?:[#;].*)?$", re.M)
_IN_STRINGS = re.compile(rf"[\"'](?=torch\s*[\[(<>=!~]){_REQUIREMENT}(?:;[^\"'\n]*)?[\"']")
_ALONE = re.compile(rf"{_REQUIREMENT}(?:;.*)?", re.S)


def _of_pyproject(document: dict[str, object]) -> Iterator[str]:
    """The dependencies of a project and its extras and groups; Poetry has a table of its own."""
    project, tool = _table(document, "project"), _table(document, "tool")
    lists = [project.get("dependencies"), *_table(project, "optional-dependencies").values()]
    lists += _table(document, "dependency-groups").values()
    for entry in (entry for entries in lists if isinstance(entries, list) for entry in entries):
        match = _ALONE.fullmatch(entry) if isinstance(entry, str) else None
        if match is not None:
            yield match[1]
    poetry = _table(tool, "poetry")
    groups = [group for group in _table(poetry, "group").values() if isinstance(group, dict)]
    for table in (poetry, *groups):
        wanted = _table(table, "dependencies").get("torch")
        wanted = wanted.get("version") if isinstance(wanted, dict) else wanted
        if isinstance(wanted, str):
            yield wanted


def _table(outer: dict[str, object], key: str) -> dict[str, object]:
    inner = outer.get(key)
    return inner if isinstance(inner, dict) else {}


def _joined(specifiers: Iterable[str]) -> Supported:
    """The versions that any of these allows."""
    bounds = [_bounds(specifier) for specifier in specifiers]
    oldest = [each.oldest for each in bounds]
    newest = [each.newest for each in bounds]
    return Supported(
        None if None in oldest else min(v for v in oldest if v),
        None if None in newest else max(v for v in newest if v),
    )


def _bounds(specifier: str) -> Supported:
    """The bounds of `>=2.1,<2.5`, `==2.3.*`, `~=2.1`, `^2.1`, conda's `=2.1` and `2.1`."""
    oldest: Version | None = None
    newest: Version | None = None
    clauses = _CLAUSE.findall(specifier)
    if not clauses and re.match(r"\s*\(?\s*[<>=!~^]", specifier):
        return UNCLEAR
    for operator, text in clauses:
        known = version(text)
        if known is None:
            continue
        last = (known[0], _ANY) if re.fullmatch(r"v?\d+\.\*", text) else known
        if operator in (">=", ">", "~=", "^", "~", "==", "===", "=", ""):
            oldest = max(oldest or known, known)
        if operator in ("==", "===", "=", "", "<=", "~"):
            newest = min(newest or last, last)
        if operator == "<":
            below = known if re.match(r"v?\d+\.\d+\.0*[1-9]", text) else _before(known)
            newest = min(newest or below, below)
        if operator == "~=" and text.count(".") > 1:
            newest = min(newest or known, known)
    return Supported(oldest, newest)


_CLAUSE = re.compile(r"(===|[<>=!~]=|[<>=~^]|(?<![\w.=<>!~^ ]))\s*(v?\d[\w.*+]*)")


def _before(bound: Version) -> Version:
    """The last version below one; below a new major there may be any minor."""
    major, minor = bound
    return (major, minor - 1) if minor else (major - 1, _ANY)


_ANY = 99
