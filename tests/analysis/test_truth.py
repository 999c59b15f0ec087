"""What the analysis says of an expression of a case is so when the case runs on real torch.

Every name, attribute and call is looked at, not only the marked ones. `cases/untrue.txt` lists the cases of
which the analysis says something that does not hold; a line goes when its case is mended.
"""

import ast
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the cases run on torch")

from describing import HERE, Case, all_cases, analysed, described, has_workspaces, markers, node_at  # noqa: E402
from fitting import fits  # noqa: E402
from running import run  # noqa: E402
from torchlore.analysis import Analysis  # noqa: E402


@pytest.fixture(autouse=True)
def nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compiled runs as it is written, but at once; other tests' programs are none of our business."""
    monkeypatch.setenv("TORCHDYNAMO_DISABLE", "1")


UNTRUE = frozenset((HERE / "untrue.txt").read_text(encoding="utf-8").splitlines())


def _runs(case: Case) -> bool:
    try:
        ast.parse(case.code)
    except SyntaxError:
        return False
    return has_workspaces() or not case.is_workspace


def _param(case: Case) -> object:
    untrue = pytest.mark.xfail(strict=True, raises=AssertionError, reason="the analysis says what is not so")
    return pytest.param(case, id=case.title, marks=[untrue] if case.title in UNTRUE else [])


CASES = [case for case in all_cases() if _runs(case)]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """Matrices this small take far longer when threads wait for each other on a busy machine."""
    torch.set_num_threads(1)


@pytest.mark.parametrize("case", [_param(case) for case in CASES])
def test_what_is_said_is_so(case: Case, tmp_path: Path) -> None:
    assert lies(analysed(case, tmp_path), case, tmp_path) == []


@pytest.mark.parametrize("case", [pytest.param(case, id=case.title) for case in CASES if case.todo])
def test_what_a_todo_asks_for_is_so(case: Case, tmp_path: Path) -> None:
    analysis = analysed(case, tmp_path)
    nodes = list(ast.walk(analysis.source.tree))
    wanted = {node_at(analysis.source, nodes, marker): marker.want for marker in markers(case.code)}
    found: list[str] = []

    def look(node: ast.AST, value: object) -> None:
        if node in wanted and not fits(wanted[node], value):
            found.append(f"{ast.unparse(node)} is {type(value)}, not {wanted[node]}")

    run(case, analysis.source.tree, tmp_path, look)
    assert found == []


def lies(analysis: Analysis, case: Case, root: Path) -> list[str]:
    """What the analysis says of expressions of the case that was not so when it ran."""
    words = {node: described(analysis, node) for node in ast.walk(analysis.source.tree)}
    found: dict[str, None] = {}

    def look(node: ast.AST, value: object) -> None:
        if not fits(words[node], value):
            found[f"line {node.lineno}: {ast.unparse(node)} is {type(value)}, not {words[node]}"] = None

    run(case, analysis.source.tree, root, look)
    return list(found)


def test_the_list_of_untrue_cases_names_cases() -> None:
    assert {case.title for case in CASES} >= UNTRUE
