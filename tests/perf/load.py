"""A person types a file of 300 lines with completion, hover and diagnostics on: ours beside other servers.

All get the same traffic, one after the other in one run, each in a fresh process. They live in an environment
of their own: the folder that `LOAD_PEERS` names, or one that is made below .cache.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
import venv
from collections import defaultdict
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.perf.corpus import ROOT, files
from tests.perf.keystrokes import BARE, SERVER
from tests.perf.timing import verdict
from tests.perf.traffic import Client, connected, typed

PEERS = ("jedi-language-server", "pyrefly")
LINES = 300
PATIENCE = 2.0
"""Seconds after which somebody who waits for an answer goes on typing; the request is cancelled."""

PAUSE = 0.02
"""Seconds between two tokens, at the least: a person is slower, but the tool must end."""

_MOST_SECONDS = 120.0
"""Of typing for one server; what was typed until then counts."""

_STARTS = 5
_KINDS = ("hover", "hover in an edit", "completion", "edit -> diagnostics")
_GOALS = {"hover": (0.001, 0.010), "edit -> diagnostics": (0.020, None)}
"""p50 and p95, in seconds."""

_MEMORY = 100e6


@dataclass(slots=True)
class Load:
    """What one server made of the traffic: seconds by kind of request, `inf` where nobody waited for more."""

    first_hover: float = 0.0
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    lines: int = 0
    memory: float = 0.0


async def print_load(paths: list[Path]) -> None:
    """Prints p50, p95 and p99 by kind of request, and how many times as long as ours the others take."""
    name, text = _text(paths)
    print(f"load                   {LINES} lines of {name}, typed token by token, completion and hover on")
    home = await asyncio.to_thread(_environment)
    if home is None:
        print("  peers                not measured: they could not be installed")
    before = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    measured: dict[str, Load] = {}
    with TemporaryDirectory() as folder:
        file = Path(folder) / "typed.py"
        file.write_text(text, encoding="utf-8")
        (Path(folder) / "pyrefly.toml").write_text(f'python-interpreter-path = "{sys.executable}"\n')
        for server, (command, options) in _servers(home).items():
            try:
                measured[server] = await _measured(command, file, text, options)
            except (OSError, TimeoutError, asyncio.TimeoutError) as error:
                print(f"  {server:<20} not measured: {error or 'it does not answer'}")
                continue
            _print(server, measured[server], measured.get("torchlore"))
        bare = await _usual_first_hover(BARE, file, text, None)
    _print_goals(measured)
    print(f"  a pygls server that answers each hover with a word: first hover {bare:.2f} s")
    quiet = "" if before < (os.cpu_count() or 1) / 2 else ", which is not quiet: go by the ratios"
    print(f"  load of the machine  {before:.1f} on {os.cpu_count()} processors{quiet}\n")


def _text(paths: list[Path]) -> tuple[str, str]:
    """The first file that is long enough, else all of them in a row until it is."""
    found = files(paths or [ROOT / "examples"])
    long = next((file for file in found if file.lines >= LINES), None)
    if long is not None:
        return str(long.path), long.text
    text = ""
    for file in found * LINES:
        if text.count("\n") >= LINES:
            break
        text += file.text.rstrip("\n") + "\n\n"
    return " + ".join(str(file.path.name) for file in found), text


def _servers(home: Path | None) -> dict[str, tuple[list[str], Any]]:
    ours: dict[str, tuple[list[str], Any]] = {"torchlore": (SERVER, {"untrustedWorkspace": False})}
    if home is None:
        return ours
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    jedi = {"workspace": {"environmentPath": sys.executable}}
    return {
        **ours,
        "jedi-language-server": ([str(scripts / "jedi-language-server")], jedi),
        "pyrefly": ([str(scripts / "pyrefly"), "lsp"], {"pythonPath": sys.executable}),
    }


async def _measured(command: list[str], file: Path, text: str, options: Any) -> Load:
    load = Load(await _usual_first_hover(command, file, text, options))
    async with connected(command, file, options) as client:
        client.open("")
        await _type(client, text, load)
        load.memory = client.memory()
    return load


async def _usual_first_hover(command: list[str], file: Path, text: str, options: Any) -> float:
    return statistics.median([await _first_hover(command, file, text, options) for _ in range(_STARTS)])


async def _first_hover(command: list[str], file: Path, text: str, options: Any) -> float:
    """Seconds from the start of the process until the first hover on an attribute says something."""
    place = next(stroke.name for stroke in typed(text, LINES) if stroke.name is not None)
    async with connected(command, file, options) as client:
        client.open(text)
        while not await asyncio.wait_for(client.at("textDocument/hover", *place), 10 * PATIENCE):
            if time.perf_counter() - client.began > 10 * PATIENCE:
                return float("inf")
            await asyncio.sleep(0.01)
        return time.perf_counter() - client.began


async def _type(client: Client, text: str, load: Load) -> None:
    began = time.perf_counter()
    line = column = 0
    for stroke in typed(text, LINES):
        if time.perf_counter() - began > _MOST_SECONDS:
            return
        client.insert(line, column, stroke.text)
        *above, last = stroke.text.split("\n")
        line, column = line + len(above), len(last) + (0 if above else column)
        if stroke.completes and client.capabilities.get("completionProvider"):
            await _timed(load, "completion", client.at("textDocument/completion", line, column))
        if stroke.ends_line:
            load.lines = line
            shown = asyncio.create_task(_timed(load, "edit -> diagnostics", client.diagnostics()))
            if stroke.name is not None:
                await _timed(load, "hover in an edit", client.at("textDocument/hover", *stroke.name))
            await shown
            if stroke.name is not None:
                await _timed(load, "hover", client.at("textDocument/hover", *stroke.name))
        await asyncio.sleep(PAUSE)


async def _timed(load: Load, kind: str, asked: Awaitable[Any]) -> None:
    began = time.perf_counter()
    try:
        await asyncio.wait_for(asked, PATIENCE)
        load.seconds[kind].append(time.perf_counter() - began)
    except asyncio.TimeoutError:
        load.seconds[kind].append(float("inf"))


def _print(server: str, load: Load, ours: Load | None) -> None:
    other = ours if ours is not load else None
    ratio = f", {load.first_hover / other.first_hover:.1f} x ours" if other else ""
    print(f"  {server}: {load.lines} lines, {load.memory / 1e6:.0f} MB", flush=True)
    print(f"    {'start -> first hover':<20} {load.first_hover:.2f} s (the usual of {_STARTS}){ratio}")
    for kind in _KINDS:
        seconds = load.seconds.get(kind)
        if not seconds:
            print(f"    {kind:<20} not offered")
            continue
        told = ", ".join(f"p{share} {_milliseconds(_quantile(seconds, share))}" for share in (50, 95, 99))
        same = other.seconds.get(kind) if other else None
        ratio = f"; p50 {_quantile(seconds, 50) / _quantile(same, 50):.1f} x ours" if same else ""
        print(f"    {kind:<20} {told} of {len(seconds)}{ratio}")


def _quantile(seconds: list[float], share: int) -> float:
    """The least time within which that many of a hundred are answered."""
    return sorted(seconds)[max(0, -(-share * len(seconds) // 100) - 1)]


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.1f} ms" if seconds < float("inf") else f"over {PATIENCE:.0f} s"


def _print_goals(measured: dict[str, Load]) -> None:
    ours = measured.get("torchlore")
    if ours is None:
        return
    for kind, goals in _GOALS.items():
        for share, goal in zip((50, 95), goals, strict=True):
            if goal is not None and ours.seconds.get(kind):
                holds = _quantile(ours.seconds[kind], share) <= goal
                print(f"  {kind}, p{share} under {1000 * goal:.0f} ms: {verdict(holds)}")
    print(f"  memory under {_MEMORY / 1e6:.0f} MB: {verdict(ours.memory < _MEMORY)}")
    if "pyrefly" in measured:
        sooner = ours.first_hover < measured["pyrefly"].first_hover
        print(f"  first hover sooner than pyrefly's: {verdict(sooner)}")


def _environment() -> Path | None:
    """Where the other servers are; None where they cannot be installed."""
    named = os.environ.get("LOAD_PEERS")
    home = Path(named) if named else ROOT / ".cache" / "load"
    if named or (home / "complete").exists():
        return home
    try:
        venv.create(home, with_pip=True, clear=True)
        python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    (home / "complete").touch()
    return home
