"""Every block of every Markdown file below this folder is a test: see `mdtest`."""

from pathlib import Path

import mdtest
import pytest

CASES = mdtest.cases_below(Path(__file__).parent)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case(case: mdtest.Case) -> None:
    if problems := mdtest.problems_of(case):
        pytest.fail(problems, pytrace=False)
