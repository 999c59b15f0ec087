"""Each mutator does on a small correct file what it says, and its rule finds just that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from torchlore.text import Source

from tests.perf.corpus import File
from tests.recall.mutants import mutators
from tests.recall.planting import is_found

_CASE = re.compile(r"^## (?P<rule>[\w-]+)\n+```py\n(?P<code>.*?)```\n+```py\n(?P<mutant>.*?)```", re.M | re.S)
CASES = [
    pytest.param(*match.groups(), id=match["rule"])
    for match in _CASE.finditer((Path(__file__).parent / "cases.md").read_text("utf-8"))
]


@pytest.mark.parametrize(("rule", "code", "mutant"), CASES)
def test_mutator(rule: str, code: str, mutant: str) -> None:
    file = File(Path("/nowhere"), "model.py", code)
    planted = [one.text for mutator in mutators()[rule] for one in mutator.plant(Source(code, "model.py"))]
    assert mutant in planted, "\n\n".join(planted) or "nothing is planted"
    assert not is_found(rule, file, code), "the correct file is not correct"
    assert is_found(rule, file, mutant), "what is planted is not found"


def test_every_mutator_may_be_tried() -> None:
    """The words by which files are left out are those of what it plants in."""
    for rule, code, _ in (case.values for case in CASES):
        assert any(mutator.may(str(code)) for mutator in mutators()[str(rule)]), rule
