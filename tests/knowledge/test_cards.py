"""Every card has the form that the hover, the search and the reader rely on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from knowledge_support import prose, repeated, said_in, seed_hashes
from torchlore.knowledge import Card, cards, data_root, resolve
from torchlore.knowledge.cards import AREAS, HEADINGS, INDEX, LEVELS, card_index, read_card
from torchlore.rules import all_rules

PATHS = sorted((data_root() / "cards").glob("*/*.md"))
SLUGS = {path.stem for path in PATHS}
LONGEST = 110
# The rules of the first release; others may be named once they exist.
PLANNED_RULES = {
    "missing-zero-grad",
    "zero-grad-before-step",
    "loss-keeps-graph",
    "eval-without-no-grad",
    "missing-super-init",
    "softmax-before-cross-entropy",
}


@pytest.fixture(params=PATHS, ids=[path.stem for path in PATHS])
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def card(path: Path) -> Card:
    return read_card(path)


def test_there_are_cards() -> None:
    assert len(PATHS) >= 15
    assert [card.slug for card in cards()] == sorted(SLUGS), (
        "a file is not a card, or its slug is not its name"
    )


def test_front_matter(card: Card, path: Path) -> None:
    assert card.slug == path.stem
    assert card.area == path.parent.name and card.area in AREAS
    assert card.level in LEVELS
    assert card.question.endswith(("?", "."))
    assert card.symbols and card.sources
    assert re.fullmatch(r"\d+\.\d+(, \d+\.\d+)*", card.torch), "the versions that the card was run with"


def test_headings_have_text(card: Card) -> None:
    texts = (card.answer, card.details, card.pitfalls, card.corrections, card.follow_ups)
    assert [heading for heading, text in zip(HEADINGS, texts, strict=True) if not text] == []


def test_first_paragraph_stands_alone(card: Card) -> None:
    plain = re.sub(r"`[^`]*`", "x", " ".join(card.summary.split()))
    sentences = re.findall(r"[.!?](?=\s|$)", plain)
    assert 2 <= len(sentences) <= 3, card.summary
    assert len(card.summary) < 420
    assert not card.summary.startswith(("#", "-", "|", "```", "!["))


def test_code_blocks_are_closed(card: Card, path: Path) -> None:
    fences = [
        line for line in path.read_text(encoding="utf-8").splitlines() if line.lstrip().startswith("```")
    ]
    assert len(fences) % 2 == 0


def test_lines_are_short(path: Path) -> None:
    """But for tables and the descriptions of pictures, which cannot be broken."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > LONGEST and not line.startswith(("|", "!["))] == []


def test_words_are_spelt_right() -> None:
    root = Path(__file__).parents[2]
    content = [
        data_root() / name for name in ("cards", "snippets", "inserts", "arguments.toml", "search.toml")
    ]
    read = [*content, data_root() / "symbols/handwritten.toml", root / "README.md", root / "docs"]
    command = [
        sys.executable,
        "-m",
        "codespell_lib",
        "--toml",
        str(root / "pyproject.toml"),
        "--skip",
        "*.png",
    ]
    done = subprocess.run([*command, *map(str, read)], capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr


def test_symbols_exist(card: Card) -> None:
    assert [name for name in card.symbols if resolve([name]) is None] == []


def test_symbols_are_listed_once() -> None:
    owner: dict[str, str] = {}
    for card in cards():
        for name in card.symbols:
            found = resolve([name])
            key = (found.alias_of or found.name) if found else name
            assert owner.setdefault(name, card.slug) == card.slug, name
            is_alias = found is not None and found.name != name
            assert not is_alias or owner.setdefault(key, card.slug) == card.slug, f"{name} is {key}"


def test_see_also_exist(card: Card) -> None:
    assert set(card.see_also) <= SLUGS - {card.slug}


def test_rules_exist(card: Card) -> None:
    assert set(card.rules) <= PLANNED_RULES | {rule.name for rule in all_rules()}


def test_has_a_short_snippet(card: Card) -> None:
    assert card.snippet, f"knowledge/snippets/{card.slug}.py is missing"
    assert len(card.snippet.splitlines()) < 40
    assert "assert " in card.snippet and "print(" in card.snippet


def test_words_are_our_own(card: Card, path: Path) -> None:
    text = prose(path.read_text(encoding="utf-8")) + "\n" + said_in(card.snippet or "")
    assert repeated(text, seed_hashes()) == []


def test_index_is_fresh() -> None:
    written = (data_root() / INDEX).read_text(encoding="utf-8")
    json.loads(written)
    assert written == card_index(cards()), "stale: run `python -m torchlore.knowledge`"
