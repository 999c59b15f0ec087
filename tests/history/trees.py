"""What a repository held at a commit, out of a mirror of it."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path, PurePosixPath

_WANTED = ("*.py", "pyproject.toml", "setup.cfg", "*requirements*.txt")
"""What a check reads: code, and which torch it is written for."""


class HistoryError(Exception):
    """A mirror is missing, or lacks what is asked of it; the message says what."""


def mirror_of(repository: str, mirrors: Path) -> Path:
    """The git directory of a repository, with its history.

    Args:
        repository: `owner/name`.
        mirrors: the folder that has `owner+name/repo` for it.

    Raises:
        HistoryError: there is none.
    """
    place = mirrors / repository.replace("/", "+") / "repo"
    if not place.is_dir():
        raise HistoryError(f"no mirror of {repository}: {place} is missing")
    return place


def check_out(mirror: Path, revision: str, folder: Path) -> None:
    """Puts the Python files of a revision into a new folder, and what says which torch they are for.

    Args:
        mirror: a git directory.
        revision: a commit, or what git makes one of, as `abc^`.
        folder: must not exist.

    Raises:
        HistoryError: the mirror has no such revision, or not all of its files.
    """
    listed = _git(mirror, "ls-tree", "-r", "-z", "--name-only", revision).decode("utf-8", "replace")
    names = [PurePosixPath(name) for name in listed.split("\0")]
    wanted = [f":(glob)**/{pattern}" for pattern in _WANTED if any(name.match(pattern) for name in names)]
    folder.mkdir(parents=True)
    if wanted:
        archive = _git(mirror, "archive", "--format=tar", revision, "--", *wanted)
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")


def _git(mirror: Path, *arguments: str) -> bytes:
    done = subprocess.run(["git", "-C", str(mirror), *arguments], capture_output=True, check=False)
    if done.returncode:
        raise HistoryError(f"{mirror}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout
