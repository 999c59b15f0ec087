"""`torchlore ask`: the card that answers a question."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from torchlore.cli.explain import TextFormat
from torchlore.cli.terminal import print_lines, print_markdown, warn

_NEXT = 4
"""Cards named after the best one."""


def ask(
    words: Annotated[
        list[str],
        typer.Argument(metavar="WORDS...", help="A question, a name (zero_grad) or an error message."),
    ],
    output_format: Annotated[TextFormat, typer.Option(help="How to print it.")] = TextFormat.TEXT,
) -> None:
    """Find the card that answers a question. Ends with 1 where none does."""
    from torchlore.knowledge import mentioned, search
    from torchlore.pages import card_page, symbol_page

    question = " ".join(words)
    found = search(question, limit=1 + _NEXT)
    if output_format is TextFormat.JSON:
        typer.echo(json.dumps([asdict(card) for card in found], indent=2))
        raise typer.Exit(int(not found))
    unexplained = [mention.symbol for mention in mentioned(question) if mention.card is None]
    if not found and not unexplained:
        warn(f"no card answers `{question}`; `torchlore explain` lists them")
        raise typer.Exit(1)
    for symbol in unexplained:
        print_markdown(symbol_page(symbol))
        print_lines([[]])
    if found:
        print_markdown(card_page(found[0]))
    if found[1:]:
        print_lines([[], [("Next best:", "bold")]])
        print_lines([[(f"  torchlore explain {c.slug:<28} ", "cyan"), (c.question, "")] for c in found[1:]])
