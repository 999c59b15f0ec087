"""How repairs take arguments out of a call and put others in, and where they add imports."""

from __future__ import annotations

import ast

import pytest
from torchlore.analysis import Analysis, analyze
from torchlore.rules import arguments, imports
from torchlore.text import Source, apply_edits


def call_of(text: str) -> tuple[Analysis, ast.Call]:
    analysis = analyze(Source(text))
    return analysis, next(node for node in ast.walk(analysis.source.tree) if isinstance(node, ast.Call))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(a, x=1, b=2)", "f(a, b=2)"),
        ("f(x=1, b=2)", "f(b=2)"),
        ("f(a, x=1)", "f(a)"),
        ("f(x=1)", "f()"),
        ("f(a, x=(1, 2),)", "f(a,)"),
        ("f((a), x=1)", "f((a))"),
        ("f(a,\n  x=1, b=2)", "f(a,\n  b=2)"),
        ("f(a,\n  x=1)", "f(a)"),
        ("f(a, x=(1), b=(2))", "f(a, b=(2))"),
        ("f(\n    x=1,\n)", "f()"),
        ("f(\n    x=1\n)", "f()"),
        ("f(\n    a,\n    x=1\n)", "f(\n    a,\n)"),
        ("f(\n    a, x=1\n)", "f(\n    a\n)"),
        (
            "f(\n    # first\n    a,  # one\n    # then\n    x=1,  # two\n)",
            "f(\n    # first\n    a,  # one\n    # then\n)",
        ),
        ("f(\n    a,\n    x=1,  # one\n    b=2,  # two\n)", "f(\n    a,\n    b=2,  # two\n)"),
        (
            "f(\n    a,  # first, with a comma,\n    x=g(\n        1,\n    )\n)",
            "f(\n    a,  # first, with a comma,\n)",
        ),
        ('f("é,", x="ü", b=2)', 'f("é,", b=2)'),
    ],
)
def test_an_argument_is_taken_out(before: str, after: str) -> None:
    analysis, call = call_of(before)
    edit = arguments.removed(analysis, call, "x")
    assert edit is not None
    assert apply_edits(before, [edit]) == after
    ast.parse(after)


@pytest.mark.parametrize(
    "text",
    ["f(a,  # one\n  x=1)", "f(x=1,\n  # two\n  b=2)", "f(\n    # one\n    x=1,\n)", "f(x=1\n  # one\n)"],
)
def test_no_comment_goes_with_an_argument_that_is_not_its_own(text: str) -> None:
    assert arguments.removed(*call_of(text), "x") is None


