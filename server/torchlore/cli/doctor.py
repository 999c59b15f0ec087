"""`torchlore doctor`: what torchlore finds on this machine."""

from __future__ import annotations

import os
import platform
import shutil
from typing import TYPE_CHECKING, Annotated

import typer

from torchlore import __version__
from torchlore.cli.run import choose_interpreter
from torchlore.cli.terminal import print_lines

if TYPE_CHECKING:
    from torchlore.cli.terminal import Styled
    from torchlore.device import DeviceInfo, Environment
    from torchlore.device.choice import Use

_EDITORS = {
    "code": "VS Code",
    "nvim": "Neovim",
    "emacs": "Emacs",
    "hx": "Helix",
    "vim": "Vim",
    "subl": "Sublime Text",
    "zed": "Zed",
}


def doctor(
    interpreter: Annotated[str | None, typer.Option(help="The Python to look at.")] = None,
) -> None:
    """Say what torchlore finds here: interpreter, torch, devices, editors. Ends with 1 without torch."""
    import asyncio

    from torchlore.device import NotAllowed, Trust, describe

    chosen = choose_interpreter(interpreter)
    _row("torchlore", f"{__version__}, Python {platform.python_version()}")
    _row("interpreter", f"{chosen.path} ({chosen.origin})")
    try:
        environment = asyncio.run(describe(chosen, Trust.TRUSTED))
        problem = environment.problem
    except NotAllowed as refusal:
        environment, problem = None, str(refusal)
    if environment is not None:
        _show_environment(environment)
    if problem:
        _row("problem", problem, "bold red")
    editors = [f"{name} ({path})" for command, name in _EDITORS.items() if (path := shutil.which(command))]
    _row("editors", ", ".join(editors) or "none of those torchlore has a configuration for is on PATH")
    _row("knowledge", _knowledge())
    raise typer.Exit(int(problem is not None))


def _show_environment(environment: Environment) -> None:
    from torchlore.device.gpus import in_use

    if environment.python:
        _row("python", f"{environment.python} ({environment.executable})")
    if environment.torch:
        _row("torch", environment.torch)
    use = in_use(os.environ)
    for device in environment.devices:
        _row("device", device_row(device, use.get(device.name)))


def device_row(device: DeviceInfo, use: Use | None) -> str:
    """What a device is and has free, and whether others compute on it.

    Args:
        device: as torch tells of it.
        use: as its driver tells of it; what torch says is free has its own context taken off.
    """
    from torchlore.device.choice import BUSY, ENOUGH

    text = f"{device.name}: {device.description}"
    free = device.memory_free if use is None else use.memory_free
    if device.memory_total is not None:
        told = "" if free is None else f"{free / 2**30:.1f} of "
        text += f", {told}{device.memory_total / 2**30:.1f} GiB{' free' if told else ''}"
    if use is not None and use.memory_free < ENOUGH:
        text += ", full: nothing can start on it"
    if use is not None and use.busy is not None:
        text += f", busy ({use.busy} %)" if use.busy >= BUSY else f", {use.busy} % in use"
    return text


def _knowledge() -> str:
    from torchlore.knowledge import cards, inserts
    from torchlore.rules import all_rules

    snippets = sum(card.snippet is not None for card in cards())
    counts = f"{len(all_rules())} rules, {len(cards())} cards, {snippets} proofs to run"
    return f"{counts}, {len(inserts())} snippets to insert"


def _row(label: str, text: str, style: str = "") -> None:
    line: Styled = [(f"{label:<12} ", "bold"), (text, style)]
    print_lines([line])
