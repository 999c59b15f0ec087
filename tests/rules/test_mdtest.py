"""The harness itself: a wrong case must fail, and say why."""

from __future__ import annotations

from pathlib import Path

import mdtest
import pytest
from torchlore.rules import Finding, Severity, rule_by_code_or_name
from torchlore.text import Span

BAD_LOOP = """\
import torch

model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for x in torch.randn(10, 8, 4):
    model(x).mean().backward()
    optimizer.step()"""

FIXED_LOOP = BAD_LOOP.replace("    model(x)", "    optimizer.zero_grad()\n    model(x)")


def problems(folder: Path, text: str) -> str:
    path = folder / "rule.md"
    path.write_text(text, encoding="utf-8")
    (case,) = mdtest.cases_of(path)
    return mdtest.problems_of(case)


def block(code: str, info: str = "py") -> str:
    return f"```{info}\n{code}\n```\n"


def test_right_case_has_no_problems(tmp_path: Path) -> None:
    text = block(BAD_LOOP + '  # error: [TL101] "`optimizer` is stepped"') + block(FIXED_LOOP, "py fixed")
    assert problems(tmp_path, text) == ""


def test_unmarked_finding_fails_and_is_shown_where_it_is(tmp_path: Path) -> None:
    seen = problems(tmp_path, "# Rule\n\n" + block(BAD_LOOP))
    assert seen.startswith("rule.md:3")
    assert "+ not expected line 7: [TL101]" in seen
    assert "+   7     optimizer.step()" in seen


@pytest.mark.parametrize("mark", ['[TL102] "`optimizer`"', '[TL101] "something else"'])
def test_mark_that_nothing_matches_fails(tmp_path: Path, mark: str) -> None:
    seen = problems(tmp_path, block(f"{BAD_LOOP}  # error: {mark}"))
    assert f"- missing     line 7: {mark}" in seen


def test_mark_without_a_finding_fails(tmp_path: Path) -> None:
    seen = problems(tmp_path, block('import torch  # error: [TL101] "anything"'))
    assert "- missing     line 1: [TL101]" in seen


def test_one_mark_takes_one_finding(tmp_path: Path) -> None:
    other = "other = torch.optim.SGD(model.parameters(), lr=0.1)\nfor x in"
    twice = BAD_LOOP.replace("for x in", other) + '; other.step()  # error: [TL101] "is stepped"'
    assert "+ not expected line 8" in problems(tmp_path, block(twice))


def test_other_result_of_the_fixes_fails_with_a_diff(tmp_path: Path) -> None:
    text = block(BAD_LOOP + '  # error: [TL101] "is stepped"') + block(BAD_LOOP, "py fixed")
    assert "+    optimizer.zero_grad()" in problems(tmp_path, text)


def test_mark_that_is_misspelt_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not understood"):
        problems(tmp_path, block("import torch  # error: TL101"))


def test_block_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not expected"):
        problems(tmp_path, block("import torch", "python"))


NET = "# file: models/net.py\n" + BAD_LOOP.partition("for x")[0]
TRAIN = (
    "# file: train.py\nimport torch\nfrom models.net import model, optimizer\n\n"
    + BAD_LOOP[BAD_LOOP.index("for x") :]
)


def cases_of(folder: Path, text: str) -> list[mdtest.Case]:
    path = folder / "rule.md"
    path.write_text("# Rule\n\n## Two files\n\n" + text, encoding="utf-8")
    return mdtest.cases_of(path)


def test_every_file_of_a_workspace_is_a_case_that_sees_the_others(tmp_path: Path) -> None:
    marked = f'{TRAIN}  # error: [TL101] "`optimizer` is stepped"'
    net, train = cases_of(tmp_path, block(NET) + block(marked))
    assert (net.name, train.name) == ("rule: Two files: models/net.py", "rule: Two files: train.py")
    assert [mdtest.problems_of(net), mdtest.problems_of(train)] == ["", ""]
    (alone,) = cases_of(tmp_path, block(marked))
    assert "- missing     line 7" in mdtest.problems_of(alone)


def test_fixed_block_shows_the_file_that_it_begins_with(tmp_path: Path) -> None:
    fixed = TRAIN.replace("    model(x)", "    optimizer.zero_grad()\n    model(x)")
    marked = f'{TRAIN}  # error: [TL101] "`optimizer` is stepped"'
    cases = cases_of(tmp_path, block(marked) + block(NET) + block(fixed, "py fixed"))
    assert [mdtest.problems_of(case) for case in cases] == ["", ""]
    cases = cases_of(tmp_path, block(marked) + block(NET) + block(TRAIN, "py fixed"))
    assert "+    optimizer.zero_grad()" in mdtest.problems_of(cases[0])


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"models/net\.py is there twice"):
        cases_of(tmp_path, block(NET) * 2)


def test_fixed_block_of_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not expected"):
        cases_of(tmp_path, block(NET) + block(TRAIN, "py fixed"))


def test_headings_name_the_case(tmp_path: Path) -> None:
    path = tmp_path / "rule.md"
    path.write_text(
        "# Rule\n\n## A\n\n### B\n\n" + block("x = 1") * 2 + "\n## C\n\n" + block("x = 1"), "utf-8"
    )
    assert [case.name for case in mdtest.cases_of(path)] == ["rule: A / B", "rule: A / B 2", "rule: C"]


@pytest.mark.parametrize(("name", "count"), [("rule", 1), ("other", 0)])
def test_hints_count_in_the_file_of_their_rule_only(name: str, count: int) -> None:
    hint = Finding("TL999", "rule", Severity.HINT, "better so", Span(0, 1))
    error = Finding("TL998", "serious", Severity.ERROR, "wrong", Span(0, 1))
    assert mdtest.counted([hint, error], name) == [hint, error][1 - count :]
    assert mdtest.counted([hint, error], name, {"TL999"}) == [hint, error]


def test_a_finding_that_is_worse_than_its_rule_says_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = 'import torch.nn.functional as F\nF.l1_loss(1, 2, size_average=True, reduction="sum")'
    text = block(code + '  # error: [TL411] "ignores"')
    assert problems(tmp_path, text) == ""
    rule = rule_by_code_or_name("TL411")
    assert rule is not None
    monkeypatch.setattr(rule, "severity", Severity.WARNING)
    assert "TL411 gives an error, worse than its class says" in problems(tmp_path, text)
