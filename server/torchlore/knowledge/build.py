"""Builds a symbol index: asks an interpreter that has torch, then completes what it says.

The server itself never imports torch: `torchlore_agent/symbol_index` runs in that interpreter, and this
module adds what does not depend on it (hand-written lines, lines derived from other lines, doc links).
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from torchlore.knowledge.complete import complete
from torchlore.knowledge.index_file import pack, read_index, without_history
from torchlore.knowledge.symbols import index_path

_SECONDS = 300.0


class BuildError(RuntimeError):
    """The index could not be built; the text is one clear sentence that names the interpreter."""


def build_index(
    interpreter_path: str, output_path: str | os.PathLike[str], seconds: float = _SECONDS
) -> Path:
    """Describe the torch of an interpreter and write the index to `output_path` (gzipped JSON).

    Runs the interpreter: the caller has asked whether that is allowed. What the shipped index knows of other
    versions is taken over. The same torch gives the same bytes. An existing file is replaced only by a valid
    one. Raises BuildError where the interpreter cannot be started, has no torch, or does not finish within
    `seconds`.
    """
    content = complete(_describe(interpreter_path, seconds))
    content |= _carried(content)
    return write_index(content, output_path, f"the index that {interpreter_path} described is not usable")


def write_index(content: dict[str, Any], output_path: str | os.PathLike[str], complaint: str) -> Path:
    """Write the content of an index; an existing file is replaced only by a valid one.

    Raises BuildError, which begins with `complaint`, where something that every index must have is missing.
    """
    output = Path(output_path)
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_name(output.name + ".partial")
    partial.write_bytes(pack(content))
    try:
        problem = _problem(read_index(partial))
        if problem:
            raise BuildError(f"{complaint}: {problem}")
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    return output


def _carried(content: dict[str, Any]) -> dict[str, Any]:
    """What the shipped index knows of other versions, and its names that are newer than this torch."""
    shipped = index_path()
    if shipped is None:
        return without_history()
    known = read_index(shipped)
    newer = {
        name: record
        for name, record in known["symbols"].items()
        if name not in content["symbols"]
        and name not in content["aliases"]
        and _is_dated(name, known["ranges"])
    }
    carried = {key: known[key] for key in without_history()}
    return {**carried, "other_symbols": {**known["other_symbols"], **newer}}


def _is_dated(name: str, ranges: dict[str, Any]) -> bool:
    while name:
        if "since" in ranges.get(name, ()):
            return True
        name = name.rpartition(".")[0]
    return False


def _describe(interpreter: str, seconds: float) -> dict[str, Any]:
    program = Path(__file__).resolve().parents[2] / "torchlore_agent" / "symbol_index"
    # TORCH_LOGS="" (set, but empty) makes `import torch` fail in torch 2.13.
    environment = {name: value for name, value in os.environ.items() if name != "TORCH_LOGS"}
    with tempfile.TemporaryDirectory(prefix="torchlore-index-") as folder:
        output = Path(folder) / "raw.json"
        try:
            done = subprocess.run(
                [interpreter, str(program), str(output)],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except OSError as error:
            raise BuildError(f"{interpreter} cannot be started: {error.strerror or error}") from error
        except subprocess.TimeoutExpired as error:
            raise BuildError(f"{interpreter} did not describe torch within {seconds:g} s") from error
        if done.returncode != 0 or not output.is_file():
            last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            raise BuildError(f"{interpreter} could not describe torch: {last}")
        content: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
        return content


def _problem(content: dict[str, Any]) -> str | None:
    symbols, aliases = content["symbols"], {**content["aliases"], **content["same_as"]}
    for name in (
        "torch",
        "torch.Tensor",
        "torch.nn.Module",
        "torch.nn.Linear",
        "torch.optim.SGD",
        "torch.abs",
    ):
        if name not in symbols:
            return f"{name} is missing"
    dangling = next((name for name, target in aliases.items() if target not in symbols), None)
    return f"{dangling} stands for {aliases[dangling]}, which is missing" if dangling else None
