"""The whole of `torchlore check` against other linters for PyTorch, as they are typed into a terminal.

Each is one process with one job, over the same paths, in turn, without a cache, with its usual rules.
They live in an environment of their own: the folder that `PEERS` names, or one that is made below .cache.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.perf.corpus import OWN, ROOT, files

PEERS = ("torchfix==0.7.0", "torch-preflight==0.5.0")
"""What is measured against, as pip installs it."""

GOAL = 30
"""How many times as long as ours the others should take."""

PATIENCE = 1800.0
"""Seconds after which a run is ended."""

_QUICK = 5.0
"""Seconds: what takes less is run three times, and the least of these counts."""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock, and of CPU time, its children included."""

    wall: float
    cpu: float

    def __sub__(self, other: Took) -> Took:
        return Took(self.wall - other.wall, self.cpu - other.cpu)


def print_peers(paths: list[Path]) -> None:
    """Prints how long each takes for the files below `paths`, and how many times as long as ours that is."""
    home = _environment()
    if home is None:
        print("peers                  not measured: they could not be installed\n")
        return
    places = [*map(str, paths or OWN)]
    code = files(paths)
    print(f"peers                  {len(code)} files that mention torch, {sum(f.lines for f in code)} lines")
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.py"
        small.write_text("import torch\n", encoding="utf-8")
        commands = _commands(home)
        starts = {name: _took([*command, str(small)]) for name, command in commands.items()}
        whole = {name: _took([*command, *places]) for name, command in commands.items()}
    for name in commands:
        _print(name, starts[name], whole[name], starts["torchlore"], whole["torchlore"])
    print(f"  start: the same for a file of one line; goal: {GOAL} x the CPU time of the whole\n")


def _commands(home: Path) -> dict[str, list[str]]:
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    return {
        "torchlore": [sys.executable, "-m", "torchlore", "check", "--no-cache", "-j1"],
        "torchfix": [str(scripts / "torchfix"), "-j1"],
        "torch-preflight": [str(scripts / "torch-preflight"), "check", "-j1"],
    }


def _print(
    name: str, start: Took | None, whole: Took | None, our_start: Took | None, ours: Took | None
) -> None:
    assert our_start is not None and ours is not None and start is not None
    if whole is None:
        print(f"  {name:<20} ended after {PATIENCE:.0f} s: more than {PATIENCE / ours.wall:.0f} x")
        return
    told = f"  {name:<20} {whole.cpu:8.2f} s of CPU, {whole.wall:8.2f} s; start {start.cpu:.2f} s"
    if name != "torchlore":
        ratio = whole.cpu / ours.cpu
        work = (whole - start).cpu / (ours - our_start).cpu
        verdict = "holds" if ratio >= GOAL else "DOES NOT HOLD"
        told += f"; {ratio:.1f} x ({verdict}), {whole.wall / ours.wall:.1f} x by the clock, "
        told += f"{work:.1f} x without the starts"
    print(told)


def _took(command: Sequence[str]) -> Took | None:
    """The least of some runs; None where one takes too long. What it finds is thrown away."""
    found = _took_once(command)
    if found is None or found.wall > _QUICK:
        return found
    again = [found, *(_took_once(command) for _ in range(2))]
    known = [one for one in again if one is not None]
    return Took(min(one.wall for one in known), min(one.cpu for one in known))


def _took_once(command: Sequence[str]) -> Took | None:
    with tempfile.TemporaryDirectory() as cache:  # what other runs have kept does not help
        return _run(command, {**os.environ, "XDG_CACHE_HOME": cache, "LOCALAPPDATA": cache})


def _run(command: Sequence[str], environment: dict[str, str]) -> Took | None:
    cpu, began = _children(), time.perf_counter()
    try:
        subprocess.run(command, env=environment, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return None
    return Took(time.perf_counter() - began, _children() - cpu)


def _children() -> float:
    """Seconds of CPU time that the processes took that this one has waited for."""
    times = os.times()
    return times.children_user + times.children_system


def _environment() -> Path | None:
    """The folder of the environment that has the others; None where it cannot be made."""
    given = os.environ.get("PEERS")
    if given:
        return Path(given)
    home = ROOT / ".cache" / "peers"
    if not home.is_dir():
        venv.create(home, with_pip=True)
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS]
    return home if subprocess.run(install, check=False).returncode == 0 else None
