"""Which files of a folder are looked at: by `check`, and by the server for the whole workspace."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from torchlore.config import Config, find_config
from torchlore.gitignore import Ignored, ignored_in

ConfigOf = Callable[[Path], Config]
"""The configuration for the files of one folder."""

_SUFFIXES = (".py", ".pyw", ".ipynb")


def python_files(
    paths: Iterable[Path], config_of: ConfigOf, *, force_exclude: bool = False
) -> Iterator[Path]:
    """The Python files and notebooks under `paths`, each once.

    A file that was named is given whatever it is called. A path that does not exist is given too, for the
    reader to report. Links to folders are not followed, so that a loop of links ends. What git ignores is
    left out, but for what was named itself. What is excluded is given where it was named, too, unless
    `force_exclude` says otherwise: a hook names files that no person chose.
    """
    seen: set[str] = set()
    for path in paths:
        if force_exclude and config_of(path.absolute().parent).excludes(path):
            continue
        # Not `path.is_dir()`, which raises where the folder above may not be entered.
        for file in _walk(path, config_of) if os.path.isdir(path) else [path]:  # noqa: PTH112
            key = os.path.realpath(file)
            if key not in seen:
                seen.add(key)
                yield file


def config_finder(adapted: Callable[[Config], Config]) -> ConfigOf:
    """Finds configurations, `adapted` to a command line's options, reading each file once."""
    known: dict[Path, Config] = {}

    def config_of(folder: Path) -> Config:
        if folder not in known:
            known[folder] = adapted(find_config(folder))
        return known[folder]

    return config_of


def _walk(top: Path, config_of: ConfigOf) -> Iterator[Path]:
    """In the order of names. Not by recursion: a tree may be deeper than Python's stack."""
    home = os.path.abspath(top)  # noqa: PTH100 (links stay)
    waiting: list[tuple[Path, str, Ignored | None]] = [(top, home, ignored_in(Path(home)))]
    while waiting:
        path, absolute, ignored = waiting.pop()
        if ignored is None:
            yield path
            continue
        try:
            entries = sorted(os.scandir(path), key=lambda entry: entry.name, reverse=True)
        except OSError:
            yield path  # Reading it again gives the reason, which the reader reports.
            continue
        config = config_of(path)
        rules = ignored if config.respect_gitignore else Ignored()
        for entry in entries:
            inner = entry.is_dir(follow_symlinks=False)
            wanted = inner or (entry.name.endswith(_SUFFIXES) and _is_file(entry))
            if not wanted or config.excludes_entry(entry.path):
                continue
            within = f"{absolute}{os.sep}{entry.name}"
            if not rules(within, inner):
                waiting.append((Path(entry.path), within, ignored.within(within) if inner else None))


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Whether it can be read without waiting; a link that leads nowhere is no file."""
    try:
        return stat.S_ISREG(entry.stat().st_mode)
    except OSError:
        return False
