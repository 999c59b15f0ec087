"""Selectors: what they mean, which one wins, and what a wrong one says."""

from __future__ import annotations

import pytest
from torchlore.rules import all_rules
from torchlore.rules.selection import Selection, SelectionError, split_selectors

ALL = {rule.code for rule in all_rules()}


def codes(select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()) -> set[str]:
    return {rule.code for rule in Selection(select, ignore).rules()}


def test_nothing_selected_is_every_rule() -> None:
    assert codes() == ALL
    assert "TL301" in ALL


@pytest.mark.parametrize("selector", ["ALL", "all", "TL", "tl"])
def test_everything(selector: str) -> None:
    assert codes((selector,)) == ALL
    assert codes((), (selector,)) == set()


@pytest.mark.parametrize("selector", ["TL301", "tl301", "missing-super-init"])
def test_one_rule(selector: str) -> None:
    assert codes((selector,)) == {"TL301"}
    assert codes((), (selector,)) == ALL - {"TL301"}


@pytest.mark.parametrize("selector", ["TL3", "modules", "Modules"])
def test_a_family(selector: str) -> None:
    assert codes((selector,)) == {code for code in ALL if code.startswith("TL3")}


def test_the_beginning_of_codes() -> None:
    assert codes(("TL30",)) == {code for code in ALL if code.startswith("TL30")} < codes(("TL3",))


@pytest.mark.parametrize(
    ("select", "ignore", "is_on"),
    [
        (("TL301",), ("modules",), True),
        (("modules",), ("TL301",), False),
        (("TL301",), ("missing-super-init",), False),
        (("TL3",), ("modules",), False),
        (("ALL",), ("TL3",), False),
        (("TL30",), ("TL3",), True),
        (("ALL", "TL301"), ("TL3",), True),
    ],
)
def test_the_more_exact_selector_wins_and_ignore_wins_a_tie(
    select: tuple[str, ...], ignore: tuple[str, ...], is_on: bool
) -> None:
    assert ("TL301" in codes(select, ignore)) is is_on


def test_extending_adds_to_what_is_on() -> None:
    assert {rule.code for rule in Selection((), ("TL3",), ("TL301",)).rules()} >= ALL - {
        code for code in ALL if code.startswith("TL3") and code != "TL301"
    }
    more = Selection(("training",), (), ("TL301",))
    assert {rule.code for rule in more.rules()} == codes(("training",)) | {"TL301"}


def test_without_wins_over_an_exact_selector() -> None:
    left = Selection(("TL301",)).without(("modules",))
    assert left.rules() == ()
    assert left.asks_for(next(rule for rule in all_rules() if rule.code == "TL301"))


@pytest.mark.parametrize(
    ("selector", "hint"),
    [
        ("missing-super-int", "did you mean `missing-super-init`?"),
        ("module", "did you mean `modules`?"),
        ("TL399", "unknown rule `TL399`"),
        ("E501", "unknown rule `E501`"),
        ("", "unknown rule ``"),
        ("T", "unknown rule `T`"),
    ],
)
def test_unknown_selector(selector: str, hint: str) -> None:
    with pytest.raises(SelectionError) as caught:
        Selection((selector,)).rules()
    assert hint in str(caught.value)
    with pytest.raises(SelectionError):
        Selection((), (selector,)).rules()


def test_options_repeat_and_split_at_commas() -> None:
    assert split_selectors(["TL101, TL2,", "data"]) == ("TL101", "TL2", "data")
    assert split_selectors(None) == ()
