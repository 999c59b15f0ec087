"""The error messages that cards quote are the ones that torch 2.13 really gives."""

from __future__ import annotations

import importlib
import pkgutil
import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from torchlore.knowledge import card, cards

torch = pytest.importorskip("torch", reason="the messages come from torch")

import raising  # noqa: E402

pytestmark = pytest.mark.skipif(
    not torch.__version__.startswith("2.13."), reason="the cards quote the messages of torch 2.13"
)
QUOTED = re.compile(r"`([A-Z][A-Za-z]*(?:Error|Warning): [^`]+)`")


MODULES = [
    importlib.import_module(f"raising.{module.name}") for module in pkgutil.iter_modules(raising.__path__)
]
RAISING: dict[str, list[Callable[[], Any]]] = {}
"""By card: calls each of which gives a message that the card quotes."""
ELSEWHERE: dict[str, str] = {}
"""How quotes begin that this machine cannot be made to give, and what it would take."""
for module in MODULES:
    RAISING |= getattr(module, "RAISING", {})
    ELSEWHERE |= getattr(module, "ELSEWHERE", {})


def quotes(slug: str) -> list[str]:
    """The messages that a card quotes."""
    told = card(slug)
    assert told is not None
    text = " ".join([told.answer, told.details, told.pitfalls, told.corrections])
    found = QUOTED.findall(" ".join(text.split()))
    return [quote for quote in found if not quote.startswith(tuple(ELSEWHERE))]


def outcome(call: Callable[[], Any]) -> str:
    """What a user sees of the call: its warnings, then its error."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            call()
            raised = []
        except Exception as error:
            raised = [f"{type(error).__name__}: {error}"]
    return "\n".join([*(f"{w.category.__name__}: {w.message}" for w in seen), *raised])


@pytest.fixture(autouse=True)
def _validating(monkeypatch: pytest.MonkeyPatch) -> None:
    """`torch.compile` switches the validation of distributions off, for the whole process."""
    monkeypatch.setattr(torch.distributions.Distribution, "_validate_args", True)


@pytest.mark.parametrize("slug", RAISING)
def test_each_quoted_message_is_given(slug: str) -> None:
    quoted = quotes(slug)
    given = [" ".join(outcome(call).split()) for call in RAISING[slug]]
    assert [quote for quote in quoted if not any(quote in said for said in given)] == []
    assert [said for said in given if not any(quote in said for quote in quoted)] == []


def test_every_quote_is_proven() -> None:
    assert {
        told.slug: quoted for told in cards() if told.slug not in RAISING and (quoted := quotes(told.slug))
    } == {}
