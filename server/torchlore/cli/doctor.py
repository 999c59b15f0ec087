"""`torchlore doctor`: what torchlore finds on this machine."""

from __future__ import annotations

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
    if environment.python:
        _row("python", f"{environment.python} ({environment.executable})")
    if environment.torch:
        _row("torch", environment.torch)
    for device in environment.devices:
        _row("device", _device(device))


def _device(device: DeviceInfo) -> str:
    text = f"{device.name}: {device.description}"
    if device.memory_total is None:
        return text
    free = "" if device.memory_free is None else f"{device.memory_free / 2**30:.1f} of "
    return f"{text}, {free}{device.memory_total / 2**30:.1f} GiB{' free' if free else ''}"


def _knowledge() -> str:
    from torchlore.knowledge import cards, inserts
    from torchlore.rules import all_rules

    snippets = sum(card.snippet is not None for card in cards())
    counts = f"{len(all_rules())} rules, {len(cards())} cards, {snippets} proofs to run"
    return f"{counts}, {len(inserts())} snippets to insert"


def _row(label: str, text: str, style: str = "") -> None:
    line: Styled = [(f"{label:<12} ", "bold"), (text, style)]
    print_lines([line])
