"""Which files `check` looks at."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from torchlore.config import Config, find_config

ConfigOf = Callable[[Path], Config]
"""The configuration for the files of one folder."""

_SUFFIXES = (".py", ".pyw", ".ipynb")


def python_files(paths: Iterable[Path], config_of: ConfigOf) -> Iterator[Path]:
    """The Python files and notebooks under `paths`, each once.

    A file that was named is given whatever it is called. A path that does not exist is given too, for the
    reader to report. Links to folders are not followed, so that a loop of links ends.
    """
    seen: set[str] = set()
    for path in paths:
        # Not `path.is_dir()`, which raises where the folder above may not be entered.
        for file in _walk(path, config_of) if os.path.isdir(path) else [path]:  # noqa: PTH112
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


def _walk(top: Path, config_of: ConfigOf) -> Iterator[Path]:
    """In the order of names. Not by recursion: a tree may be deeper than Python's stack."""
    waiting = [(top, True)]
    while waiting:
        path, is_folder = waiting.pop()
        if not is_folder:
            yield path
            continue
        try:
            entries = sorted(os.scandir(path), key=lambda entry: entry.name, reverse=True)
        except OSError:
            yield path  # Reading it again gives the reason, which the reader reports.
            continue
        config = config_of(path)
        for entry in entries:
            inner = entry.is_dir(follow_symlinks=False)
            wanted = inner or (entry.name.endswith(_SUFFIXES) and _is_file(entry))
            if wanted and not config.excludes_entry(entry.path):
                waiting.append((Path(entry.path), inner))


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it can be read without waiting; a link that leads nowhere is no file."""
    try:
        return stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return False
