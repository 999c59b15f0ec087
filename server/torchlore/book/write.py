"""Writing a book into a folder, over a former one; nothing else of the user's is touched."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

MARK = ".torchlore-book.json"
"""The file by which a folder is known as a book: it lists what was written."""


class NotABook(ValueError):
    """The folder holds something that is no book."""


def write_book(files: dict[str, bytes], folder: Path, *, over: bool) -> None:
    """Writes the files; files that a former book had and this one has not are removed.

    Args:
        files: content by path within the folder.
        folder: made where it is missing.
        over: whether to write into a folder that holds something else, too.

    Raises NotABook where it holds something else and `over` is False, OSError where it cannot be written.
    """
    former = _former(folder)
    if former is None and not over and folder.exists() and any(folder.iterdir()):
        raise NotABook(f"{folder} holds something that is no book")
    for path in sorted(former or []):
        if path not in files:
            (folder / path).unlink(missing_ok=True)
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    mark = {"format": 1, "files": sorted(files)}
    (folder / MARK).write_text(json.dumps(mark, indent=0), encoding="utf-8")


def _former(folder: Path) -> list[str] | None:
    """The files of the book in a folder; None where it holds none."""
    try:
        mark = json.loads((folder / MARK).read_bytes())
        files = mark["files"] if mark["format"] == 1 else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    if not isinstance(files, list) or not all(isinstance(path, str) for path in files):
        return None
    return [path for path in files if _is_within(folder, path)]


def _is_within(folder: Path, path: str) -> bool:
    """Whether a listed file is one of the folder's own: whoever wrote the list may have meant another's."""
    parts = PurePosixPath(path).parts
    if not parts or ".." in parts or PurePosixPath(path).is_absolute() or "\\" in path or ":" in path:
        return False
    target = folder / path
    return target.is_file() and target.resolve().is_relative_to(folder.resolve())
