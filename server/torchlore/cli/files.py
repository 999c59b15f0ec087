"""Which files `check` looks at."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from torchlore.config import Config, find_config

ConfigOf = Callable[[Path], Config]
"""The configuration for the files of one folder."""


def python_files(paths: Iterable[Path], config_of: ConfigOf) -> Iterator[Path]:
    """The Python files under `paths`, each once: a file that was named is given whatever it is called.

    A path that does not exist is given too, for the reader to report. Links to folders are not followed,
    so that a loop of links ends.
    """
    seen: set[str] = set()
    for path in paths:
        for file in _walk(path, config_of) if path.is_dir() else [path]:
            key = os.path.realpath(file)
            if key not in seen:
                seen.add(key)
                yield file


def config_finder(select: tuple[str, ...], ignore: tuple[str, ...]) -> ConfigOf:
    """Finds configurations under a command line's selectors, reading each pyproject.toml once."""
    known: dict[Path, Config] = {}

    def config_of(folder: Path) -> Config:
        if folder not in known:
            known[folder] = find_config(folder).overridden(select, ignore)
        return known[folder]

    return config_of


def _walk(folder: Path, config_of: ConfigOf) -> Iterator[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        yield folder  # Reading it again gives the reason, which the reader reports.
        return
    config = config_of(folder)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            if not config.excludes_entry(entry.path):
                yield from _walk(Path(entry.path), config_of)
        elif (
            entry.name.endswith((".py", ".pyw")) and _is_file(entry) and not config.excludes_entry(entry.path)
        ):
            yield Path(entry.path)


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it can be read without waiting; a link that leads nowhere is no file."""
    try:
        return stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return False
