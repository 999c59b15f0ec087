"""`torchlore quiz`: interview questions in the terminal, what was missed before what is known."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from torchlore.cli.keys import END, is_interactive, read_key, single_keys
from torchlore.cli.leitner import BrokenProgress, Progress, load, next_cards, progress_file, save
from torchlore.cli.terminal import fail, print_lines, print_markdown, warn

if TYPE_CHECKING:
    from torchlore.knowledge import Card


def quiz(
    area: Annotated[
        list[str] | None, typer.Option(help="Only cards of this area, like training; may be repeated.")
    ] = None,
    level: Annotated[
        list[str] | None, typer.Option(help="Only cards of this level: junior, mid, senior; may be repeated.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many questions to ask.")] = 10,
    reset: Annotated[bool, typer.Option("--reset", help="Forget what was known and missed.")] = False,
) -> None:
    """Ask interview questions; remember which ones you missed and ask those sooner."""
    from torchlore.knowledge import cards
    from torchlore.knowledge.cards import AREAS, LEVELS

    _check(area, AREAS, "area")
    _check(level, LEVELS, "level")
    try:
        path = progress_file()
    except RuntimeError as error:
        fail(f"there is nowhere to remember your answers: {error}")
    if reset:
        _forget(path)
        return
    chosen = {
        card.slug: card
        for card in cards()
        if (not area or card.area in area) and (not level or card.level in level)
    }
    if not chosen:
        fail("no card of this area is of this level")
    progress = _remembered(path)
    progress = replace(progress, rounds=progress.rounds + 1)
    order = next_cards(chosen, progress, random.Random())[:count]
    with single_keys():
        tally = _ask_all([chosen[slug] for slug in order], progress, _keeper(path))
    _print_tally(tally)


@dataclass(frozen=True, slots=True)
class _Tally:
    known: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()


def _ask_all(asked: list[Card], progress: Progress, keep: Callable[[Progress], None]) -> _Tally:
    """Asks until all are answered or the person has had enough; keeps each answer as it is given."""
    tally = _Tally()
    try:
        _print_keys()
        for number, card in enumerate(asked, 1):
            known = _ask(card, f"{number}/{len(asked)}")
            if known is None:
                continue
            progress = progress.answered(card.slug, known)
            keep(progress)
            if known:
                tally = replace(tally, known=(*tally.known, card.slug))
            else:
                tally = replace(tally, missed=(*tally.missed, card.slug))
    except (KeyboardInterrupt, _EnoughError):
        print_lines([[]])
    return tally


class _EnoughError(Exception):
    """The person wants to stop, or the input is over."""


def _ask(card: Card, number: str) -> bool | None:
    """Asks one card: whether it was known, or None where it was passed over."""
    print_lines(
        [[], [(f"{number}  ", "cyan"), (card.question, "bold"), (f"  {card.area}, {card.level}", "dim")]]
    )
    if _choose("press a key for the answer, s to skip, q to stop", "sq", otherwise=" ") == "s":
        return None
    print_markdown(card.answer)
    while (key := _choose("did you know it? y yes, n no, m more, s skip, q stop", "ynmsq")) == "m":
        _print_more(card)
    return {"y": True, "n": False}.get(key)


def _choose(hint: str, keys: str, otherwise: str | None = None) -> str:
    """Waits for one of the keys; for any other one returns `otherwise`, or waits on where that is None."""
    print_lines([[(f"  [{hint}]", "dim")]])
    while True:
        key = read_key()
        if key == END or key == "q":
            raise _EnoughError
        if key in keys:
            return key
        if otherwise is not None:
            return otherwise


def _print_more(card: Card) -> None:
    for title, text in (("Pitfalls", card.pitfalls), ("Follow-ups", card.follow_ups)):
        if text.strip():
            print_markdown(f"## {title}\n\n{text}")


def _print_keys() -> None:
    if not is_interactive():
        warn("no terminal to press keys at: each line of the input counts by its first letter")


def _print_tally(tally: _Tally) -> None:
    answered = len(tally.known) + len(tally.missed)
    if not answered:
        print_lines([[("Nothing answered, nothing changed.", "bold")]])
        return
    print_lines([[], [(f"{len(tally.known)} of {answered} known.", "bold")]])
    if tally.missed:
        print_lines([[("Missed; they come first next time:", "")]])
        print_lines([[(f"  torchlore explain {slug}", "cyan")] for slug in tally.missed])


def _check(given: list[str] | None, allowed: tuple[str, ...], what: str) -> None:
    for value in given or ():
        if value not in allowed:
            fail(f"no {what} `{value}`; there are {', '.join(allowed)}")


def _remembered(path: Path) -> Progress:
    try:
        return load(path)
    except BrokenProgress as error:
        warn(f"what {path} holds of earlier rounds cannot be used ({error}): starting anew")
        return Progress()


def _keeper(path: Path) -> Callable[[Progress], None]:
    """Keeps progress in a file; says once where that cannot be done, and goes on."""
    refused = False

    def keep(progress: Progress) -> None:
        nonlocal refused
        try:
            save(progress, path)
        except OSError as error:
            if not refused:
                warn(f"answers are not remembered: {error}")
            refused = True

    return keep


def _forget(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        fail(f"{path} cannot be removed: {error.strerror}")
    typer.echo("forgot what was known and missed")
