"""Writes what the analysis must know of torch's names: how else they are spelled, what a star import binds.

The analysis stands below the symbol index and cannot ask it; it reads the table that is made here of it.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from torchlore.analysis.torch_names import HEADING, TABLE
from torchlore.knowledge.build import BuildError
from torchlore.knowledge.index_file import read_index

_SECONDS = 300.0

_STARS = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
found = {}
for name in json.load(sys.stdin):
    bound = {}
    try:
        exec(f"from {name} import *", bound)
    except Exception:
        continue
    found[name] = sorted(set(bound) - {"__builtins__"})
sys.__stdout__.write("\\n" + json.dumps(found))
"""
"""Run in an interpreter that has torch: what a star import of each of its modules binds."""


def write_spellings(index_path: Path, interpreter_path: str) -> Path:
    """Write the table from a symbol index and from what star imports bind in an interpreter's torch.

    Runs the interpreter: the caller has asked whether that is allowed. Raises BuildError where that fails.
    """
    content = read_index(index_path)
    lines = [HEADING, *respelled(content), *starred(content, _imported(interpreter_path, modules(content)))]
    TABLE.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return TABLE


def respelled(content: dict[str, Any]) -> list[str]:
    """`torch.optim.sgd torch.optim SGD`: which names of one module are public in another."""
    pairs: dict[tuple[str, str], list[str]] = {}
    for private, public in content["aliases"].items():
        home, _, name = private.rpartition(".")
        pairs.setdefault((home, public.removesuffix(f".{name}")), []).append(name)
    return [f"{home} {public} {' '.join(sorted(names))}" for (home, public), names in sorted(pairs.items())]


def modules(content: dict[str, Any]) -> list[str]:
    """The public modules of torch."""
    return sorted(
        name for name, record in content["symbols"].items() if record[0] == "module" and "._" not in name
    )


def starred(content: dict[str, Any], bound: dict[str, list[str]]) -> list[str]:
    """`torch.nn * Linear ReLU`: what a star import of a module binds, as far as the index has it."""
    spelled = content["symbols"].keys() | content["aliases"].keys() | content["same_as"].keys()
    lines: list[str] = []
    for module, names in sorted(bound.items()):
        known = sorted(name for name in names if f"{module}.{name}" in spelled)
        if known:
            lines.append(f"{module} * {' '.join(known)}")
    return lines


def _imported(interpreter: str, names: list[str]) -> dict[str, list[str]]:
    try:
        done = subprocess.run(
            [interpreter, "-c", _STARS],
            input=json.dumps(names),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildError(f"{interpreter} did not say what star imports of torch bind: {error}") from error
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found