@pytest.mark.parametrize("text", ["f(a)", "f(a, 1)", "f(**x)", "f(x)"])
def test_what_is_not_given_by_name_cannot_be_taken_out(text: str) -> None:
    assert arguments.removed(*call_of(text), "x") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(a, x=1)", "f(a, n=2, x=1)"),
        ("f(\n    a,\n    x=1,  # one\n)", "f(\n    a,\n    n=2,\n    x=1,  # one\n)"),
        ("f(\n    x=1, **rest)", "f(\n    n=2,\n    x=1, **rest)"),
    ],
)
def test_an_argument_is_put_before_another(before: str, after: str) -> None:
    analysis, call = call_of(before)
    assert apply_edits(before, [arguments.put_before(analysis, call.keywords[0], "n=2")]) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", "f(1)"),
        ("f((a), b)", "f(1, (a), b)"),
        ("f(\n    a, b\n)", "f(\n    1,\n    a, b\n)"),
        ("f(\n    a,  # one\n)", "f(\n    1,\n    a,  # one\n)"),
        ("f(*a)", None),
        ("f(  # one\n    a\n)", None),
    ],
)
def test_an_argument_is_put_before_all(before: str, after: str | None) -> None:
    edit = arguments.put_first(*call_of(before), "1")
    assert (edit and apply_edits(before, [edit])) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(a, x=1, y=2)", "f(a, z=3)"),
        ("f(y=2, a=0, x=1)", "f(z=3, a=0)"),
        ("f(\n    a,\n    x=1,\n    y=2,\n)", "f(\n    a,\n    z=3,\n)"),
        ("f(\n    x=1,  # one\n    y=2,\n)", None),
    ],
)
def test_one_argument_takes_the_place_of_several(before: str, after: str | None) -> None:
    analysis, call = call_of(before)
    old = [given for given in call.keywords if given.arg in ("x", "y")]
    edits = arguments.replaced(analysis, call, old, "z=3")
    assert (edits and apply_edits(before, edits)) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()", "f(x=1)"),
        ("f(\n)", "f(x=1)"),
        ("f(a, b)", "f(a, b, x=1)"),
        ("f(a,)", "f(a, x=1,)"),
        ("f((a))", "f((a), x=1)"),
        ("f(a,\n  b)", "f(a,\n  b, x=1)"),
        ("f((a for a in b))", "f((a for a in b), x=1)"),
        ("f(\n    a, b\n)", "f(\n    a, b, x=1\n)"),
        ("f(\n    a,\n    b,\n)", "f(\n    a,\n    b,\n    x=1,\n)"),
        ("f(\n    a,\n    b\n)", "f(\n    a,\n    b,\n    x=1\n)"),
        ("f(\n    a,  # one\n    b,  # two\n)", "f(\n    a,  # one\n    b,  # two\n    x=1,\n)"),
        ("f(\n    a,  # one\n    b  # two\n)", "f(\n    a,  # one\n    b,  # two\n    x=1\n)"),
        ("f(\n    a, b  # two\n)", "f(\n    a, b,  # two\n    x=1\n)"),
        ("f(\n    a,\n    # end, all\n)", "f(\n    a,\n    x=1,\n    # end, all\n)"),
        ("f(\n    a,\n    g(\n        1,\n    ),\n)", "f(\n    a,\n    g(\n        1,\n    ),\n    x=1,\n)"),
    ],
)
def test_an_argument_is_added_where_a_formatter_leaves_it(before: str, after: str) -> None:
    edit = arguments.added(*call_of(before), "x=1")
    assert edit is not None
    assert apply_edits(before, [edit]) == after
    ast.parse(after)


@pytest.mark.parametrize(
    "text",
    [
        "f(**a)",
        "f(a for a in b)",
        "f(  # none\n)",
        "f(a  # one\n)",
        "f(\n    a  # one\n    ,\n)",
        "f(\n    a\n    ,\n)",
    ],
)
def test_no_argument_is_added_where_its_place_is_not_sure(text: str) -> None:
    assert arguments.added(*call_of(text), "x=1") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import torch\n\nx = 1\n", "import itertools\n\nimport torch\n\nx = 1\n"),
        ("import os\n\nimport torch\n", "import itertools\nimport os\n\nimport torch\n"),
        ("import ast\nfrom abc import ABC\n", "import ast\nimport itertools\nfrom abc import ABC\n"),
        ("from __future__ import annotations", "from __future__ import annotations\n\nimport itertools"),
        (
            '"""Told."""\nimport ast\nimport copy as \\\n    b\nfrom .a import b\n',
            '"""Told."""\nimport ast\nimport copy as \\\n    b\nimport itertools\nfrom .a import b\n',
        ),
        ("import torch, itertools\n", "import torch, itertools\n"),
    ],
)
def test_an_import_is_added_where_it_is_missing(before: str, after: str) -> None:
    edits = imports.missing(analyze(Source(before)), "import itertools")
    assert edits is not None
    assert apply_edits(before, edits) == after


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("from torch.utils.data import DataLoader, get_worker_info\n", 0),
        ("from torch.utils.data import get_worker_info as info\n", 1),
        ("from .data import get_worker_info\n", 1),
    ],
)
def test_a_name_that_is_imported_is_not_imported_again(text: str, count: int) -> None:
    edits = imports.missing(analyze(Source(text)), "from torch.utils.data import get_worker_info")
    assert edits is not None and len(edits) == count


@pytest.mark.parametrize("text", ["x = 1\n", "import torch; x = 1\n"])
def test_where_no_import_stands_by_itself_none_is_added(text: str) -> None:
    assert imports.missing(analyze(Source(text)), "import itertools") is None
