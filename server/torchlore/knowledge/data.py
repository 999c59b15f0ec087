"""Where the content lies, and how its TOML is read."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class ContentError(ValueError):
    """A file under `knowledge/` is not in the form that `CONTRIBUTING.md` describes; says which and why."""


@lru_cache(maxsize=1)
def data_root() -> Path:
    """The folder with cards, snippets, inserts and symbols.

    An installed torchlore carries it as package data (`torchlore/_knowledge`); a source checkout keeps it
    beside `server/`. The package lies in a folder in both cases, since wheels are unpacked when installed.
    """
    package = Path(__file__).resolve().parent.parent
    packaged = package / "_knowledge"
    if packaged.is_dir():
        return packaged
    return package.parent.parent / "knowledge"


def read_toml(text: str, path: str) -> dict[str, Any]:
    """Parse TOML; `path` is only named in the error.

    Raises ContentError where the text is not TOML.
    """
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ContentError(f"{path}: {error}") from error
    return table
