"""`torchlore run`: a card's proof, on this machine's device."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchlore.cli.terminal import fail, warn

if TYPE_CHECKING:
    from torchlore.device import Interpreter


def run(
    slug: Annotated[str, typer.Argument(help="The card whose snippet to run.")],
    device: Annotated[
        str | None, typer.Option(help="cuda, cuda:1, mps, xpu or cpu; default: the best there is.")
    ] = None,
    interpreter: Annotated[str | None, typer.Option(help="The Python that has torch.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds after which it is stopped.")] = 60.0,
) -> None:
    """Run a card's snippet and show what it prints. Ends with 1 where it fails."""
    import asyncio

    from torchlore.device import Limits, NotAllowed, Trust
    from torchlore.device import run as run_code
    from torchlore.knowledge import card

    found = card(slug.lower())
    if found is None:
        fail(f"no card `{slug}`; `torchlore explain` lists them")
    if found.snippet is None:
        fail(f"the card `{slug}` has no snippet")
    try:
        result = asyncio.run(
            run_code(
                found.snippet,
                name=found.slug,
                interpreter=choose_interpreter(interpreter),
                trust=Trust.TRUSTED,  # Asked for by the person at the terminal, and the snippet is ours.
                limits=Limits(seconds=timeout, network=False),
                device=device,
                on_output=_show,
            )
        )
    except NotAllowed as refusal:
        fail(str(refusal))
    warn(result.summary())
    raise typer.Exit(int(not result.ok))


def choose_interpreter(given: str | None) -> Interpreter:
    """The interpreter that was given, else the configured one, else what the device room finds."""
    from torchlore.config import ConfigError, find_config
    from torchlore.device import Trust, find_interpreter

    here = Path.cwd()
    try:
        project = find_config(here).interpreter
    except ConfigError as error:
        fail(str(error))
    # Whoever calls us here trusts the folder: an interpreter that its configuration names is used.
    return find_interpreter(str(here), given, project=project, trust=Trust.TRUSTED)


def _show(stream: str, text: str) -> None:
    if stream == "notice":
        warn(text)
        return
    target = sys.stderr if stream == "stderr" else sys.stdout
    target.write(text)
    target.flush()
