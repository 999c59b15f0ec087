"""The traffic that servers are measured with: the same each time, and that of somebody who types the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.perf.load import _quantile
from tests.perf.traffic import typed

TEXT = """\
import torch

def f(x):
    '''Two
    lines.'''
    y = torch.relu(x)  # a comment

    return y.sum()
"""
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "text", [TEXT, *(path.read_text() for path in sorted((ROOT / "examples").glob("*.py")))]
)
def test_the_strokes_give_the_text(text: str) -> None:
    assert "".join(stroke.text for stroke in typed(text, 10_000)) == text


def test_what_is_typed_ends_with_the_lines_asked_for() -> None:
    assert "".join(stroke.text for stroke in typed(TEXT, 3)).rstrip() == "import torch\n\ndef f(x):"


def test_the_editor_looks_at_attributes_that_are_typed_already() -> None:
    lines, so_far = TEXT.split("\n"), ""
    looked = []
    for stroke in typed(TEXT, 100):
        so_far += stroke.text
        if stroke.name is not None:
            line, column = stroke.name
            assert len(so_far.split("\n")[line]) >= column
            looked.append(lines[line][column - 1 :])
    assert [name.partition("(")[0] for name in looked] == ["relu", "relu", "relu"]


def test_completion_is_asked_for_after_names_and_dots() -> None:
    asked = [stroke.text.strip() for stroke in typed("x = torch.relu(1)\n", 1) if stroke.completes]
    assert asked == ["x", "torch", ".", "relu"]


@pytest.mark.parametrize(("share", "expected"), [(50, 2), (95, 4), (99, 4), (1, 1)])
def test_a_quantile_is_a_time_that_was_measured(share: int, expected: int) -> None:
    assert _quantile([3, 1, 4, 2], share) == expected
