"""Every fix in the cases, in the examples of the documentation and in examples/ keeps its promises."""

from __future__ import annotations

import re
from pathlib import Path

import mdtest
import pytest
from torchlore.rules import all_rules
from torchlore.text import Source

from tests.fixes.promises import Broken, broken_alone, broken_together, findings_of

HERE = Path(__file__).parent
CASES = {
    f"{case.place} {case.name}": case.code
    for case in mdtest.cases_below(HERE)
    if case.expected and not case.files
}
DOCUMENTED = {
    rule.name: re.findall(r"^```py\n(.*?)^```$", rule.documentation(), flags=re.M | re.S)[0] for rule in all_rules()
}
EXAMPLES = {path.name: path.read_text(encoding="utf-8") for path in (HERE.parents[1] / "examples").glob("*.py")}
TEXTS = {**CASES, **DOCUMENTED, **EXAMPLES}


@pytest.mark.parametrize("name", TEXTS)
def test_every_fix_keeps_its_promises(name: str) -> None:
    source = Source(TEXTS[name])
    found = findings_of(source)
    assert [*broken_alone(source, found), *broken_together(source, found)] == []
