"""What expressions are: every marker in the Markdown files names what stands above it."""

import pytest
from describing import Case, cases, described

CASES = [case for file in ("names.md", "values.md", "tensors.md") for case in cases(file)]


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_value(case: Case) -> None:
    found = described(case.code)
    assert found, "the case has no marker"
    assert [got for got, _ in found] == [want for _, want in found]
