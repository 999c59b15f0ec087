"""Writes what the rules of the api family must know of torch's history: what is gone, and what is on its way.

The rules stand below the symbol index and cannot ask it; they read the table that is made here of it.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torchlore.knowledge.build import BuildError
from torchlore.knowledge.index_file import read_index

TABLE = Path(__file__).parents[1] / "rules" / "api" / "torch_changes.txt"
"""It lies beside the rules that read it; neither room imports from the other."""

HEADING = (
    "# Written by `python -m torchlore.knowledge`: "
    "name, deprecated since, removed, use, use since, mark of `@deprecated`, advice."
)

_SECONDS = 300.0

_DECORATED = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
import torch
found = {}
for name in json.load(sys.stdin):
    parts, thing = name.split("."), None
    for at in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:at]))
            for part in parts[at:]:
                thing = getattr(thing, part)
            break
        except Exception:
            thing = None
    thing = thing.fget if isinstance(thing, property) else thing
    own = [vars(thing).get(name) for name in ("__init__", "__new__")] if isinstance(thing, type) else []
    makers = [thing, *(getattr(made, "__func__", made) for made in own if made)]
    marked = [made for made in makers if "__deprecated__" in getattr(made, "__dict__", ())]
    if marked:
        warns = any(hasattr(made, "__wrapped__") for made in makers)
        found[name] = "warns" if warns else "marked"
sys.__stdout__.write("\\n" + json.dumps(found))
"""
"""Run in an interpreter that has torch: which names carry `@deprecated`, and whether that warns."""


def write_changes(index_path: Path, interpreter_path: str) -> Path:
    """Write the table from a symbol index and from the decorators of an interpreter's torch.

    Runs the interpreter: the caller has asked whether that is allowed. Raises BuildError where that fails.
    """
    lines = table(read_index(index_path), interpreter_path)
    TABLE.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return TABLE


def table(content: Mapping[str, Any], interpreter_path: str) -> list[str]:
    """The lines of the table. See `write_changes`."""
    marked = decorated(interpreter_path, [*changed(content)])
    return [HEADING, *names(content, marked), *parameters(content)]


def changed(content: Mapping[str, Any]) -> dict[str, tuple[Any, Mapping[str, Any]]]:
    """The public names that some version removed or deprecates: record (or None) and claims of each."""
    records = {**content["other_symbols"], **content["symbols"]}
    found: dict[str, tuple[Any, Mapping[str, Any]]] = {}
    for name in sorted(records.keys() | content["ranges"].keys()):
        claims = content["ranges"].get(name, {})
        record = records.get(name)
        advice = claims.get("advice") or (record and record[3])
        if _is_public(name) and (advice or claims.get("removed") or claims.get("deprecated")):
            found[name] = (record, claims)
    return {name: of for name, of in found.items() if not _goes_with_its_owner(name, of[1], found)}


def names(content: Mapping[str, Any], marked: Mapping[str, str]) -> Iterator[str]:
    """A line for each name: see `HEADING`."""
    for name, (record, claims) in changed(content).items():
        advice = (record and record[3]) or claims.get("advice") or ""
        use = claims.get("use", "")
        fields = (
            name,
            claims.get("deprecated", ""),
            claims.get("removed", ""),
            use,
            _since(use, content),
            marked.get(name, ""),
            " ".join(advice.split()),
        )
        yield "\t".join(fields)


def parameters(content: Mapping[str, Any]) -> Iterator[str]:
    """A line for each parameter that some version removed: `torch.optim.lr_scheduler.StepLR(verbose)`."""
    for name, claims in sorted(content["ranges"].items()):
        for parameter, (_, removed) in sorted(claims.get("parameters", {}).items()):
            if removed and _is_public(name):
                yield "\t".join((f"{name}({parameter})", "", removed, "", "", "", ""))


def decorated(interpreter: str, wanted: list[str]) -> dict[str, str]:
    """Which names carry `@deprecated`: "warns" where calling them warns, "marked" where it does not.

    Raises BuildError where the interpreter has no torch or cannot be asked.
    """
    try:
        done = subprocess.run(
            [interpreter, "-c", _DECORATED],
            input=json.dumps(wanted),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BuildError(
            f"{interpreter} did not say what of torch is marked as deprecated: {error}"
        ) from error
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def _is_public(name: str) -> bool:
    return "._" not in name and not name.endswith("__")


def _goes_with_its_owner(name: str, claims: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether what holds a name is gone as soon as the name is: that says it all."""
    owner = name.rpartition(".")[0]
    while owner:
        gone = found[owner][1].get("removed") if owner in found else None
        if gone and gone == claims.get("removed", gone):
            return True
        owner = owner.rpartition(".")[0]
    return False


def _since(name: str, content: Mapping[str, Any]) -> str:
    """The first version that has a name, where that is known."""
    while name:
        since = content["ranges"].get(name, {}).get("since")
        if since:
            return str(since)
        name = name.rpartition(".")[0]
    return ""
