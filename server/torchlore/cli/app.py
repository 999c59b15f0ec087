"""The `torchlore` command. What a command needs is imported when it runs, so that start-up stays quick."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from torchlore import __version__
from torchlore.cli import (
    ask,
    book,
    check,
    demo,
    docs,
    doctor,
    explain,
    index,
    models,
    prove,
    quiz,
    run,
    serve,
)
from torchlore.cli.terminal import set_up_logging

app = typer.Typer(
    name="torchlore",
    help="A language server and linter for PyTorch code.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(check.check)
app.command()(explain.explain)
app.command()(ask.ask)
app.command()(quiz.quiz)
app.command()(book.book)
app.command()(run.run)
app.command()(prove.prove)
app.command()(models.shapes)
app.command()(models.fit)
app.command()(serve.serve)
app.command()(doctor.doctor)
app.command()(demo.demo)
app.add_typer(index.app, name="index")
app.add_typer(docs.app, name="docs", hidden=True)


def main() -> None:
    """Runs the command line on this process's arguments."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # An ASCII terminal still gets every finding.
    if sys.argv[1:2] != ["serve"]:
        set_up_logging()  # The server sets up its own.
    try:
        app()
    except Exception:  # A traceback is for us, not for the person who wanted an answer.
        logging.getLogger(__name__).exception("it stopped")
        sys.exit(2)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"torchlore {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", "-V", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """A language server and linter for PyTorch code."""
