"""Interfaces of files, kept on disk by content: reading one back is many times quicker than parsing the file.

The folder belongs to the user, not to a project: what a project could plant there would be believed.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from torchlore.analysis import interface
from torchlore.analysis.interface import Imported, Interface
from torchlore.text import nodes, outline

_FORMAT = 2

_KEPT = 8_192
"""Entries (some kilobytes each) after which the older half is deleted."""

_PRUNED_EVERY = 256
"""Entries written, on average, between two looks at how many there are."""


def user_cache() -> Path:
    """The folder in which this user's programs keep what they can make again."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


@dataclass(frozen=True, slots=True)
class InterfaceStore:
    """A folder of interfaces, one file each, named by the digest of what they were read off."""

    folder: Path

    def load(self, digest: str) -> Interface | None:
        """The interface of a text of this digest; None where none is kept, or it cannot be read."""
        try:
            return _interface(json.loads((self.folder / digest).read_bytes()))
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None

    def save(self, digest: str, interface: Interface) -> None:
        """Keeps an interface; a folder that cannot be written to keeps nothing."""
        draft = self.folder / f"{digest}.{secrets.token_hex(8)}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(json.dumps(_plain(interface), separators=(",", ":")).encode())
            draft.replace(self.folder / digest)
            if secrets.randbelow(_PRUNED_EVERY) == 0:
                _prune(self.folder)
        except OSError:
            pass


def default_store() -> InterfaceStore | None:
    """The store in the user's cache folder; None where there is no such folder to be found."""
    try:
        return InterfaceStore(user_cache() / "torchlore" / "interfaces" / _generation())
    except RuntimeError:  # No home folder.
        return None


def _generation() -> str:
    """Changes when the same text may have another interface: with our reader, with Python's grammar."""
    digest = sha256(f"{_FORMAT} {sys.version_info[:2]}".encode())
    for module in (interface, outline, nodes):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:16]


def _prune(folder: Path) -> None:
    """Deletes the older half of the entries where there are too many."""
    with os.scandir(folder) as found:
        entries = sorted((entry.stat().st_mtime, entry.path) for entry in found)
    if len(entries) > _KEPT:
        for _, path in entries[: len(entries) // 2]:
            Path(path).unlink(missing_ok=True)


def _plain(interface: Interface) -> dict[str, object]:
    return {
        "names": {
            name: [None if b is None else [b.module, b.name] for b in bound]
            for name, bound in interface.names.items()
        },
        "alternatives": sorted(interface.alternatives),
        "stars": interface.stars,
        "exports": None if interface.exports is None else sorted(interface.exports),
        "runs": [[named.module, named.name] for named in interface.runs],
        "patches": interface.patches,
        "broken": interface.broken,
    }


def _interface(plain: dict[str, Any]) -> Interface:
    return Interface(
        {
            name: tuple(None if b is None else Imported(b[0], b[1]) for b in bound)
            for name, bound in plain["names"].items()
        },
        frozenset(plain["alternatives"]),
        tuple(plain["stars"]),
        None if plain["exports"] is None else frozenset(plain["exports"]),
        tuple(Imported(module, name) for module, name in plain["runs"]),
        tuple(plain["patches"]),
        bool(plain["broken"]),
    )
