"""The Python and stub files of one wheel of torch."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class WheelError(ValueError):
    """A file is not a wheel of torch; says which file and why."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """What a wheel holds for readers.

    Attributes:
        version: in full, such as "2.4.1".
        python: the text of a `.py` file by the dotted name of its module.
        stubs: the text of a `.pyi` file by the dotted name of the module that it describes.
        packages: the modules that have modules of their own.
    """

    version: str
    python: Mapping[str, str]
    stubs: Mapping[str, str]
    packages: frozenset[str]

    def has_module(self, name: str) -> bool:
        """Whether there is such a module or package, be it without any code."""
        return name in self.python or name in self.stubs or name in self.packages


def read_wheel(path: Path) -> Wheel:
    """Read the texts out of a wheel file. Raises WheelError where it is none of torch, or damaged."""
    python: dict[str, str] = {}
    stubs: dict[str, str] = {}
    packages: set[str] = set()
    try:
        with zipfile.ZipFile(path) as archive:
            version = _version(archive)
            for name in archive.namelist():
                stem, dot, suffix = name.rpartition(".")
                if not name.startswith("torch/") or dot + suffix not in (".py", ".pyi"):
                    continue
                parts = stem.split("/")
                packages.update(".".join(parts[:end]) for end in range(1, len(parts)))
                module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                text = archive.read(name).decode("utf-8", "replace")
                (python if suffix == "py" else stubs)[module] = text
    except (OSError, zipfile.BadZipFile) as error:
        raise WheelError(f"{path}: {error}") from error
    if version is None or "torch" not in python:
        raise WheelError(f"{path}: not a wheel of torch")
    return Wheel(version, python, stubs, frozenset(packages))


def _version(archive: zipfile.ZipFile) -> str | None:
    for name in archive.namelist():
        if name.startswith("torch-") and name.endswith(".dist-info/METADATA"):
            for line in archive.read(name).decode("utf-8", "replace").splitlines():
                if line.startswith("Version: "):
                    return line.removeprefix("Version: ").strip()
    return None
