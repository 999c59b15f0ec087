"""Reading cards and inserts: what is well-formed, and what is refused with the file's name."""

from __future__ import annotations

from pathlib import Path

import pytest
from torchlore.knowledge import ContentError, card, cards
from torchlore.knowledge.cards import read_card
from torchlore.knowledge.inserts import read_insert

CARD = """+++
slug = "example"
question = "What is an example?"
area = "basics"
level = "junior"
symbols = ["torch.abs"]
rules = []
sources = ["docs: torch.abs"]
see_also = []
torch = ">=2.6"
+++
## Answer
First paragraph.

Second paragraph.
## Details
```python
## Pitfalls
```
## Pitfalls
p
## Corrections
c
## Follow-ups
f
"""
INSERT = """# /// torchlore
# title = "A step"
# description = "One step."
# card = "optimizers"
# imports = ["import torch"]
# [holes]
# optimizer = "Optimizer"
# limit = { kind = "Number", default = "10" }
# ///
# A comment of its own.
optimizer.step()
"""


def test_card_sections(tmp_path: Path) -> None:
    path = tmp_path / "basics" / "example.md"
    path.parent.mkdir()
    path.write_text(CARD, encoding="utf-8")
    read = read_card(path)
    assert read.summary == "First paragraph."
    assert read.answer == "First paragraph.\n\nSecond paragraph."
    assert read.details == "```python\n## Pitfalls\n```", "a heading inside a code block is text"
    assert (read.pitfalls, read.corrections, read.follow_ups) == ("p", "c", "f")
    assert read.snippet is None and read.path == "cards/basics/example.md"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("+++\nslug", "slug"), "front matter"),
        (('level = "junior"\n', ""), "lacks 'level'"),
        (("## Details", "## Detail"), "headings"),
        (("## Corrections\nc\n", ""), "headings"),
        (('slug = "example"', "slug = example"), "Invalid"),
    ],
)
def test_bad_cards_are_refused(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    path = tmp_path / "example.md"
    path.write_text(CARD.replace(*change), encoding="utf-8")
    with pytest.raises(ContentError, match=says) as caught:
        read_card(path)
    assert "example.md" in str(caught.value)


def test_insert_header(tmp_path: Path) -> None:
    path = tmp_path / "a-step.py"
    path.write_text(INSERT, encoding="utf-8")
    read = read_insert(path)
    assert (read.slug, read.title, read.imports) == ("a-step", "A step", ("import torch",))
    assert read.card == "optimizers"
    assert [(hole.name, hole.kind, hole.default) for hole in read.holes] == [
        ("optimizer", "Optimizer", "optimizer"),
        ("limit", "Number", "10"),
    ]
    assert read.body == "# A comment of its own.\noptimizer.step()\n"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("# /// torchlore", "# /// script"), "header"),
        (('# title = "A step"\n', ""), "lacks 'title'"),
        (('# card = "optimizers"\n', ""), "lacks 'card'"),
        (('"Optimizer"', '"Optimiser"'), "Optimiser"),
    ],
)
def test_bad_inserts_are_refused(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    path = tmp_path / "a-step.py"
    path.write_text(INSERT.replace(*change), encoding="utf-8")
    with pytest.raises(ContentError, match=says):
        read_insert(path)


def test_card_by_slug() -> None:
    assert [card(known.slug) for known in cards()] == list(cards())
    for slug in ("no-such-card", "", "../zero-grad", "ZERO", "*"):
        assert card(slug) is None
