"""Which comment switches which finding off, and what "ignore on this line" writes."""

from __future__ import annotations

import ast

import pytest
from torchlore.rules.model import Finding, Severity
from torchlore.rules.suppression import ignore_edit, suppressed
from torchlore.text import Source, Span, apply_edits


def finding(source: Source, at: str, code: str = "TL101", name: str = "missing-zero-grad") -> Finding:
    """A finding on the first place of `at` in the source."""
    start = source.text.index(at)
    return Finding(code, name, Severity.ERROR, "message", Span(start, start + len(at)))


def is_off(text: str, at: str = "loss.backward()") -> bool:
    source = Source(text)
    return suppressed(source, [finding(source, at)]) == []


@pytest.mark.parametrize(
    "comment",
    [
        "# torchlore: ignore[TL101]",
        "# torchlore: ignore",
        "# torchlore:ignore[ TL201 , TL101 ]",
        "# torchlore: ignore[missing-zero-grad]",
        "# TORCHLORE: IGNORE[tl101]",
        "# because it is meant so  # torchlore: ignore[TL101]",
        "# noqa",
        "# noqa: TL101",
        "# NOQA:TL101",
        "# noqa: E501, TL101",
        "# noqa: E501 TL101 on purpose",
        "# type: ignore # noqa: TL101",
        "# noqa: E501  # torchlore: ignore[TL101]",
    ],
)
def test_comment_switches_off(comment: str) -> None:
    assert is_off(f"import torch\nloss.backward()  {comment}\n")


@pytest.mark.parametrize(
    "comment",
    [
        "# torchlore: ignore[TL102]",
        "# torchlore: ignore[]",
        "# torchlore: ignored",
        "# torchlore: ignore-file",
        "# noqa: E501",
        "# noqa: TL1011",
        "# noqa-file",
        "# noqas",
        "# TL101",
        "",
    ],
)
def test_comment_leaves_on(comment: str) -> None:
    assert not is_off(f"import torch\nloss.backward()  {comment}\n")


def test_text_of_a_string_is_no_comment() -> None:
    assert not is_off('import torch\nloss.backward("# noqa")\n', 'loss.backward("# noqa")')


@pytest.mark.parametrize("line", [0, 1, 2, 3, 4])
def test_lines_of_a_statement(line: int) -> None:
    """The finding is on line 2: its own line, the statement's first and last count; the others do not."""
    lines = ["loss = criterion(", "    outputs,", "    softmax(logits),", "    weight,", ")"]
    lines[line] += "  # noqa: TL101"
    assert is_off("\n".join(lines) + "\n", "softmax(logits)") is (line in (0, 2, 4))


def test_header_of_a_loop_but_not_its_body() -> None:
    loop = "for a, b in zip(  {}\n    x,\n    y,\n):  {}\n    # noqa\n    step(a, b)  {}\n"
    assert is_off(loop.format("# noqa", "", ""), "y,")
    assert is_off(loop.format("", "# noqa", ""), "y,")
    assert not is_off(loop.format("", "", "# noqa"), "y,")


def test_comment_on_a_nested_statement_does_not_reach_its_neighbours() -> None:
    text = "def f():\n    for x in y:\n        a(x)  # noqa\n        loss.backward()\n    return 1  # noqa\n"
    assert not is_off(text)


def test_except_line_is_not_covered_by_its_try() -> None:
    assert not is_off("try:  # noqa\n    a()\nexcept loss.backward():\n    b()\n")


def test_decorator_line_counts_as_the_first() -> None:
    assert is_off("@torch.no_grad()  # noqa: TL101\ndef f(loss):\n    return loss\n", "def f(loss):")


def test_other_findings_stay() -> None:
    source = Source("loss.backward(); loss.step()  # noqa: TL102\n")
    kept = finding(source, "loss.backward()")
    gone = finding(source, "loss.step()", "TL102", "other")
    assert suppressed(source, [kept, gone]) == [kept]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("loss.backward()\n", "loss.backward()  # torchlore: ignore[TL101]\n"),
        ("loss.backward()   \n", "loss.backward()  # torchlore: ignore[TL101]\n"),
        ("loss.backward()\r\nx = 1\r\n", "loss.backward()  # torchlore: ignore[TL101]\r\nx = 1\r\n"),
        ("loss.backward()  # why\n", "loss.backward()  # why  # torchlore: ignore[TL101]\n"),
        (
            "loss.backward()  # torchlore: ignore[TL102]\n",
            "loss.backward()  # torchlore: ignore[TL102, TL101]\n",
        ),
        ("loss.backward()  # torchlore: ignore[]\n", "loss.backward()  # torchlore: ignore[TL101]\n"),
        ("loss.backward()  # noqa: E501\n", "loss.backward()  # noqa: E501  # torchlore: ignore[TL101]\n"),
        ("loss.backward()", "loss.backward()  # torchlore: ignore[TL101]"),
        ("loss.backward() + \\\n    1\n", "loss.backward() + \\\n    1  # torchlore: ignore[TL101]\n"),
        (
            'print(loss.backward(), """a\nb""")\n',
            'print(loss.backward(), """a\nb""")  # torchlore: ignore[TL101]\n',
        ),
    ],
)
def test_ignore_edit_switches_off_and_changes_no_code(before: str, after: str) -> None:
    source = Source(before)
    found = finding(source, "loss.backward()")
    result = apply_edits(before, [ignore_edit(source, found)])
    assert result == after
    assert ast.dump(ast.parse(result)) == ast.dump(ast.parse(before))
    assert is_off(result)


def test_broken_text_still_gets_an_edit() -> None:
    source = Source("loss.backward()\nx = (\n")
    found = finding(source, "loss.backward()")
    assert apply_edits(source.text, [ignore_edit(source, found)]).startswith(
        "loss.backward()  # torchlore: ignore[TL101]\n"
    )
