"""The page about a run, and what is kept from one piece of a run to the next."""

from __future__ import annotations

from pathlib import Path

from torchlore.rules import all_rules

from tests.recall.mutants import mutators
from tests.recall.report import markdown, said
from tests.recall.results import Result, add_results, line, read_results

_SOME = [Result("examples", "a.py", 3, True), Result("examples", "b.py", 5, False)]


def test_each_rule_has_a_mutator_or_a_reason() -> None:
    names = {rule.name for rule in all_rules()}
    assert not mutators().keys() & said().without.keys()
    assert mutators().keys() | said().without.keys() == names
    assert said().missed.keys() <= mutators().keys()


def test_results_are_kept(tmp_path: Path) -> None:
    kept = tmp_path / "run.jsonl"
    assert read_results(kept) == {}
    add_results(kept, "missing-zero-grad", _SOME)
    add_results(kept, "unscaled-loss", [])
    assert read_results(kept) == {"missing-zero-grad": _SOME, "unscaled-loss": []}


def test_the_page_counts_and_gives_a_reason_only_below_the_limit() -> None:
    page = markdown([], {"unscaled-loss": _SOME, "method-not-called": _SOME[:1]}, 12)
    assert "**2 of 3 are found, 66.7 %**, in\n2 files of 1 repositories" in page
    reason = said().missed["unscaled-loss"]
    assert f"| TL613 unscaled-loss | 2 | 1 | 50 % | 2 | {reason} |" in page
    assert "| TL105 method-not-called | 1 | 1 | 100 % | 1 |  |" in page
    assert "| pytorch/examples | 77f55b9 | 0 | 3 | 2 |" in page


def test_a_line_says_how_many_files_and_trees() -> None:
    assert line("x", _SOME).endswith("1 of    2 found,  50 %, in 2 files of 1 trees")
    assert line("x", []).endswith("0 of    0 found,     -, in 0 files of 0 trees")
