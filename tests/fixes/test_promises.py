"""Fixes that break a promise are told apart. What real fixes do is looked at in tests/rules/test_fixes.py."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from torchlore.rules.model import Finding, Fix, Related, Severity
from torchlore.text import Edit, Source, Span

from tests.fixes.promises import broken_alone, broken_together, findings_of

CODE = """\
import torch
import torch.nn.functional as F


def train(model, x):  # of one batch
    loss = F.l1_loss(
        model(x),
        x,
        size_average=False,  # the sum
    )
    loss.backward()


def test(model, x):
    # Not differentiated
    return model(x)
"""
"""`size_average` is what is wrong here: TL411."""

SPACE = "leaves white space at the end of a line: 'loss.backward()'"
CHANGED = "changes line 16, in a definition that it does not speak of"


def _edits(old: str, new: str) -> tuple[Edit, ...]:
    return tuple(Edit(Span(*match.span()), new) for match in re.finditer(re.escape(old), CODE))


RIGHT = _edits("size_average=False", 'reduction="sum"')
ELSEWHERE = _edits("return model(x)", "return x")


@pytest.mark.parametrize(
    ("edits", "promise"),
    [
        ((), "changes nothing"),
        (_edits("loss", "loss"), "changes nothing"),
        ((Edit(Span(len(CODE), len(CODE) + 1), "x = 1"),), "has an edit outside the text"),
        ((*_edits("import torch\n", ""), *_edits("torch\n", "jax\n")), "has edits that overlap"),
        (_edits("loss.backward()", "loss.backward("), "breaks the syntax"),
        (_edits("  # of one batch", ""), "loses a comment: # of one batch"),
        (_edits("    # Not differentiated\n", ""), "loses a comment: # Not differentiated"),
        (_edits("loss.backward()", "loss.backward() "), SPACE),
        ((*RIGHT, *ELSEWHERE), CHANGED),
        ((*RIGHT, *_edits("loss.backward()", "F.softmax(loss)")), "brings a new finding: TL311"),
        (_edits("loss.backward()", "loss.sum().backward()"), "leaves the finding as it was"),
    ],
)  # fmt: skip
def test_a_broken_promise_is_told(edits: tuple[Edit, ...], promise: str) -> None:
    assert promise in _broken(_finding(), edits)


@pytest.mark.parametrize(
    "edits",
    [
        RIGHT,
        _edits("        size_average=False,  # the sum\n", ""),  # its comment goes with an argument
        (*RIGHT, Edit(Span(CODE.index("return"), CODE.index("return")), "    ")),  # only indented
        (*RIGHT, *_edits("import torch\n", "import math\nimport torch\n")),  # an import is added
        (*RIGHT, *ELSEWHERE, *_edits("import torch.nn.functional", "import torch.nn.functional as f, torch")),
    ],
)
def test_what_a_fix_may_do_is_not_told(edits: tuple[Edit, ...]) -> None:
    assert _broken(_finding(), edits) == []


def test_a_fix_may_change_what_it_speaks_of() -> None:
    finding = _finding()
    related = Related(Span(CODE.index("return"), len(CODE)), "here, too")
    assert _broken(finding, (*RIGHT, *ELSEWHERE)) == [CHANGED]
    assert _broken(replace(finding, related=(related,)), (*RIGHT, *ELSEWHERE)) == []
    assert _broken(replace(finding, message="as line 16 does"), (*RIGHT, *ELSEWHERE)) == []


def test_a_mistake_may_become_a_milder_one() -> None:
    without_dim = (*RIGHT, *_edits("loss.backward()", "F.softmax(loss)"))  # a warning
    assert _broken(replace(_finding(), severity=Severity.ERROR), without_dim) == []
    assert _broken(replace(_finding(), severity=Severity.HINT), without_dim) == [
        "brings a new finding: TL311"
    ]


def test_all_fixes_together_keep_their_promises() -> None:
    source = Source(CODE)
    assert [*broken_together(source, findings_of(source))] == []


def _finding() -> Finding:
    (finding,) = findings_of(Source(CODE))
    return finding


def _broken(finding: Finding, edits: tuple[Edit, ...]) -> list[str]:
    mended = replace(finding, fixes=(Fix("Mend it", edits, safe=True),))
    return [broken.promise for broken in broken_alone(Source(CODE), [mended])]
