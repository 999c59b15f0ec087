"""Which rules are asked about a file at all."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torchlore.rules import all_rules
from torchlore.rules.model import Rule
from torchlore.rules.triggers import is_script, triggered
from torchlore.text import Source

PATTERNS = [
    r"\bstep\b",
    r"\b(?:eval|train)\b",
    r"\b__init__\b",
    r"[sS]oftmax",
    r"\bloss\.\w+",
    r"\b(?:a.b|c)\b",
]


def _rule(pattern: str) -> type[Rule]:
    return type("Asked", (Rule,), {"trigger": pattern})


@pytest.mark.parametrize("pattern", PATTERNS)
@given(
    parts=st.lists(
        st.sampled_from([*"._ (\n0é→", "step", "eval", "train", "__init__", "Softmax", "loss", "a", "c"])
    )
)
def test_word_triggers_say_what_the_expression_says(pattern: str, parts: list[str]) -> None:
    text = "".join(parts)
    beyond_ascii = re.search(r"[^\x00-\x7f]", text)
    expected = re.search(pattern, text) is not None
    if not (beyond_ascii and expected):  # a word that touches `→` is in no code: either answer is right
        assert bool(triggered([_rule(pattern)], Source(text))) == expected


def test_every_rule_is_asked_about_its_own_example() -> None:
    for rule in all_rules():
        example = re.search(r"## Example\n+```py\w*\n(.*?)```", rule.documentation(), re.S)
        assert example is not None
        assert rule in triggered(all_rules(), Source(example[1]))


def test_text_that_no_encoding_can_hold() -> None:
    assert triggered([_rule(r"\bstep\b")], Source("x = '\ud800'\nopt.step()"))


@pytest.mark.parametrize(
    "text", ['if __name__ == "__main__":\n    main()\n', "x = 1\nfor epoch in range(3):\n    go()\n"]
)
def test_what_runs_by_itself_is_a_script(text: str) -> None:
    assert is_script(text)


@pytest.mark.parametrize("text", ["", "def f():\n    for x in y:\n        pass\n", "forward = 1\n"])
def test_what_only_defines_is_none(text: str) -> None:
    assert not is_script(text)


@pytest.mark.parametrize(
    ("init", "concerned"),
    [
        ("super().__init__()\n        self.fc = 1", False),
        ('"""Documented."""\n        super(Net, self).__init__()', False),
        ("nn.Module.__init__(self)", False),
        ("self.fc = 1\n        super().__init__()", True),
        ("pass", True),
    ],
)
def test_a_class_whose_constructor_calls_its_base_first_needs_no_analysis(init: str, concerned: bool) -> None:
    (rule,) = (rule for rule in all_rules() if rule.code == "TL301")
    text = f"if True:\n  class Net(nn.Module):\n    def __init__(self):\n        {init}\n"
    assert (rule in triggered(all_rules(), Source(text))) is concerned
