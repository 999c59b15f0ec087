"""The page that a run leaves says what happened and does nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from torchlore.device import Picture, RunError, RunResult, Value, Warned
from torchlore.lsp.run_page import run_page

RESULT = RunResult(False, "error", 1, "", "", False, None, 0.1, "cpu", 1 << 20)
EVIL = [
    "[click](command:workbench.action.terminal.new)",
    "<a href='command:x'>click</a>",
    "![](https://host/pixel.png)",
    "<img src=x onerror=alert(1)>",
    "[a]: command:x\n[a]",
    "```\n[click](command:x)\n```",
    "~~~\n~~~\n[click](command:x)",
    "<command:x>",
    "`````\n````\n[click](command:x)\n",
]


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize(
    "place", ["stdout", "stderr", "message", "type", "notice", "code", "value", "warning"]
)
def test_nothing_that_a_snippet_says_becomes_markup(text: str, place: str) -> None:
    shown = {
        "stdout": replace(RESULT, stdout=text),
        "stderr": replace(RESULT, stderr=text),
        "message": replace(RESULT, error=RunError("ValueError", text, 1)),
        "type": replace(RESULT, error=RunError(text, "", 1)),
        "notice": replace(RESULT, notices=(text,)),
        "code": RESULT,
        "value": replace(RESULT, value=Value("object", "Bad", text)),
        "warning": replace(RESULT, warnings=(Warned("UserWarning", text, 1),)),
    }[place]
    page = run_page("Your selection", text if place == "code" else "pass", shown)
    tokens = MarkdownIt("commonmark").parse(page)
    kinds = {inner.type for token in tokens for inner in [token, *(token.children or ())]}
    assert not kinds & {"link_open", "image", "html_inline", "html_block"}


def test_the_summary_can_be_read() -> None:
    page = run_page(
        "Your selection", "pass", replace(RESULT, error=RunError("ValueError", "no such thing", 2))
    )
    assert "Failed after 0.1 s, line 2: ValueError: no such thing Peak memory 1 MiB." in page


def test_value_warnings_and_pictures_are_shown() -> None:
    value = Value("tensor", "Tensor", "tensor([1., 2.])", (2,), "float32", "cpu", min=1, mean=1.5, max=2)
    warned, drawn = Warned("UserWarning", "look", 3), Picture("value.png", b"")
    page = run_page("t", "x", replace(RESULT, value=value, warnings=(warned,), pictures=(drawn,)))
    assert "Tensor of shape (2,), float32, on cpu, from 1 to 2, mean 1.5\n\n```text\ntensor([1., 2.])" in page
    assert "- line 3: UserWarning: look" in page
    assert "![the value as an image](value.png)" in page
