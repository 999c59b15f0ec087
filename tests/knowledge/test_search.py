"""`torchlore ask`: what people type finds the card that answers."""

from __future__ import annotations

import pytest
from torchlore.knowledge import cards, search

SLUGS = {card.slug for card in cards()}


@pytest.mark.parametrize(
    ("words", "best"),
    [
        ("why is my loss not going down", {"zero-grad", "build-a-model", "optimizers", "lr-scheduling"}),
        ("zero_grad", {"zero-grad"}),
        ("optimizer.zero_grad()", {"zero-grad"}),
        ("when do I have to clear the gradients", {"zero-grad"}),
        ("what is a tensor?", {"tensors"}),
        ("convert numpy array", {"numpy-interop"}),
        ("Variable", {"tensor-vs-variable"}),
        ("custom layer", {"custom-layers"}),
        ("move model to gpu", {"cuda-and-devices"}),
        ("nn.Sequential", {"sequential-vs-module"}),
        ("grad is None", {"grad-attribute"}),
        ("which optimizer should I use", {"optimizers"}),
    ],
)
def test_best_card(words: str, best: set[str]) -> None:
    missing = best - SLUGS
    assert not missing, f"no such card: {missing}"
    assert search(words)[0].slug in best


def test_every_question_finds_its_own_card() -> None:
    assert [card.slug for card in cards() if search(card.question)[0] != card] == []


def test_every_slug_finds_its_own_card() -> None:
    assert [card.slug for card in cards() if search(card.slug.replace("-", " "))[0] != card] == []


def test_every_symbol_finds_its_own_card_first() -> None:
    for card in cards():
        for name in card.symbols:
            if "." in name:
                assert search(name)[0] == card, name


def test_nothing_matches() -> None:
    assert search("banana") == []
    assert search("") == []
    assert search("what is the") == []


def test_limit_and_order() -> None:
    found = search("gradient", limit=3)
    assert len(found) == 3 and found == search("gradient", limit=10)[:3]
    assert search("gradient", limit=0) == []
