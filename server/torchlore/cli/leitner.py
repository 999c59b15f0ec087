"""Which cards to ask next, by Leitner's boxes, and the file that remembers it from one quiz to the next.

A card that was known moves up a box, one that was missed goes back to the first; a new card counts as one of
the first. A card of the first box comes in every round, one of the second in every other, one of the third in
every fourth, and so on.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

BOXES = 5
_FORMAT = 1
_LARGEST = 1_000_000
"""Bytes; a file of progress has some ten thousand."""


class BrokenProgress(ValueError):
    """A file is there and holds no progress; says why."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a card stands: in which box, and the round in which it was asked last."""

    box: int
    asked: int


@dataclass(frozen=True, slots=True)
class Progress:
    """What is remembered of earlier rounds: how many there were, and how each card stands since."""

    rounds: int = 0
    cards: dict[str, Standing] = field(default_factory=dict)

    def answered(self, slug: str, known: bool) -> Progress:
        """The progress after a card was asked in the present round."""
        before = self.cards.get(slug, Standing(1, 0)).box
        now = Standing(min(before + 1, BOXES) if known else 1, self.rounds)
        return replace(self, cards={**self.cards, slug: now})


def next_cards(slugs: Iterable[str], progress: Progress, chance: random.Random) -> list[str]:
    """These cards in the order in which they are to be asked in the present round.

    Those that are due come first, the least known of them before the others; then those that were never
    asked; then those whose turn is not yet, the nearest first. Among equals `chance` decides.
    """

    def turn(slug: str) -> tuple[int, int, float]:
        standing = progress.cards.get(slug)
        if standing is None:
            return (1, 0, chance.random())
        early = standing.asked + 2 ** (standing.box - 1) - progress.rounds
        return (2, early, chance.random()) if early > 0 else (0, standing.box, chance.random())

    return sorted(sorted(slugs), key=turn)


def progress_file() -> Path:
    """Where this user's progress is kept. Raises RuntimeError where there is no home folder."""
    return _user_data() / "torchlore" / "quiz.json"


def load(path: Path) -> Progress:
    """The progress in a file; none yet where there is no file.

    Raises BrokenProgress where the file holds something else, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise BrokenProgress("it is far too long")
        return _progress(json.loads(text))
    except FileNotFoundError:
        return Progress()
    except OSError as error:
        raise BrokenProgress(error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:
        raise BrokenProgress(str(error) or "it is no JSON") from error


def save(progress: Progress, path: Path) -> None:
    """Writes a file of progress, whole or not at all. Raises OSError where it cannot be written."""
    cards = {slug: [standing.box, standing.asked] for slug, standing in sorted(progress.cards.items())}
    content = {"format": _FORMAT, "rounds": progress.rounds, "cards": cards}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _progress(content: Any) -> Progress:
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise BrokenProgress(f"it is not of format {_FORMAT}")
    rounds: Any = content.get("rounds")
    cards: Any = content.get("cards")
    if not _is_count(rounds) or not isinstance(cards, dict):
        raise BrokenProgress("rounds or cards are missing")
    return Progress(rounds, {slug: _standing(slug, entry, rounds) for slug, entry in cards.items()})


def _standing(slug: str, entry: Any, rounds: int) -> Standing:
    if isinstance(entry, list) and len(entry) == 2 and all(map(_is_count, entry)):
        box, asked = entry
        if 1 <= box <= BOXES and asked <= rounds:
            return Standing(box, asked)
    raise BrokenProgress(f"the entry of {slug[:40]!r} makes no sense")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _user_data() -> Path:
    """The folder in which this user's programs keep what must not be lost."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
