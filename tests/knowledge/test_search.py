"""`torchlore ask`: what people type finds the card that answers."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from torchlore.knowledge import Card, card_for, cards, data_root, mentioned, search
from torchlore.knowledge.data import read_toml
from torchlore.knowledge.terms import WORD, terms_of_word

HERE = Path(__file__).parent
QUESTIONS = read_toml((HERE / "questions.toml").read_text(encoding="utf-8"), "questions.toml")["question"]
QUOTED = re.compile(r"`([A-Z][A-Za-z]*(?:Error|Warning): [^`]+)`")
FIRST, IN_TOP_THREE = 0.9, 0.98
TRACEBACK = """Traceback (most recent call last):
  File "/home/me/embeddings/save_and_load.py", line 31, in <module>
    loss.backward()
    ~~~~~~~~~~~~~^^
  File "/usr/lib/python3.12/site-packages/torch/_tensor.py", line 648, in backward
    torch.autograd.backward(
RuntimeError: one of the variables needed for gradient computation has been modified by an inplace \
operation: [torch.cuda.FloatTensor [17, 40]], which is output 0 of SigmoidBackward0, is at version 3; \
expected version 2 instead. Hint: enable anomaly detection to find the operation that failed to compute its \
gradient."""


def slugs(words: str, limit: int = 3) -> list[str]:
    return [found.slug for found in search(words, limit)]


@pytest.mark.parametrize("purpose", ["development", "held-out"])
def test_questions_in_the_words_of_users(purpose: str) -> None:
    asked = [question for question in QUESTIONS if question["for"] == purpose]
    found = {question["asked"]: slugs(question["asked"]) for question in asked}
    later = [q["asked"] for q in asked if found[q["asked"]][0] not in q["answered_by"]]
    missed = [q["asked"] for q in asked if not set(found[q["asked"]]) & set(q["answered_by"])]
    assert len(asked) - len(later) >= len(asked) * FIRST, later
    assert len(asked) - len(missed) >= len(asked) * IN_TOP_THREE, missed


def test_the_questions_are_in_order() -> None:
    """Thirty are held out, all areas have some, and every answer is a card."""
    known = {found.slug: found.area for found in cards()}
    assert [s for question in QUESTIONS for s in question["answered_by"] if s not in known] == []
    held_out = [question for question in QUESTIONS if question["for"] == "held-out"]
    assert len(held_out) == 30
    assert len({question["asked"] for question in QUESTIONS}) == len(QUESTIONS)
    for part in (held_out, [q for q in QUESTIONS if q["for"] == "development"]):
        assert {known[q["answered_by"][0]] for q in part} >= set(known.values()) - {"basics"}


def test_what_cards_are_called_does_not_repeat_the_held_out_questions() -> None:
    called = _called()
    assert called.keys() == {found.slug for found in cards()}
    for question in (q["asked"] for q in QUESTIONS if q["for"] == "held-out"):
        runs = _runs(question)
        assert [name for names in called.values() for name in names if _runs(name) & runs] == [], question


def test_every_question_finds_its_own_card() -> None:
    assert [card.slug for card in cards() if search(card.question)[0] != card] == []


def test_every_slug_finds_its_own_card() -> None:
    assert [card.slug for card in cards() if search(card.slug.replace("-", " "))[0] != card] == []


def test_every_symbol_finds_its_own_card_first() -> None:
    for card in cards():
        for name in card.symbols:
            if "." in name:
                assert search(name)[0] == card, name


def test_what_a_card_is_called_finds_it() -> None:
    for slug, names in _called().items():
        assert slug in slugs(" ".join(names[:6])), slug


def test_messages_of_pytorch_find_a_card_that_quotes_them() -> None:
    """Pasted with the numbers of another run in them."""
    quoting: dict[str, set[str]] = {}
    for told in cards():
        for message in QUOTED.findall(" ".join(_prose(told).split())):
            quoting.setdefault(message, set()).add(told.slug)
    assert len(quoting) > 300
    later = [m for m, by in quoting.items() if not by & set(slugs(_with_other_numbers(m), 1))]
    missed = [m for m in later if not quoting[m] & set(slugs(_with_other_numbers(m)))]
    assert len(later) <= len(quoting) * 0.1
    assert len(missed) <= len(quoting) * 0.02, missed


def test_a_whole_traceback_is_about_its_message() -> None:
    assert slugs(TRACEBACK, 1) == ["inplace-ops"]
    assert slugs(TRACEBACK.replace("\n", "\r\n"), 1) == ["inplace-ops"]
    assert slugs("/opt/embeddings/dropout.py:88: UserWarning: Detected call of `lr_scheduler.step()`", 1) == [
        "lr-scheduling"
    ]


def test_a_traceback_without_a_message_is_still_searched() -> None:
    frame = '  File "train.py", line 3, in <module>\n    loss.backward()'
    assert "backpropagation" in slugs(frame)


@pytest.mark.parametrize(
    ("words", "best"),
    [
        ("zero_grad", "zero-grad"),
        ("optimizer.zero_grad()", "zero-grad"),
        ("Variable", "tensor-vs-variable"),
        ("nn.Sequential", "sequential-vs-module"),
        ("einsum", "matmul-einsum"),
        ("clip_grad_norm_", "gradient-clipping"),
        ("torch.nn.utils.clip_grad_norm_", "gradient-clipping"),
        ("self.opt.step", "optimizers"),
        ("torch.fft.hfft", "complex-and-fft"),  # no card lists it: that of its module
        ("what is pytorch", "what-is-pytorch"),
    ],
)
def test_symbols(words: str, best: str) -> None:
    assert slugs(words, 1) == [best]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("clip_grad_nrom_", "torch.nn.utils.clip_grad_norm"),
        ("torch.nn.Hardsigmiod", "torch.nn.Hardsigmoid"),
        ("Hardsigmiod", "torch.nn.Hardsigmoid"),
        ("F.cros_entropy", "torch.nn.functional.cross_entropy"),
        ("nn.Conv2D", "torch.nn.Conv2d"),
        ("how does scatter_reduec_ work", "torch.Tensor.scatter_reduce_"),
        ("einsmu", "torch.einsum"),
        ("torch.fft.hffft", "torch.fft.hfft"),
    ],
)
def test_misspelt_symbols(words: str, name: str) -> None:
    [found] = mentioned(words)
    assert found.symbol.name.rstrip("_").rpartition(".")[2] == name.rstrip("_").rpartition(".")[2]
    expected = card_for(name)
    assert expected is None or slugs(words, 1) == [expected.slug]


@pytest.mark.parametrize(
    "words", ["banana", "", "what is the", "how do I", "loss of a friend", "12345 0x7ffe"]
)
def test_what_names_no_symbol(words: str) -> None:
    assert mentioned(words) == []


def _swapped(word: str, at: int) -> str:
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _dropped(word: str, at: int) -> str:
    return word[:at] + word[at + 1 :]


def _doubled(word: str, at: int) -> str:
    return word[:at] + word[at] + word[at:]


@pytest.mark.parametrize("slip", [_swapped, _dropped, _doubled])
@pytest.mark.parametrize(
    "word", ["quantization", "broadcasting", "checkpointing", "reproducible", "embedding"]
)
def test_slips_of_the_keyboard(word: str, slip: Callable[[str, int], str]) -> None:
    right = slugs(word, 1)
    assert [slugs(slip(word, at), 1) for at in range(1, len(word) - 2)] == [right] * (len(word) - 3)


def test_nothing_matches() -> None:
    assert search("banana") == []
    assert search("") == []
    assert search("what is the") == []
    assert search("\x00\ud800 \n\t ?!") == []


def test_limit_and_order() -> None:
    found = search("gradient", limit=3)
    assert len(found) == 3 and found == search("gradient", limit=10)[:3]
    assert search("gradient", limit=0) == []
    assert search("gradient", limit=-1) == []


def _called() -> dict[str, list[str]]:
    path = data_root() / "search.toml"
    table: dict[str, list[str]] = read_toml(path.read_text(encoding="utf-8"), path.name)["called"]
    return table


def _prose(told: Card) -> str:
    return " ".join((told.answer, told.details, told.pitfalls, told.corrections))


def _runs(text: str) -> set[tuple[str, ...]]:
    """Every three words in a row that say anything."""
    words = [term for word in WORD.findall(text) for term in terms_of_word(word)[:1]]
    return {tuple(words[start : start + 3]) for start in range(len(words) - 2)}


def _with_other_numbers(message: str) -> str:
    return re.sub(r"\d+", lambda digits: str(random.Random(digits[0]).randint(2, 999)), message)
