"""What expressions are and what happens in which order, as the cases say it."""

import ast
from pathlib import Path

import pytest
from describing import Case, all_cases, analysed, found, happened, has_workspaces, markers, node_at
from torchlore.text import Source

CASES = all_cases()


def _param(case: Case) -> object:
    waits = case.is_workspace and not has_workspaces()
    raises = Exception if waits else AssertionError
    todo = pytest.mark.xfail(strict=True, raises=raises, reason="the analysis does not master it yet")
    return pytest.param(case, id=case.title, marks=[todo] if case.todo or waits else [])


@pytest.mark.parametrize("case", [_param(case) for case in CASES])
def test_case(case: Case, tmp_path: Path) -> None:
    analysis = analysed(case, tmp_path)
    said = found(analysis, case.code)
    assert [got for got, _ in said] == [want for _, want in said]
    for of, want in case.events.items():
        assert happened(analysis, of) == want


@pytest.mark.parametrize("case", [pytest.param(case, id=case.title) for case in CASES])
def test_case_is_well_formed(case: Case) -> None:
    source = Source(case.code)
    nodes = list(ast.walk(source.tree))
    for marker in markers(case.code):
        node_at(source, nodes, marker)  # says which caret points at nothing
    assert list(markers(case.code)) or case.events, "the case asks nothing"


def test_titles_are_unique() -> None:
    titles = [case.title for case in CASES]
    assert [title for title in titles if titles.count(title) > 1] == []
