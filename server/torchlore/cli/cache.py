"""What earlier runs of `check` found, by what was checked: the file's bytes, the rules, torchlore itself.

Nothing in a key is a time or a name: a freshly cloned tree hits, and so does a file that was only touched.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torchlore
from torchlore.analysis.files import digest_of
from torchlore.analysis.requirements import supported
from torchlore.analysis.workspace import Dependencies
from torchlore.config import Config
from torchlore.rules.model import Finding, Fix, Related, Severity
from torchlore.text import Edit, Span, is_notebook

FOLDER = ".torchlore_cache"

_KEPT_GENERATIONS = 3
"""Generations (states of torchlore) kept; changing torchlore itself should not grow the folder for ever."""

_MARKERS = {".gitignore": b"*\n", "CACHEDIR.TAG": b"Signature: 8a477f597d28d172789f06886806bc55\n"}


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of answers; `generation` is the part of it that this torchlore wrote."""

    generation: Path

    def key(self, data: bytes, config: Config, path: Path) -> str:
        """The name of the answer for a file of these bytes under this configuration, at this place."""
        digest = hashlib.sha256(data)
        digest.update(b"notebook" if is_notebook(path) else b"")
        selection = config.selection_for(path)
        flags = selection, config.severity, config.type_checked_deprecations
        settings = repr((self._relative(str(path)), *flags, supported(str(path))))
        digest.update(settings.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def load(self, key: str) -> tuple[Finding, ...] | None:
        """The findings that were stored.

        None where none were, the entry cannot be read, or a file that they rest on is another one now.
        """
        data = self._read(key)
        try:
            entry = None if data is None else json.loads(data)
            if entry is None or not self._still_holds(entry["read"], entry["seen"], entry["missed"]):
                return None
            return tuple(_finding(item) for item in entry["findings"])
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
            return None  # A torn or foreign entry is the same as none: the file is checked again.

    def store(self, key: str, findings: tuple[Finding, ...], dependencies: Dependencies) -> None:
        """Keeps findings and what they rest on; a folder that cannot be written to keeps nothing."""
        files = dependencies.files.values()
        entry = {
            "read": {self._relative(file.path): file.digest for file in files if file.was_read},
            "seen": [self._relative(file.path) for file in files if not file.was_read],
            "missed": sorted(map(self._relative, dependencies.missed)),
            "findings": [asdict(finding) for finding in findings],
        }
        target = self.generation / key
        draft = target.with_name(f"{key}.{secrets.token_hex(8)}")
        try:
            _write_new(draft, json.dumps(entry, separators=(",", ":")).encode())
            draft.replace(target)
        except (OSError, UnicodeError):
            pass

    def _still_holds(self, read: dict[str, str], seen: list[str], missed: list[str]) -> bool:
        return (
            all(_digest(self._absolute(path)) == digest for path, digest in read.items())
            and all(map(_exists, map(self._absolute, seen)))
            and not any(map(_exists, map(self._absolute, missed)))
        )

    def _relative(self, path: str) -> str:
        """Paths are kept as seen from the cache, so that a copy of the project hits."""
        try:
            return os.path.relpath(path, self.generation)
        except ValueError:  # another drive
            return os.path.abspath(path)  # noqa: PTH100

    def _absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.generation, path))  # noqa: PTH118

    def _read(self, key: str) -> bytes | None:
        try:
            return (self.generation / key).read_bytes()
        except OSError:
            return None


@lru_cache(maxsize=4096)
def _digest(path: str) -> str:
    """Of a file's bytes; empty where it cannot be read. Files do not change while they are checked."""
    try:
        return digest_of(Path(path).read_bytes())
    except OSError:
        return ""


_exists = lru_cache(maxsize=16384)(os.path.isfile)


def open_cache(folder: Path) -> Cache | None:
    """The cache in `folder`, made where it is missing; None where it cannot be made.

    Whoever wrote the project may have put anything in the cache's place, links to the user's own folders
    above all: nothing is written or removed through a link.
    """
    root = folder / FOLDER
    generation = root / _generation()
    try:
        for made in (root, generation):
            made.mkdir(exist_ok=True)
            if made.is_symlink():
                return None
        for name, text in _MARKERS.items():
            if not os.path.lexists(root / name):
                _write_new(root / name, text)
        os.utime(generation)
        _forget_old(root)
    except OSError:
        return None
    return Cache(generation)


def _write_new(path: Path, data: bytes) -> None:
    """Writes a file that is not there yet; a link of that name, dangling or not, is there."""
    with path.open("xb") as file:
        file.write(data)


@lru_cache(maxsize=1)
def _generation() -> str:
    """A digest of everything but the file that decides a finding: version, Python's grammar, the sources."""
    digest = hashlib.sha256(f"{torchlore.__version__} {sys.version_info[:2]}".encode())
    package = Path(torchlore.__file__).parent
    sources = [
        package / "config.py",
        *(p for room in ("rules", "analysis", "text") for p in (package / room).rglob("*.*")),
    ]
    for source in sorted(path for path in sources if path.suffix in _SOURCES):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


_SOURCES = (".py", ".toml", ".txt")


def _forget_old(root: Path) -> None:
    with os.scandir(root) as entries:
        generations = [(e.stat().st_mtime, e.path) for e in entries if e.is_dir(follow_symlinks=False)]
    for _, old in sorted(generations, reverse=True)[_KEPT_GENERATIONS:]:
        for entry in Path(old).iterdir():
            entry.unlink(missing_ok=True)
        Path(old).rmdir()


def _finding(item: dict[str, Any]) -> Finding:
    return Finding(
        code=item["code"],
        name=item["name"],
        severity=Severity(item["severity"]),
        message=item["message"],
        span=Span(**item["span"]),
        fixes=tuple(
            Fix(f["title"], tuple(Edit(Span(**e["span"]), e["text"]) for e in f["edits"]), f["safe"])
            for f in item["fixes"]
        ),
        related=tuple(Related(Span(**r["span"]), r["message"]) for r in item["related"]),
        url=item["url"],
        card=item["card"],
        is_type_checked=item["is_type_checked"],
    )
