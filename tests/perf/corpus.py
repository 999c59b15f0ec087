"""The code that is measured: which files, and how they are analysed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from torchlore.analysis import Analysis, analyze
from torchlore.analysis.workspace import Workspace
from torchlore.text import Source, decode

ROOT = Path(__file__).parents[2]
OWN = (ROOT / "server", ROOT / "examples", ROOT / "knowledge")
"""What is measured where no path is given: files that every checkout has."""


@dataclass(frozen=True, slots=True)
class File:
    """One file that is measured.

    Attributes:
        tree: the path that was asked for and that the file lies in.
        name: where it lies in `tree`, with slashes: the same on every machine.
        text: what it holds.
    """

    tree: Path
    name: str
    text: str

    @property
    def path(self) -> Path:
        return self.tree if self.tree.is_file() else self.tree / self.name

    @property
    def lines(self) -> int:
        return self.text.count("\n") + 1


def files(paths: list[Path]) -> list[File]:
    """The Python files below `paths` that mention torch: nothing is asked of the others, not even to parse.

    Args:
        paths: files and folders; none of them: the project's own.

    Raises:
        SystemExit: a path does not exist, or no file below them mentions torch.
    """
    found = [file for path in paths or list(OWN) for file in _files_below(path)]
    if not found:
        raise SystemExit(f"no Python file below {', '.join(map(str, paths))} mentions torch")
    return found


def _files_below(path: Path) -> list[File]:
    if not path.exists():
        raise SystemExit(f"{path} does not exist")
    places = [path] if path.is_file() else sorted(path.rglob("*.py"))
    found = []
    for place in places:
        text = decode(place.read_bytes())
        name = place.name if path.is_file() else place.relative_to(path).as_posix()
        if "torch" in text:
            found.append(File(path, name, text))
    return found


def analysed(file: File, text: str | None = None) -> Analysis:
    """The analysis of a file, or of `text` in its place, as the command line makes it.

    What it imports from other files is read from these. Every measurement comes through here.
    """
    return analyze(Source(file.text if text is None else text, str(file.path)), workspace=workspace())


@cache
def workspace() -> Workspace:
    """What the files import from: one for this process, as on the command line, with nothing kept on disk."""
    return Workspace(kept=50_000_000, is_still=True)


def packages(paths: list[Path]) -> frozenset[str]:
    """Top-level names that code below `paths` is imported by: those packages are part of the workspace."""
    found: set[str] = set()
    for place in (place for path in paths if path.is_dir() for place in path.rglob("*.py")):
        while (place.parent / "__init__.py").exists():
            place = place.parent
        found.add(place.stem)
    return frozenset(found)
