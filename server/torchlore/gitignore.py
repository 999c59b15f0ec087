"""Which files git ignores, within a repository."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pathspec import GitIgnoreSpec


@dataclass(frozen=True, slots=True)
class Ignored:
    """What the `.gitignore` files from the top of a repository down to a folder say.

    Attributes:
        specs: each with the folder whose entries its patterns are about, the innermost first: it wins.
    """

    specs: tuple[tuple[str, GitIgnoreSpec], ...] = ()

    def __call__(self, path: str, is_folder: bool) -> bool:
        """Whether git ignores `path` (absolute), looked at by itself, not for a folder around it."""
        for folder, spec in self.specs:
            inside = os.path.relpath(path, folder).replace(os.sep, "/")
            said = spec.check_file(f"{inside}/" if is_folder else inside).include
            if said is not None:
                return said
        return False

    def within(self, folder: str) -> Ignored:
        """The same for what lies in a folder of the one that this is of."""
        spec = _spec(folder, ".gitignore")
        return self if spec is None else Ignored(((folder, spec), *self.specs))


def ignored_in(folder: Path) -> Ignored:
    """What is ignored among the entries of `folder` (absolute); nothing where that is in no repository.

    A folder that is ignored itself was asked for on purpose: only what it says itself counts in it.
    """
    top = next((above for above in (folder, *folder.parents) if _is_repository(above)), None)
    if top is None:
        return Ignored()
    excluded = _spec(str(top), ".git/info/exclude")
    ignored = Ignored(((str(top), excluded),) if excluded is not None else ())
    for above in [outer for outer in reversed(folder.parents) if outer == top or outer.is_relative_to(top)]:
        ignored = ignored.within(str(above))
    if folder != top and ignored(str(folder), is_folder=True):
        ignored = Ignored()
    return ignored.within(str(folder))


def _is_repository(folder: Path) -> bool:
    return os.path.exists(folder / ".git")  # noqa: PTH110 (`exists` of pathlib raises where it may not look)


@lru_cache(maxsize=1024)
def _spec(folder: str, name: str) -> GitIgnoreSpec | None:
    """The patterns of a file; None where there is none, or none that can be read."""
    try:
        text = Path(folder, name).read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return None
    lines = [line for line in text.splitlines() if _is_pattern(line)]
    return GitIgnoreSpec.from_lines(lines) if lines else None


def _is_pattern(line: str) -> bool:
    """Whether a line says something; one that means nothing is passed over, as git does."""
    try:
        return bool(line.strip()) and not line.startswith("#") and len(GitIgnoreSpec.from_lines([line])) > 0
    except (ValueError, re.error):
        return False
