"""Cards: read from Markdown, found by slug or by symbol.

`cards()` reads every Markdown file. A hover must not: `card_for` looks the symbol up in the generated
`knowledge/cards/index.json` and then reads the one file that it names.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

from torchlore.knowledge.data import ContentError, data_root, read_toml
from torchlore.knowledge.model import Card, Symbol
from torchlore.knowledge.symbols import symbol

HEADINGS = ("Answer", "Details", "Pitfalls", "Corrections", "Follow-ups")
AREAS = ("basics", "tensors", "autograd", "nn", "training", "data", "save-and-deploy", "devices")
LEVELS = ("junior", "mid", "senior")
INDEX = "cards/index.json"

_log = logging.getLogger(__name__)
_FRONT_MATTER = re.compile(r"\+\+\+\n(.*?)\n\+\+\+\n(.*)", re.DOTALL)
_HEADING = re.compile(r"^## (.+?)\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")


@lru_cache(maxsize=1)
def cards() -> tuple[Card, ...]:
    """Every card, sorted by slug. A file that is not a card is logged and left out."""
    found = []
    for path in sorted((data_root() / "cards").glob("*/*.md"), key=lambda path: path.stem):
        try:
            found.append(read_card(path))
        except (ContentError, OSError) as error:
            _log.error("card left out: %s", error)
    return tuple(found)


@lru_cache(maxsize=256)
def card(slug: str) -> Card | None:
    """The card of that slug, or None."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", slug):
        return None
    paths = [data_root() / entry for entry in _paths() if Path(entry).stem == slug]
    paths = [path for path in paths if path.is_file()] or sorted((data_root() / "cards").glob(f"*/{slug}.md"))
    if not paths:
        return None
    try:
        return read_card(paths[0])
    except (ContentError, OSError) as error:
        _log.error("card left out: %s", error)
        return None


def card_for(name: str) -> Card | None:
    """The card that explains a symbol, in any spelling that the symbol index knows, or None.

    What no card lists has the card of what it overrides, of the enumeration that it is a value of, or, for
    an operator (`torch.ops.aten.mm`), that of `torch.ops`.
    """
    slugs = _slug_by_symbol()
    slug = slugs.get(name)
    if slug is None and (known := symbol(name)) is not None:
        slug = slugs.get(known.name) or slugs.get(known.alias_of or "") or _slug_of_overridden(known.name)
    slug = slug or _slug_of_value(name) or (slugs.get("torch.ops") if name.startswith("torch.ops.") else None)
    return card(slug) if slug else None


@dataclass(frozen=True, slots=True)
class FoundCard:
    """A card and how close it is to what was asked about.

    Attributes:
        card: the card.
        is_exact: it is about the very symbol, or the same operation as a function or a method.
        is_near: it is about that or its class; else about the module, or about tensors or modules at large.
    """

    card: Card
    is_exact: bool
    is_near: bool


def find_card(candidates: Iterable[str], found: Symbol | None) -> FoundCard | None:
    """The card of the first candidate that has one, in whichever form; else of its class or module.

    Args:
        candidates: dotted names, the likeliest first.
        found: the symbol that they turned out to be, where the index has it.
    """
    names = tuple(dict.fromkeys((*candidates, found.name) if found is not None else candidates))
    for spelling in chain(names, chain.from_iterable(map(_twins, names))):
        exact = card_for(spelling)
        if exact is not None:
            return FoundCard(exact, is_exact=True, is_near=True)
    for name in names:
        owner = name.rpartition(".")[0]
        while owner.count("."):  # what `torch` itself is, is no answer
            known = symbol(owner)
            card = card_for(owner)
            if card is not None:
                is_class = known is not None and known.kind == "class" and owner not in _AT_LARGE
                return FoundCard(card, is_exact=False, is_near=is_class)
            owner = owner.rpartition(".")[0]
    return None


def _twins(name: str) -> Iterator[str]:
    """The same operation as a function, as a method, and not in place."""
    home, _, last = name.rpartition(".")
    plain = last[:-1] if last.endswith("_") and not last.endswith("__") else last
    if home in _OPERATIONS:
        yield from (f"{other}.{plain}" for other in _OPERATIONS if f"{other}.{plain}" != name)


_OPERATIONS = ("torch", "torch.Tensor", "torch.nn.functional")
"""Where torch keeps one operation in several forms."""

