"""`torchlore run`: a card's proof, or one's own lines, on this machine's device."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchlore.cli.pictures import show_curves, show_pictures
from torchlore.cli.terminal import fail, print_lines, warn

if TYPE_CHECKING:
    from torchlore.device import Interpreter, RunResult

_LONGEST = 200
"""Characters of a value that are shown."""


def run(
    target: Annotated[
        str,
        typer.Argument(
            metavar="CARD|FILE[:PLACE]", help="A card, or `train.py:12`, `train.py:3-9`, `a.py:main`."
        ),
    ],
    device: Annotated[
        str | None, typer.Option(help="cuda, cuda:1, mps, xpu or cpu; default: the best there is.")
    ] = None,
    nproc: Annotated[
        int | None, typer.Option(min=1, max=64, help="Run it in so many processes, as torchrun does.")
    ] = None,
    pictures: Annotated[Path | None, typer.Option(help="A folder for the pictures that it draws.")] = None,
    interpreter: Annotated[str | None, typer.Option(help="The Python that has torch.")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds after which it is stopped.")] = 60.0,
) -> None:
    """Run a card's snippet, or code of yours, and show what it prints. Ends with 1 where it fails.

    Of a file it runs the line, the lines, the cell or the function that you name, with the imports and
    definitions that those need, and nothing else.
    """
    import asyncio

    from torchlore.device import NotAllowed

    try:
        program = _program(target)
        chosen = choose_interpreter(interpreter)
        result = asyncio.run(_run(program, chosen, device, nproc, timeout))
    except NotAllowed as refusal:
        fail(str(refusal))
    _show_values(result)
    show_curves(result.curves)
    show_pictures(result.pictures, result.curves, pictures)
    warn(result.summary())
    raise typer.Exit(int(not result.ok))


@dataclass(frozen=True, slots=True)
class _Program:
    """What to run.

    Attributes:
        home: the folder of the file that it is of; None for a card's.
        lines: those whose values are told; None for that of the last expression alone.
    """

    code: str
    name: str
    home: Path | None = None
    lines: tuple[int, int] | None = None


def _program(target: str) -> _Program:
    from torchlore.cli.own import part_of, pointed
    from torchlore.knowledge import card

    place = pointed(target)
    if place is not None:
        part = part_of(place)
        return _Program(
            part.code,
            place.path.name,
            home=place.path.absolute().parent,
            lines=part.lines if place.place else None,
        )
    found = card(target.lower())
    if found is None:
        fail(f"no card `{target}`; `torchlore explain` lists them")
    if found.snippet is None:
        fail(f"the card `{target}` has no snippet")
    return _Program(found.snippet, found.slug)


async def _run(
    program: _Program, interpreter: Interpreter, device: str | None, nproc: int | None, timeout: float
) -> RunResult:
    from torchlore.cli.run_line import run_line
    from torchlore.device import Crew, Limits, Trust
    from torchlore.device import run as run_code

    # A crew's agent imports torch first, so that the time limit is the snippet's own.
    async with Crew(idle_seconds=0) as crew, run_line(timeout) as line:

        def show(stream: str, text: str) -> None:
            told = f"torchlore: {text}\n" if stream == "notice" else text
            line.print(told, sys.stdout if stream == "stdout" else sys.stderr)

        return await run_code(
            program.code,
            name=program.name,
            interpreter=interpreter,
            trust=Trust.TRUSTED,  # The person at the terminal asked for it.
            limits=Limits(seconds=timeout, network=program.home is not None),
            device=device,
            on_output=show,
            on_start=line.start,
            crew=crew if nproc is None else None,
            home=program.home,
            lines=program.lines if nproc is None else None,
            processes=nproc,
        )


def _show_values(result: RunResult) -> None:
    """What lines gave; what the last expression gave, where that is not one of them."""
    for one in result.lines:
        print_lines([[(f"{one.line}: ", "bold"), (_cut(str(one)), "")]])
    drawn = any(not curve.name for curve in result.curves)  # Then that shows it better.
    is_told = any(not one.name for one in result.lines[-1:])
    if result.value is not None and not is_told and not drawn:
        print_lines([[("value: ", "bold"), (_cut(result.value.summary()), "")]])


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


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
