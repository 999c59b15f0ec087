"""What must hold for every rule and every text: of the cases, and of the examples in the documentation.

What every single fix promises is in `test_fixes.py`.
"""

from __future__ import annotations

import ast
import functools
import logging
import random
import re
from pathlib import Path

import mdtest
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torchlore.analysis import analyze
from torchlore.analysis.interpret import interpret
from torchlore.rules import Finding, all_rules, check
from torchlore.text import Source


CASES = {case.name: case for case in mdtest.cases_below(Path(__file__).parent) if not case.files}
EXAMPLES = {
    f"{rule.name}: documentation {i}": code
    for rule in all_rules()
    for i, code in enumerate(re.findall(r"^```py\n(.*?)^```$", rule.documentation(), flags=re.M | re.S))
}
TEXTS = {**{name: case.code for name, case in CASES.items()}, **EXAMPLES}
"""Every case and every example, by name."""

FIRING = {
    name: code
    for name, code in TEXTS.items()
    if (name in CASES and CASES[name].expected) or name.endswith(": documentation 0")
}
"""Those in which something is found, as they say themselves: each process would analyse all to collect them."""

every_firing = pytest.mark.parametrize("name", FIRING)
every_text = pytest.mark.parametrize("name", TEXTS)

_COMMENT = "    # a comment of somebody's"


@functools.lru_cache(maxsize=8192)  # several tests ask about one text in turn
def findings_of(code: str) -> list[Finding]:
    return check(analyze(Source(code)))


fixed = functools.lru_cache(maxsize=8192)(mdtest.fix_all)


def without_places(findings: list[Finding]) -> list[tuple[str, str]]:
    """Codes and messages; line numbers, which move with the text, are left out."""
    return [(finding.code, re.sub(r"\bline \d+", "line …", finding.message)) for finding in findings]


@every_firing
def test_fixing_twice_changes_no_more_than_fixing_once(name: str) -> None:
    once = fixed(FIRING[name])
    assert fixed(once) == once


@every_firing
def test_line_ends_are_those_of_the_file(name: str) -> None:
    unix = fixed(FIRING[name])
    windows = fixed(FIRING[name].replace("\n", "\r\n"))
    assert windows == unix.replace("\n", "\r\n")


@every_firing
def test_tabs_and_wide_characters_move_nothing(name: str) -> None:
    code = FIRING[name]
    tabs = re.sub(r"^( {4})+", lambda match: "\t" * (len(match[0]) // 4), code, flags=re.M)
    assert without_places(findings_of(tabs)) == without_places(findings_of(code))
    assert not Source(fixed(tabs)).parsed.blanked
    wide = "# 𝒢radients, größer\n" + code
    assert fixed(wide) == "# 𝒢radients, größer\n" + fixed(code)


@every_text
def test_blank_lines_and_comments_change_no_finding(name: str) -> None:
    code = TEXTS[name]
    inside = _lines_inside_statements(code)
    lines = code.split("\n")
    spaced = [
        line if number in inside else f"\n{_COMMENT}\n\n{line}" for number, line in enumerate(lines, start=1)
    ]
    assert without_places(findings_of("\n".join(spaced))) == without_places(findings_of(code))


def _lines_inside_statements(code: str) -> set[int]:
    """Lines (1-based) that go on with a bracket or string, or stand for a line that does not parse."""
    parsed = Source(code).parsed
    inside = {line + 1 for line in parsed.blanked} | {line + 2 for line in parsed.blanked}
    for node in ast.walk(parsed.tree):
        simple = isinstance(node, ast.stmt) and not hasattr(node, "body")
        if isinstance(node, ast.expr | ast.stmt) and (simple or isinstance(node, ast.expr)):
            inside.update(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    return inside


_MOST = 3
"""Broken versions of one text that are looked at: there are many texts."""


@every_firing
def test_no_prefix_makes_a_rule_fail(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A prefix is another program, so that it may have other findings; but nothing may raise."""
    lines = FIRING[name].splitlines(keepends=True)
    ends = random.Random(name).sample(range(len(lines)), min(_MOST, len(lines)))
    with caplog.at_level(logging.WARNING, logger="torchlore"):
        for end in ends:
            findings_of("".join(lines[:end]))
    assert not caplog.records, caplog.text


@every_text
def test_a_line_that_is_deleted_or_half_typed_brings_no_finding(name: str) -> None:
    """A text that still parses is another program; one that does not is this program while someone types."""
    lines = TEXTS[name].split("\n")
    known = {(code, message) for code, message in without_places(findings_of(TEXTS[name]))}
    rng = random.Random(name)
    tried = 0
    for index in rng.sample(range(len(lines)), len(lines)):
        half = lines[index][: rng.randrange(len(lines[index]) + 1)]
        for changed in ([half], []):
            text = "\n".join([*lines[:index], *changed, *lines[index + 1 :]])
            if tried < _MOST and Source(text).parsed.blanked:
                tried += 1
                new = set(without_places(findings_of(text))) - known
                assert not new, f"line {index + 1} as {changed}:\n{text}"


WORKSPACES = {
    case.name: case
    for case in mdtest.cases_below(Path(__file__).parent)
    if case.files and len(case.files) > 1
}


@pytest.mark.parametrize("name", WORKSPACES)
def test_a_half_typed_line_of_another_file_brings_no_finding(name: str, tmp_path: Path) -> None:
    """A finding must not come from what somebody is about to write in a file that this one imports."""
    case = WORKSPACES[name]
    mdtest.write(case, tmp_path)
    known = set(without_places(check(mdtest.analysed(case.code, case, tmp_path))))
    rng = random.Random(name)
    for path, text in ((path, text) for path, text in case.files.items() if path != case.path):
        lines = text.split("\n")
        for index in rng.sample(range(len(lines)), min(_MOST_ELSEWHERE, len(lines))):
            half = lines[index][: rng.randrange(len(lines[index]) + 1)]
            changed = "\n".join([*lines[:index], half, *lines[index + 1 :]])
            if Source(changed).parsed.blanked:
                (tmp_path / path).write_text(changed, encoding="utf-8")
                new = set(without_places(check(mdtest.analysed(case.code, case, tmp_path)))) - known
                assert not new, f"{path}, line {index + 1}:\n{changed}"
        (tmp_path / path).write_text(text, encoding="utf-8")


_MOST_ELSEWHERE = 12
"""Broken versions of each other file that are looked at."""


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_cut_makes_a_rule_fail(data: st.DataObject) -> None:
    """A text from which a stretch was cut, as while someone types."""
    code = data.draw(st.sampled_from(list(TEXTS.values())))
    start = data.draw(st.integers(0, len(code)))
    end = data.draw(st.integers(start, min(len(code), start + 30)))
    analysis = analyze(Source(code[:start] + code[end:]))
    interpret(analysis.source)  # `Analysis` itself would log what this raises, and go on
    for rule in all_rules():
        list(rule().check(analysis))
