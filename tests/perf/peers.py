"""The whole of `torchlore check` against other linters for PyTorch, as they are typed into a terminal.

Each is one process with one job, over the same paths, in turn, without a cache, with its usual rules. Beside
it comes what ours takes the second time: it keeps what it found, which the others do not.
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
from tests.perf.timing import verdict

PEERS = ("torchfix==0.7.0", "torch-preflight==0.5.0")
"""What is measured against, as pip installs it."""

GOAL = 30
"""How many times as long as ours the others should take."""

PATIENCE = 1800.0
"""Seconds after which a run is ended."""

_TICK = 0.01
"""Seconds of CPU time that can be told apart."""

_QUICK = 5.0
"""Seconds: what takes less is run three times, and the least of these counts."""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock, and of CPU time, its children included."""

    wall: float
    cpu: float


def print_peers(paths: list[Path]) -> None:
    """Prints how long each takes for the files below `paths`, and how many times as long as ours that is."""
    home = _environment()
    if home is None:
        print("peers                  not measured: they could not be installed\n")
        return
    places = [*map(str, paths or OWN)]
    code = files(paths)
    print(f"peers                  {len(code)} files that mention torch, {sum(f.lines for f in code)} lines")
    ours: _Cost | None = None
    again: Took | None = None
    for name, command in _commands(home).items():
        cost = _cost(command, places)
        print(f"  {name:<20} {_told(cost, ours, again)}", flush=True)
        if ours is None:
            ours, again = cost, _again(places)
            print(f"  {'the second time':<20} {again.cpu:7.2f} s of CPU" if again else "  it takes too long")
    print("  start: the same for a file of one line; work: the rest\n")


@dataclass(frozen=True, slots=True)
class _Cost:
    """What the whole takes (None: too long), and what it takes for a file of one line."""

    whole: Took | None
    start: Took


def _cost(command: Sequence[str], places: list[str]) -> _Cost:
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.py"
        small.write_text("import torch\n", encoding="utf-8")
        start = _took([*command, str(small)])
    assert start is not None, command
    return _Cost(_took([*command, *places]), start)


def _again(places: Sequence[str]) -> Took | None:
    """What our check takes when nothing has changed since the last one; None where that is too long."""
    command = [sys.executable, "-m", "torchlore", "check", "-j1", *places]
    with tempfile.TemporaryDirectory() as here:  # no configuration, so that the cache is in this folder
        return _took_once(command, here) and _took(command, here)


def _told(cost: _Cost, ours: _Cost | None, again: Took | None) -> str:
    """What something takes, and how many times as much as ours, where that is known."""
    if cost.whole is None:
        return f"ended after {PATIENCE:.0f} s"
    told = f"{cost.whole.cpu:7.2f} s of CPU, start {cost.start.cpu:.2f} s"
    if ours is None or ours.whole is None:
        return told
    ratio, work = cost.whole.cpu / ours.whole.cpu, cost.whole.cpu - cost.start.cpu
    ours_work = max(ours.whole.cpu - ours.start.cpu, _TICK)
    told += f"; {ratio:.1f} x ours (at least {GOAL}: {verdict(ratio >= GOAL)})"
    told += f", {cost.whole.wall / ours.whole.wall:.1f} x by the clock"
    told += f", {work / ours_work:.1f} x the work"
    return f"{told}, {cost.whole.cpu / again.cpu:.1f} x the second time" if again else told


def _commands(home: Path) -> dict[str, list[str]]:
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    return {
        "torchlore": [sys.executable, "-m", "torchlore", "check", "--no-cache", "-j1"],
        "torchfix": [str(scripts / "torchfix"), "-j1"],
        "torch-preflight": [str(scripts / "torch-preflight"), "check", "-j1"],
    }


def _took(command: Sequence[str], here: str | None = None) -> Took | None:
    """The least of some runs; None where one takes too long. What it finds is thrown away."""
    found = _took_once(command, here)
    if found is None or found.wall > _QUICK:
        return found
    again = [found, *(_took_once(command, here) for _ in range(2))]
    known = [one for one in again if one is not None]
    return Took(min(one.wall for one in known), min(one.cpu for one in known))


def _took_once(command: Sequence[str], here: str | None = None) -> Took | None:
    """One run, to which nothing that others have kept is of help but compiled modules, which pip makes."""
    compiling = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as cache:
        return _run(command, {**compiling, "XDG_CACHE_HOME": cache, "LOCALAPPDATA": cache}, here)


def _run(command: Sequence[str], environment: dict[str, str], here: str | None) -> Took | None:
    cpu, began = _children(), time.perf_counter()
    try:
        subprocess.run(command, cwd=here, env=environment, capture_output=True, timeout=PATIENCE, check=False)
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
