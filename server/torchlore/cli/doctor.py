"""`torchlore doctor`: what torchlore finds on this machine, what is missing, and how to get it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchlore import __version__
from torchlore.cli.terminal import print_lines

if TYPE_CHECKING:
    from torchlore.cli.advice import Machine
    from torchlore.cli.terminal import Styled
    from torchlore.device import DeviceInfo, Environment, Interpreter
    from torchlore.device.choice import Use


def doctor(
    interpreter: Annotated[str | None, typer.Option(help="The Python to look at.")] = None,
) -> None:
    """Say what torchlore finds here, what is missing and how to get it. Ends with 1 on a problem."""
    from torchlore.cli import advice

    _row("torchlore", f"{__version__}, Python {platform.python_version()}")
    project, misconfigured = _project_interpreter()
    chosen = _chosen(interpreter, project)
    environment = _described(chosen)
    machine = _machine()
    _show_environment(chosen, environment)
    _row("trust", "what you ask for here runs; an editor runs nothing in a workspace that it does not trust")
    _row("own code", _consent())
    _show_editors(machine)
    _row("knowledge", _knowledge())
    if misconfigured:
        _row("problem", misconfigured, "bold red")
    if environment.problem:
        _row("problem", environment.problem, "bold red")
    for step in advice.about_interpreter(chosen, environment):
        _row("what to do", step)
    for found in (*advice.about_device(environment, machine), *advice.about_editors(machine)):
        _row("advice", f"{found.what}: {found.how}", "yellow")
    raise typer.Exit(int(bool(environment.problem or misconfigured)))


def _project_interpreter() -> tuple[str | None, str | None]:
    """What the project's configuration names, or what is wrong with that configuration."""
    from torchlore.config import ConfigError, find_config

    try:
        return find_config(Path.cwd()).interpreter, None
    except ConfigError as error:
        return None, str(error)


def _chosen(given: str | None, project: str | None) -> Interpreter:
    from torchlore.device import Trust, find_interpreter

    return find_interpreter(str(Path.cwd()), given, project=project, trust=Trust.TRUSTED)


def _described(chosen: Interpreter) -> Environment:
    """Starts the interpreter: whoever asks at a terminal trusts the folder."""
    import asyncio

    from torchlore.device import Environment, NotAllowed, Trust, describe

    try:
        return asyncio.run(describe(chosen, Trust.TRUSTED))
    except NotAllowed as refusal:
        return Environment("", "", None, (), str(refusal))


def _machine() -> Machine:
    from torchlore.cli.advice import Machine
    from torchlore.cli.editors import installed_editors

    beside = shutil.which("torchlore", path=str(Path(sys.executable).parent))
    return Machine(
        command=shutil.which("torchlore"),
        beside=Path(beside) if beside else None,
        nvidia=shutil.which("nvidia-smi") is not None or Path("/dev/nvidia0").exists(),
        editors=installed_editors(Path.home(), os.environ),
        environ=os.environ,
    )


def _show_environment(chosen: Interpreter, environment: Environment) -> None:
    from torchlore.device.gpus import in_use

    _row("interpreter", str(chosen))
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


def _consent() -> str:
    from torchlore.device.consent import default_notes, has_consent

    if has_consent(Path.cwd()):
        return f"an editor may run yours in this folder: you agreed once ({default_notes()})"
    return "an editor asks before it runs yours; torchlore's own snippets run when you ask for them"


def _show_editors(machine: Machine) -> None:
    for editor in machine.editors:
        state = "its configuration speaks of torchlore" if editor.set_up else "not set up"
        _row("editor", f"{editor.name} ({editor.path}), {state}")


def _knowledge() -> str:
    from torchlore.knowledge import cards, inserts
    from torchlore.rules import all_rules

    snippets = sum(card.snippet is not None for card in cards())
    counts = f"{len(all_rules())} rules, {len(cards())} cards, {snippets} proofs to run"
    return f"{counts}, {len(inserts())} snippets to insert"


def _row(label: str, text: str, style: str = "") -> None:
    line: Styled = [(f"{label:<12} ", "bold"), (text, style)]
    print_lines([line])
