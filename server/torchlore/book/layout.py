"""The pages of the book as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import torchlore
from torchlore.book.markup import Placed, code_block, html_of
from torchlore.knowledge import Card, symbol
from torchlore.knowledge.cards import AREAS, LEVELS

AREA_TITLES = {"nn": "Networks", "save-and-deploy": "Save and deploy"}
_SECTIONS = (
    ("Details", "details"),
    ("Pitfalls", "pitfalls"),
    ("Corrections", "corrections"),
    ("Follow-ups", "follow_ups"),
)
_THEME = (
    "document.documentElement.classList.add('scripted');"
    "try{var t=localStorage.getItem('torchlore-theme');"
    "if(t)document.documentElement.dataset.theme=t}catch(e){}"
)
"""Runs before anything is painted, so that no page flashes in the other theme."""


_Entry = tuple[Card, str]
"""A card in a list, and what is said of it there."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The cards before and after one in its area."""

    before: Card | None
    after: Card | None


def area_title(area: str) -> str:
    """An area's name for a reader."""
    return AREA_TITLES.get(area, area.replace("-", " ").capitalize())


def area_page(cards: Sequence[Card]) -> str:
    """The first page: every card by area."""
    groups = [
        (area, area_title(area), [(card, card.level) for card in cards if card.area == area])
        for area in AREAS
    ]
    return _overview(cards, groups, "By area", '<a href="levels.html">By level</a>')


def level_page(cards: Sequence[Card]) -> str:
    """Every card by level."""
    groups = [
        (level, level.capitalize(), [(card, area_title(card.area)) for card in cards if card.level == level])
        for level in LEVELS
    ]
    return _overview(cards, groups, "By level", '<a href="index.html">By area</a>')


def card_page(card: Card, neighbours: Neighbours, related: Sequence[Card], placed: Placed) -> str:
    """The page of a card.

    Args:
        card: what it is about.
        neighbours: where its foot leads.
        related: the cards that it names to be read too.
        placed: where links and pictures of its text lie, seen from the page.
    """
    sections = [
        (title, html_of(text, placed)) for title, field in _SECTIONS if (text := getattr(card, field)).strip()
    ]
    if card.snippet:
        sections.append(("Proof", _proof(card)))
    if related:
        sections.append(("See also", _links(related)))
    sections.append(("Names", _names(card)))
    if card.sources:
        sections.append(("Sources", _list(escape(source) for source in card.sources)))
    marked = [(title.lower().replace(" ", "-"), title, text) for title, text in sections]
    contents = _list(f'<a href="#{anchor}">{title}</a>' for anchor, title, _ in marked)
    body = "".join(
        f'<section id="{anchor}"><h2>{title}</h2>\n{text}</section>\n' for anchor, title, text in marked
    )
    return _page(
        card.question,
        f'<nav class="crumbs" aria-label="Where this is"><a href="../index.html#{card.area}">'
        f'{area_title(card.area)}</a> <a href="../levels.html#{card.level}">{card.level}</a></nav>\n'
        f'<nav class="contents" aria-label="On this page">{contents}</nav>\n'
        f'<article>\n<h1>{escape(card.question)}</h1>\n<section id="answer" class="answer">'
        f"{html_of(card.answer, placed)}</section>\n{body}</article>\n{_foot(neighbours)}",
        "../",
        f"Checked with torch {escape(card.torch)}.",
    )


def _overview(
    cards: Sequence[Card], groups: Sequence[tuple[str, str, list[_Entry]]], way: str, other: str
) -> str:
    shown = [(anchor, title, found) for anchor, title, found in groups if found]
    contents = _list(
        f'<a href="#{anchor}">{title}</a> <span class="count">{len(found)}</span>'
        for anchor, title, found in shown
    )
    body = "".join(
        f'<section id="{anchor}"><h2>{title}</h2>\n{_entries(found)}</section>\n'
        for anchor, title, found in shown
    )
    versions = ", ".join(sorted({card.torch for card in cards}))
    return _page(
        "PyTorch, answered",
        '<article class="overview">\n<h1>PyTorch, answered</h1>\n'
        f'<p class="lead">{len(cards)} questions with their answers, what goes wrong in practice, '
        "what is often said and not true, and a short program that proves it.</p>\n"
        f'<p class="ways"><strong>{way}</strong> {other}</p>\n'
        f'<nav class="groups" aria-label="{way}">{contents}</nav>\n{body}</article>\n',
        "",
        f"Checked with torch {escape(versions)}.",
    )


def _entries(entries: Iterable[_Entry]) -> str:
    items = (
        f'<li><a href="cards/{card.slug}.html">{escape(card.question)}</a> '
        f'<span class="about">{about}</span></li>\n'
        for card, about in entries
    )
    return f'<ul class="entries">{"".join(items)}</ul>\n'


def _proof(card: Card) -> str:
    return (
        f"<p>Run it on your own device: <code>torchlore run {card.slug}</code>, or take "
        f'<a href="../snippets/{card.slug}.py" download>the file</a>.</p>\n'
        f"{code_block(card.snippet or '', 'python')}"
    )


def _names(card: Card) -> str:
    """The symbols that the card explains, each with its place in PyTorch's documentation."""
    links = []
    for name in card.symbols:
        known = symbol(name)
        shown = f"<code>{escape(name)}</code>"
        links.append(f'<a href="{escape(known.url)}">{shown}</a>' if known and known.url else shown)
    return f'<div class="names">{_list(links)}</div>'


def _links(cards: Iterable[Card]) -> str:
    return _list(f'<a href="{card.slug}.html">{escape(card.question)}</a>' for card in cards)


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul>\n"


def _foot(neighbours: Neighbours) -> str:
    ends = []
    if neighbours.before is not None:
        before = neighbours.before
        ends.append(f'<a rel="prev" href="{before.slug}.html">← {escape(before.question)}</a>')
    if neighbours.after is not None:
        after = neighbours.after
        ends.append(f'<a rel="next" href="{after.slug}.html">{escape(after.question)} →</a>')
    return f'<nav class="neighbours" aria-label="Neighbours">{"".join(ends)}</nav>\n' if ends else ""


def _page(title: str, main: str, root: str, foot: str) -> str:
    """A whole document; `root` leads from it to the book's folder."""
    return f"""<!DOCTYPE html>
<html lang="en" data-root="{root}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{root}assets/book.css">
<script>{_THEME}</script>
<script src="{root}assets/found.js" defer></script>
<script src="{root}assets/book.js" defer></script>
</head>
<body>
<a class="skip" href="#main">To the text</a>
<header>
<a class="home" href="{root}index.html">torchlore</a>
<div class="search" role="search">
<input id="search" type="search" role="combobox" aria-label="Search" aria-expanded="false"
 aria-controls="found" aria-autocomplete="list" autocomplete="off" spellcheck="false"
 placeholder="Search: a question, a name, an error">
<ul id="found" role="listbox" aria-label="Found" hidden></ul>
</div>
<button id="theme" type="button">Dark</button>
</header>
<main id="main">
{main}</main>
<footer><p>Made by torchlore {escape(torchlore.__version__)}. {foot}</p></footer>
</body>
</html>
"""
