"""In which workspaces the user lets their own code be run. Shipped snippets need no consent, only trust.

The notes are the user's, not the workspace's: what a workspace could write there would be its own permission.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from pathlib import Path


def has_consent(workspace: Path, notes: Path | None = None) -> bool:
    """Whether the user said once that their code in this folder may always be run.

    Args:
        workspace: the folder. Links are followed: consent is for what they lead to now.
        notes: where it is noted; by default `default_notes()`.
    """
    return _key(workspace) in _noted(notes or default_notes())


def give_consent(workspace: Path, notes: Path | None = None) -> None:
    """Notes that it may. Where that cannot be written, the user is asked again next time."""
    notes = notes or default_notes()
    agreed = sorted({*_noted(notes), _key(workspace)})
    draft = notes.with_name(f"{notes.name}.{secrets.token_hex(8)}")
    with contextlib.suppress(OSError):
        notes.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.write_text(json.dumps({"workspaces": agreed}, indent=2) + "\n", encoding="utf-8")
        draft.replace(notes)


def default_notes() -> Path:
    """The file of this user's consents."""
    if sys.platform == "win32":
        folder = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    elif sys.platform == "darwin":
        folder = Path.home() / "Library/Application Support"
    else:
        folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    return folder / "torchlore" / "consent.json"


def _key(workspace: Path) -> str:
    return str(workspace.resolve())


def _noted(notes: Path) -> frozenset[str]:
    """Nothing where the file cannot be read, is not the user's, or others may write to it."""
    try:
        status = notes.stat()
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
            return frozenset()
        said = json.loads(notes.read_text(encoding="utf-8"))
        return frozenset(path for path in said["workspaces"] if isinstance(path, str))
    except (OSError, ValueError, TypeError, KeyError):
        return frozenset()
