"""What a hover looks like: its parts in order, and no more lines than fit beside the code."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace

from torchlore.pages import fenced

MOST_LINES = 30
WIDTH = 80
"""Popups break longer lines: so wide is the narrowest of the editors that we know."""

_SIGNATURE_LINES = 6
_MOST_NOTES = 8
_PITFALL = 300
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_SENTENCE = re.compile(r"[.!?][\"'*)]*(?=\s|$)")
_CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """A hover, part by part, in the order in which it is shown. Parts that are empty are left out.

    Attributes:
        signature: what stands here, as code.
        about: lines of Markdown about that: what it is called with, what replaces it, what it does.
        question: of the card.
        answer: its first paragraph.
        notes: what it does in the user's code, a line each; a space before it: it belongs to the one above.
        pitfall: what goes wrong with it.
        picture: of the card; it takes no line of the text's, because what shows pictures scrolls.
        links: where to read on.
        signature_lines: how many lines the signature may take.
    """

    signature: str = ""
    about: tuple[str, ...] = ()
    question: str = ""
    answer: str = ""
    notes: tuple[str, ...] = ()
    pitfall: str = ""
    picture: str = ""
    links: tuple[str, ...] = ()
    signature_lines: int = _SIGNATURE_LINES


def laid_out(page: Page) -> str:
    """The page as Markdown of at most `MOST_LINES` lines; what it can best do without goes first."""
    page = replace(page, notes=_fewer(page.notes, _MOST_NOTES))
    for shorter in _shorter(page):
        if lines(_markdown(replace(shorter, picture=""))) <= MOST_LINES:
            return _markdown(shorter)
    return _markdown(replace(page, about=page.about[:1], question="", answer="", notes=(), pitfall=""))


def lines(markdown: str) -> int:
    """How many lines a popup takes for `markdown`, at the width that it has at least."""
    return sum(map(_rows, _LINK.sub(r"\1", markdown).split("\n")))


def _rows(line: str) -> int:
    """How many rows a line takes when it is broken between words."""
    rows, column = 1, 0
    if len(line) <= WIDTH:
        return rows
    for word in line.split(" "):
        if column and column + len(word) > WIDTH:
            rows, column = rows + 1, 0
        rows += len(word) // (WIDTH + 1)
        column += len(word) + 1
    return rows


def first_pitfall(pitfalls: str) -> str:
    """The first bullet of a card's pitfalls, shortened to its first sentences."""
    return shortened(next(bullets(pitfalls), ""))


def bullets(text: str) -> Iterator[str]:
    """The bullets of a list, each on one line, without what is indented below them as code."""
    for bullet in re.split(r"^- ", text, flags=re.MULTILINE)[1:]:
        yield " ".join(bullet.partition("\n\n")[0].split())


def shortened(text: str, most: int = _PITFALL) -> str:
    """As many of the first sentences of `text` as fit in `most` characters; the first one always."""
    masked = _CODE.sub(_masked, text)
    ends = [match.end() for match in _SENTENCE.finditer(masked)]
    fitting = [end for end in ends if end <= most]
    end = fitting[-1] if fitting else ends[0] if ends else len(text)
    return text[:end]


def _masked(code: re.Match[str]) -> str:
    """Something as long without marks, but for one that ends a message, and the sentence with it."""
    return "x" * (len(code[0]) - 1) + ("." if code[2].endswith((".", "!")) else "x")


def signature_block(head: str, most_lines: int = _SIGNATURE_LINES) -> str:
    """Code of at most a few lines, fenced: a signature is broken between its parameters."""
    whole = re.sub("(?<!,) ", "\xa0", head)  # no white space to `textwrap`
    wrapped = textwrap.wrap(
        whole, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    if len(wrapped) > most_lines:
        wrapped = [*wrapped[: most_lines - 1], "    …)"]
    return fenced("\n".join(wrapped).replace("\xa0", " "), "python")


def _shorter(page: Page) -> Iterator[Page]:
    yield page
    yield (page := replace(page, pitfall=shortened(page.pitfall, 160)))
    yield (page := replace(page, pitfall=""))
    yield (page := replace(page, signature_lines=3))
    yield (page := replace(page, answer=shortened(page.answer, 240)))
    yield (page := replace(page, about=tuple(shortened(part, 160) for part in page.about)))
    yield (page := replace(page, notes=_fewer(page.notes, 5)))
    yield (page := replace(page, answer=shortened(page.answer, 1)))
    yield replace(page, notes=_fewer(page.notes, 2))


def _fewer(notes: tuple[str, ...], most: int) -> tuple[str, ...]:
    return notes if len(notes) <= most else (*notes[: most - 1], "…")


def _markdown(page: Page) -> str:
    parts = [signature_block(page.signature, page.signature_lines)] if page.signature else []
    parts += page.about
    if page.question:
        parts.append(f"**{page.question}**")
    if page.answer:
        parts.append(page.answer)
    if page.notes:
        parts.append("**In your code**\n\n" + "\n".join(map(_bullet, page.notes)))
    if page.pitfall:
        parts.append(f"**Pitfall:** {page.pitfall}")
    if page.picture:
        parts.append(page.picture)
    if page.links:
        parts.append(" · ".join(page.links))
    return "\n\n".join(parts)


def _bullet(note: str) -> str:
    return note if note.startswith(" ") else f"- {note}"
