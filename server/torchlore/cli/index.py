"""`torchlore index build`: the symbol index, from an installed torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from torchlore.cli.run import choose_interpreter
from torchlore.cli.terminal import fail

app = typer.Typer(help="The index of torch's public names.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The index of torch's public names."""


@app.command()
def build(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("torch.txt.gz"),
    interpreter: Annotated[str | None, typer.Option(help="The Python whose torch to describe.")] = None,
) -> None:
    """Describe every public name of the interpreter's torch in one compressed file."""
    from torchlore.knowledge.build import BuildError, build_index

    try:
        written = build_index(choose_interpreter(interpreter).path, output)
    except (BuildError, OSError) as error:
        fail(str(error))
    typer.echo(f"wrote {written} ({written.stat().st_size / 1024:.0f} KiB)")
