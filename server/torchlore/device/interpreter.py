"""Which Python runs the snippets. Looks at names and files only; starts nothing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torchlore.device.trust import Trust

_WINDOWS = os.name == "nt"
_IN_ENVIRONMENT = Path("Scripts/python.exe" if _WINDOWS else "bin/python")
_IN_CONDA = Path("python.exe") if _WINDOWS else _IN_ENVIRONMENT


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that may run snippets.

    Attributes:
        path: absolute, links not followed (a virtual environment's python is a link).
        origin: who named it: "setting", "pyproject.toml", "workspace .venv", "VIRTUAL_ENV", "CONDA_PREFIX",
            "the one that runs torchlore".
    """

    path: str
    origin: str

    def __str__(self) -> str:
        return f"{self.path} ({self.origin})"


def find_interpreter(
    root: str | None,
    configured: str | None,
    *,
    project: str | None = None,
    trust: Trust = Trust.TRUSTED,
    environ: Mapping[str, str] = os.environ,
) -> Interpreter:
    """The interpreter that snippets run in.

    What the user set wins, then what the project's files say, then the workspace's own virtual environment,
    then the one that is active, then the one that runs torchlore. What is named but does not exist is
    returned all the same, so that `describe` and `run` can say so. Files of an untrusted workspace have no
    say.

    Args:
        root: the workspace's folder; relative paths start there.
        configured: the user's setting or option: a path (also of an environment's folder, also with `~`), or
            a command.
        project: `interpreter` under `[tool.torchlore]` in the workspace's pyproject.toml.
        trust: of the workspace.
        environ: where VIRTUAL_ENV and CONDA_PREFIX are looked up.
    """
    if configured:
        return Interpreter(_resolve(configured, root), "setting")
    if trust is Trust.TRUSTED:
        if project:
            return Interpreter(_resolve(project, root), "pyproject.toml")
        for name in (".venv", "venv") if root else ():
            path = Path(root or "").absolute() / name / _IN_ENVIRONMENT
            if path.exists():
                return Interpreter(str(path), "workspace .venv")
    for variable, inside in (("VIRTUAL_ENV", _IN_ENVIRONMENT), ("CONDA_PREFIX", _IN_CONDA)):
        path = Path(environ.get(variable, ""), inside)
        if path.is_absolute() and path.exists():
            return Interpreter(str(path), variable)
    return Interpreter(sys.executable, "the one that runs torchlore")


def torch_version(packages: Sequence[str]) -> str | None:
    """The version of the torch in one of these folders (`site-packages`), read off a file's name."""
    for folder in packages:
        for path in sorted(Path(folder).glob("torch-*.dist-info")):
            return path.name.removeprefix("torch-").removesuffix(".dist-info").partition("+")[0]
    return None


def _resolve(named: str, root: str | None) -> str:
    named = os.path.expanduser(named.strip())  # noqa: PTH111 (pathlib raises where there is no such user)
    if os.sep not in named and "/" not in named and not Path(root or "", named).exists():
        return shutil.which(named) or named
    # Not `resolve()`: a virtual environment's python is a link, and is another interpreter than what it links
    # to.
    path = Path(os.path.abspath(Path(root or "", named)))  # noqa: PTH100
    if path.is_dir():
        for inside in (_IN_ENVIRONMENT, _IN_CONDA):
            if (path / inside).exists():
                return str(path / inside)
    return str(path)