_AT_LARGE = ("torch.Tensor", "torch.nn.Module")
"""Classes with so many members that their card says nothing about any one of them."""


def _slug_of_overridden(member: str) -> str | None:
    """The card of what a member overrides: `torch.optim.Adam.step` is explained where `Optimizer.step` is."""
    owner, _, name = member.rpartition(".")
    cls = symbol(owner)
    for base in cls.bases if cls is not None else ():
        slug = _slug_by_symbol().get(f"{base}.{name}") or _slug_of_overridden(f"{base}.{name}")
        if slug is not None:
            return slug
    return None


def card_texts() -> Iterator[tuple[str, str]]:
    """Slug and raw text of every card file. Much cheaper than `cards()`: nothing is taken apart."""
    for path in sorted((data_root() / "cards").glob("*/*.md")):
        try:
            yield path.stem, path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            _log.error("card left out: %s", error)


def _slug_of_value(constant: str) -> str | None:
    """The card of the class that a constant belongs to: `ReduceOp` for `torch.distributed.ReduceOp.SUM`."""
    owner, _, name = constant.rpartition(".")
    cls = symbol(owner) if name.isupper() else None
    if cls is None or cls.kind not in ("class", "enum") or symbol(f"{cls.name}.{name}") is None:
        return None
    return _slug_by_symbol().get(cls.name)


def read_card(path: Path) -> Card:
    """Read one card.

    Raises ContentError where front matter or headings are not as they must be, OSError where the file
    cannot be read.
    """
    text = path.read_text(encoding="utf-8")
    match = _FRONT_MATTER.fullmatch(text)
    if match is None:
        raise ContentError(f"{path.name}: no front matter between two lines of +++")
    front = read_toml(match[1], path.name)
    sections = _sections(match[2])
    if tuple(sections) != HEADINGS:
        raise ContentError(f"{path.name}: headings are {tuple(sections)}, not {HEADINGS}")
    snippet = data_root() / "snippets" / f"{path.stem}.py"
    try:
        return Card(
            slug=front["slug"],
            question=front["question"],
            area=front["area"],
            level=front["level"],
            symbols=tuple(front["symbols"]),
            rules=tuple(front["rules"]),
            sources=tuple(front["sources"]),
            see_also=tuple(front["see_also"]),
            torch=front["torch"],
            # Popups break lines themselves, and some show a line break of the source as one.
            summary=" ".join(sections["Answer"].split("\n\n", 1)[0].split()),
            answer=sections["Answer"],
            details=sections["Details"],
            pitfalls=sections["Pitfalls"],
            corrections=sections["Corrections"],
            follow_ups=sections["Follow-ups"],
            snippet=snippet.read_text(encoding="utf-8") if snippet.is_file() else None,
            path=f"cards/{path.parent.name}/{path.name}",
        )
    except KeyError as error:
        raise ContentError(f"{path.name}: front matter lacks {error}") from error


def card_index(found: tuple[Card, ...]) -> str:
    """The text of `cards/index.json`: one line a card, so that two branches that add cards still merge."""
    lines = [
        f"  {json.dumps(card.path)}: {json.dumps(list(card.symbols))}"
        for card in sorted(found, key=lambda card: card.path)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def write_card_index() -> Path:
    """Write `cards/index.json` anew from the Markdown files and return its path."""
    path = data_root() / INDEX
    path.write_text(card_index(cards()), encoding="utf-8")
    return path


def _sections(body: str) -> dict[str, str]:
    """Text under each `##` heading; a heading inside a code block is text."""
    sections: dict[str, list[str]] = {}
    lines: list[str] | None = None
    fenced = False
    for line in body.splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        heading = None if fenced else _HEADING.match(line)
        if heading:
            lines = sections.setdefault(heading[1], [])
        elif lines is not None:
            lines.append(line)
    return {title: "\n".join(lines).strip() for title, lines in sections.items()}


@lru_cache(maxsize=1)
def _paths() -> dict[str, list[str]]:
    try:
        text = (data_root() / INDEX).read_text(encoding="utf-8")
        index: dict[str, list[str]] = json.loads(text)
    except (OSError, ValueError) as error:
        _log.warning("%s cannot be used (%s): reading every card instead", INDEX, error)
        return {card.path: list(card.symbols) for card in cards()}
    return index


@lru_cache(maxsize=1)
def _slug_by_symbol() -> dict[str, str]:
    return {name: Path(path).stem for path, names in _paths().items() for name in names}
