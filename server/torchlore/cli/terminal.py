"""What every command prints with: plain text unless a person is looking."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, NoReturn, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console

Styled = list[tuple[str, str]]
"""One line of output: pieces of text, each with the name of a rich style ("" for none)."""


def is_terminal(stream: TextIO | None = None) -> bool:
    """Whether `stream` (default: standard output) is shown to a person, by rich's rules (FORCE_COLOR too)."""
    return console(stream).is_terminal


def console(stream: TextIO | None = None) -> Console:
    """A rich console on `stream` (default: standard output)."""
    from rich.console import Console

    return Console(file=stream or sys.stdout, highlight=False, markup=False, soft_wrap=True)


def print_lines(lines: list[Styled], stream: TextIO | None = None) -> None:
    """Prints lines, with their styles where `stream` is a terminal."""
    target = console(stream)
    if not target.is_terminal:
        target.file.write("".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines))
        return
    from rich.text import Text

    for line in lines:
        target.print(Text.assemble(*line))


def print_markdown(text: str) -> None:
    """Renders Markdown for a terminal; piped, prints it as it is."""
    target = console()
    if not target.is_terminal:
        target.file.write(text.rstrip() + "\n")
        return
    from rich.markdown import Markdown

    target.print(Markdown(text), soft_wrap=False, width=min(target.width, 100))


def fail(message: str) -> NoReturn:
    """Says why nothing was done, and ends with status 2."""
    warn(message)
    raise typer.Exit(2)


def warn(message: str) -> None:
    """One line on standard error."""
    typer.echo(f"torchlore: {message}", err=True)


def set_up_logging() -> None:
    """What goes wrong inside is one line on standard error; `TORCHLORE_LOG=DEBUG` gives the traceback too."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    level = os.environ.get("TORCHLORE_LOG", "WARNING").upper()
    logging.basicConfig(handlers=[handler], level=level if level in _LEVELS else "WARNING")


_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class _OneLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = f"torchlore: {record.getMessage()}"
        if record.exc_info is None or record.exc_info[1] is None:
            return text
        if logging.getLogger().isEnabledFor(logging.DEBUG):
            return f"{text}\n{self.formatException(record.exc_info)}"
        error = record.exc_info[1]
        return f"{text}: {type(error).__name__}: {error} (please report it; TORCHLORE_LOG=DEBUG shows where)"
