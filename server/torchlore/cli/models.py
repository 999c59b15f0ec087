"""`torchlore shapes` and `torchlore fit`: what a model is made of, and what memory training it takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from torchlore.cli.own import Pointed, pointed
from torchlore.cli.run import choose_interpreter
from torchlore.cli.terminal import fail, print_lines, warn

if TYPE_CHECKING:
    from pathlib import Path

    from torchlore.device import Input, Interpreter, Question, RunResult
    from torchlore.device.own_code import ModelCode
    from torchlore.device.tables import Row

Target = Annotated[str, typer.Argument(metavar="FILE:CLASS", help="The model, `train.py:Net`.")]
Inputs = Annotated[
    list[str] | None,
    typer.Option("--input", help="An input of its forward, `8,3,32,32` or `8,128:int64`; in their order."),
]
Arguments = Annotated[
    str | None, typer.Option(help="Of its constructor, as Python writes them: `10, hidden=64`.")
]
Chosen = Annotated[str | None, typer.Option(help="The Python that has torch.")]
Seconds = Annotated[float, typer.Option(min=0.1, help="Seconds after which it is stopped.")]


def shapes(
    target: Target,
    inputs: Inputs = None,
    arguments: Arguments = None,
    interpreter: Chosen = None,
    timeout: Seconds = 60.0,
) -> None:
    """Show a model's layers: output shapes, parameters, memory, FLOPs. Nothing of it is allocated.

    Runs what the file needs to define the class, and nothing else of it.
    """
    from torchlore.device import LayerTable
    from torchlore.device.tables import layer_rows

    result, made = _asked("shapes", target, inputs, arguments, "", interpreter, timeout)
    table = result.measured
    if not isinstance(table, LayerTable):
        _fail_with(result)
    print_lines([[(made, "bold")]])
    _print_rows(layer_rows(table), right=(3, 4, 5))


def fit(
    target: Target,
    inputs: Inputs = None,
    arguments: Arguments = None,
    optimizer: Annotated[
        str | None, typer.Option(help="A class of torch.optim; default: the one in the file, else AdamW.")
    ] = None,
    interpreter: Chosen = None,
    timeout: Seconds = 60.0,
) -> None:
    """Say whether a step of training fits into memory. Ends with 1 where it fits on no accelerator.

    Forward and backward run on tensors without memory; on a machine without accelerators the CPU counts.
    """
    from torchlore.device import MemoryNeed
    from torchlore.device.tables import fits, need_rows, verdicts

    result, made = _asked("fit", target, inputs, arguments, optimizer, interpreter, timeout)
    need = result.measured
    if not isinstance(need, MemoryNeed):
        _fail_with(result)
    print_lines([[(made, "bold")]])
    _print_rows(need_rows(need), right=(1,))
    print_lines([[(sentence, "")] for sentence in verdicts(need)])
    raise typer.Exit(int(not fits(need)))


def _asked(
    kind: str,
    target: str,
    inputs: list[str] | None,
    arguments: str | None,
    optimizer: str | None,
    interpreter: str | None,
    timeout: float,
) -> tuple[RunResult, str]:
    """The result, and what was asked about."""
    import asyncio

    from torchlore.device import NotAllowed, Optimizer, Question

    place = pointed(target)
    if place is None or not place.place:
        fail(f"`{target}` names no class of a file, as `train.py:Net` does")
    given = tuple(_input(text) for text in inputs or ())
    try:
        model = _model(place, arguments)
        known = given or model.inputs
        if known is None:
            fail(
                f"the file does not tell what `{place.place}` is called with: say --input SIZES, `8,3,32,32`"
            )
        chosen = Optimizer(optimizer) if optimizer else model.optimizer or Optimizer()
        question = Question(kind, known, chosen)
        chosen_interpreter = choose_interpreter(interpreter)
        result = asyncio.run(
            _answered(model.code, place.path.absolute(), question, chosen_interpreter, timeout)
        )
    except NotAllowed as refusal:
        fail(str(refusal))
    forward = f" on {' and '.join(map(str, known))}"
    return result, model.made + forward + (f" with {question.optimizer}" if kind == "fit" else "")


async def _answered(
    code: str, path: Path, question: Question, interpreter: Interpreter, timeout: float
) -> RunResult:
    from torchlore.cli.run_line import run_line
    from torchlore.device import Crew, Limits, Trust, run

    async with Crew(idle_seconds=0) as crew, run_line(timeout) as line:
        return await run(
            code,
            name=path.name,
            interpreter=interpreter,
            trust=Trust.TRUSTED,  # The person at the terminal named the file.
            limits=Limits(seconds=timeout),
            on_start=line.start,
            crew=crew,
            home=path.parent,
            question=question,
        )


def _model(place: Pointed, arguments: str | None) -> ModelCode:
    from torchlore.analysis import analyze
    from torchlore.device.own_code import model

    return model(analyze(place.source()), place.place, arguments)


def _input(text: str) -> Input:
    from torchlore.device import Input

    found = re.fullmatch(r"\s*(\d+(?:\s*[,x]\s*\d+)*)\s*(?::\s*(?:torch\.)?(\w+))?\s*", text)
    if found is None:
        fail(f"`{text}` is no input: write its sizes, `8,3,32,32`, and perhaps its dtype, `8,128:int64`")
    sizes = tuple(int(size) for size in re.split(r"[,x]", found[1]))
    return Input(sizes, found[2] or "float32")


def _print_rows(rows: list[Row], right: tuple[int, ...]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        style = "bold" if number in (0, len(rows) - 1) else ""
        print_lines([[("  ".join(cells).rstrip(), style)]])


def _fail_with(result: RunResult) -> NoReturn:
    if result.stderr:
        typer.echo(result.stderr, err=True, nl=False)
    warn(result.summary())
    raise typer.Exit(1)
