"""Nothing is left: the processes of an agent that did not end well, and its directory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import sys
import tempfile
from pathlib import Path

MARK = "TORCHLORE_RUN"
"""A variable, its value unique, in all that an agent starts: by it that is found without the agent."""


def kill(process: asyncio.subprocess.Process, mark: str) -> None:
    """Ends an agent that did not end well, and what it may have left."""
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    if sys.platform == "linux":
        for _ in range(10):
            if not _kill_marked(f"{MARK}={mark}".encode()):
                return


def _kill_marked(entry: bytes) -> int:
    """Kills every process of this user whose environment carries the mark. Returns how many there were."""
    count = 0
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if entry in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)
                count += 1
    return count


def new_directory(inside: Path | None = None) -> Path:
    """A directory that nobody else may enter. Links are followed: macOS's temporary directory is behind one.

    Args:
        inside: where; by default in the system's temporary directory.
    """
    return Path(tempfile.mkdtemp(prefix="torchlore-", dir=inside)).resolve()


def is_ours(directory: Path) -> bool:
    """Whether this is still a directory that nobody else may enter, and no link that took its place."""
    try:
        found = directory.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(found.st_mode):
        return False
    return os.name == "nt" or (found.st_uid == os.getuid() and not found.st_mode & 0o077)


def remove(directory: Path) -> None:
    """Removes it whatever is in it. Where a snippet has put a link in its place, only the link goes."""
    shutil.rmtree(directory, ignore_errors=True)
    if directory.is_symlink():
        with contextlib.suppress(OSError):
            directory.unlink()
        return
    if not directory.exists():
        return
    # A snippet may have taken the right to write away from its own folders.
    for folder, inside, _ in os.walk(directory):
        for path in (Path(folder, name) for name in inside):
            if not path.is_symlink():  # The rights of what it links to are none of ours.
                with contextlib.suppress(OSError):
                    path.chmod(stat.S_IRWXU)
    shutil.rmtree(directory, ignore_errors=True)
