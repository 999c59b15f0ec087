"""`check --watch`: again and again, whenever a file changed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import typer

_PAUSE = 0.5
"""Seconds between two looks at the files: what looking at some thousand of them takes is far below that."""


def rounds(files: Callable[[], Iterable[Path]]) -> Iterator[None]:
    """A round at once, and another one whenever one of `files` was changed, added or taken away.

    Never ends by itself. Looking at the times of files costs no dependency and works on every file system,
    shared ones and those of containers included.
    """
    seen: dict[Path, tuple[int, int]] | None = None
    while True:
        now = {file: stamp for file in files() if (stamp := _stamp(file)) is not None}
        if now != seen:
            seen = now
            if sys.stdout.isatty():
                typer.echo("\x1b[2J\x1b[H", nl=False)  # a clean screen, from its top
            yield
            typer.echo("Watching for changes; Ctrl-C ends.", err=True)
        time.sleep(_PAUSE)


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
