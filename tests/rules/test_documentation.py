"""Every rule explains itself, and its own examples show that the explanation is true."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from mdtest import counted, is_worse
from torchlore.analysis import analyze
from torchlore.rules import Family, Finding, Rule, all_rules, check
from torchlore.rules.model import HEADINGS
from torchlore.text import Source

ROOT = Path(__file__).parents[2]
CARDS = {path.stem for path in (ROOT / "knowledge" / "cards").glob("*/*.md")}
every_rule = pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.name)


def sections(rule: type[Rule]) -> dict[str, str]:
    """The text under each heading of a rule's documentation."""
    parts = re.split(r"^## (.+)$", rule.documentation(), flags=re.M)[1:]
    return {heading: text.strip() for heading, text in zip(parts[::2], parts[1::2], strict=True)}


def example(rule: type[Rule], heading: str) -> str:
    blocks = re.findall(r"^```py\n(.*?)^```$", sections(rule)[heading], flags=re.M | re.S)
    assert len(blocks) == 1, f"{rule.name}: one block is expected under {heading}"
    return str(blocks[0])


def findings_in(rule: type[Rule], code: str) -> list[Finding]:
    return counted(check(analyze(Source(code))), rule.name)


def test_rules_are_found() -> None:
    assert all_rules()


def test_codes_and_names_are_unique() -> None:
    for key in ("code", "name"):
        values = [getattr(rule, key) for rule in all_rules()]
        assert len(values) == len(set(values))


@every_rule
def test_code_belongs_to_the_family(rule: type[Rule]) -> None:
    digit = list(Family).index(rule.family)
    assert re.fullmatch(rf"TL{digit}\d\d", rule.code)
    assert rule.__module__.split(".")[-2] == rule.family.value


@every_rule
def test_name_is_that_of_the_file_and_the_class(rule: type[Rule]) -> None:
    assert Path(inspect.getfile(rule)).stem == rule.name.replace("-", "_")
    assert rule.__name__ == "".join(part.capitalize() for part in rule.name.split("-"))


@every_rule
def test_headings_are_complete_and_in_order(rule: type[Rule]) -> None:
    assert tuple(sections(rule)) == HEADINGS
    assert all(sections(rule).values())


@every_rule
def test_example_fires_and_its_repair_does_not(rule: type[Rule]) -> None:
    assert {finding.code for finding in findings_in(rule, example(rule, "Example"))} == {rule.code}
    assert findings_in(rule, example(rule, "Use instead")) == []


@every_rule
@pytest.mark.parametrize("heading", ["Example", "Use instead"])
def test_examples_are_formatted(rule: type[Rule], heading: str) -> None:
    code = example(rule, heading)
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=110", "-"]
    assert subprocess.run(command, input=code, capture_output=True, text=True, check=True).stdout == code


@every_rule
def test_card_exists(rule: type[Rule]) -> None:
    assert rule.card in CARDS or rule.family is Family.COMMENTS


@every_rule
def test_references_are_links_and_the_first_is_the_rules_url(rule: type[Rule]) -> None:
    lines = sections(rule)["References"].splitlines()
    links = [re.fullmatch(r"- \[.+\]\((https://\S+)\)", line) for line in lines]
    assert all(links), lines
    assert rule.url() == next(link[1] for link in links if link)


@every_rule
def test_findings_say_what_and_where(rule: type[Rule]) -> None:
    for finding in findings_in(rule, example(rule, "Example")):
        assert finding.name == rule.name
        assert not is_worse(finding)
        assert finding.message[:1] in "`" or finding.message[0].isupper()
        assert not finding.message.endswith(".")
        assert finding.span.start < finding.span.end
        has_none = sections(rule)["Fix safety"].startswith("There is no fix")
        assert bool(finding.fixes) is not has_none, "what is offered for the example is what is said of the fix"


def test_rules_come_in_the_order_of_their_codes() -> None:
    assert all(a.code < b.code for a, b in pairwise(all_rules()))
