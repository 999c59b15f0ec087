"""The page that a run leaves says what happened and does nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from torchlore.device import (
    Layer,
    LayerTable,
    LineValue,
    MemoryNeed,
    Picture,
    RunError,
    RunResult,
    Value,
    Warned,
)
from torchlore.device.measured import DeviceMemory
from torchlore.device.tables import fits
from torchlore.lsp.run_page import proof_page, run_page
from torchlore.proof import Proof, versions_of
from torchlore.rules import rule_by_code_or_name

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


@pytest.mark.parametrize("text", EVIL)
@pytest.mark.parametrize("place", ["line", "name", "layer", "class", "device", "proof"])
def test_nothing_measured_becomes_markup(text: str, place: str) -> None:
    layer = Layer(
        text if place == "layer" else "fc", text if place == "class" else "Linear", (), 0, 1, 0, 0, 0
    )
    device = DeviceMemory("cuda:0", text, 1, 1)
    line = LineValue(1, text if place == "name" else "x", Value("object", "Bad", text))
    shown = {
        "line": replace(RESULT, lines=(line,)),
        "name": replace(RESULT, lines=(line,)),
        "layer": replace(RESULT, measured=LayerTable((layer,), 0, 0, 0, 0, ())),
        "class": replace(RESULT, measured=LayerTable((layer,), 0, 0, 0, 0, ())),
        "device": replace(RESULT, measured=MemoryNeed(1, 1, 1, 1, 1, (device,))),
        "proof": replace(RESULT, stdout=text),
    }[place]
    page = run_page("Your selection", "pass", shown)
    if place == "proof":
        rule = rule_by_code_or_name("TL101")
        versions = versions_of(rule) if rule is not None else None
        assert rule is not None and versions is not None
        page = proof_page(rule, versions, Proof(shown, replace(RESULT, lines=(line,))))
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    kinds = {inner.type for token in tokens for inner in [token, *(token.children or ())]}
    assert not kinds & {"link_open", "image", "html_inline", "html_block"}


def test_the_layers_are_a_table() -> None:
    layer = Layer("a|b", "Linear", ((2, 3),), 24, 2, 1234, 4936, 1_500_000)
    page = run_page(
        "t", "x", replace(RESULT, measured=LayerTable((layer,), 1234, 1234, 4936, None, ((2, 3),)))
    )
    assert "| a\\|b | Linear, 2 times | 2 × 3 | 1 234 | 4.8 KiB | 1.5 M |" in page
    assert "| all |  | 2 × 3 | 1 234 | 4.8 KiB | ? |" in page


@pytest.mark.parametrize(
    ("free", "total", "said"),
    [
        (100 << 30, 100 << 30, "It fits on cuda:0"),
        (11 << 30, 100 << 30, "It is tight on cuda:0"),
        (5 << 30, 100 << 30, "It does not fit on cuda:0 (a GPU) now"),
        (5 << 30, 8 << 30, "It does not fit on cuda:0 (a GPU):"),
        (None, None, "does not say"),
    ],
)
def test_whether_it_fits(free: int | None, total: int | None, said: str) -> None:
    need = MemoryNeed(
        1 << 30, 1 << 30, 2 << 30, 6 << 30, 10 << 30, (DeviceMemory("cuda:0", "a GPU", total, free),)
    )
    page = run_page("t", "x", replace(RESULT, measured=need))
    assert said in page
    assert fits(need) is (free is not None and free > 10 << 30)


def test_the_summary_can_be_read() -> None:
    page = run_page(
        "Your selection", "pass", replace(RESULT, error=RunError("ValueError", "no such thing", 2))
    )
    assert (
        "Failed after 0.1 s, line 2: ValueError: no such thing\n\nIt took: 1.0 MiB of memory at most.\n"
        in page
    )


def test_what_it_took() -> None:
    more = {"own_seconds": 0.0123, "peak_device_memory": 3 << 29, "device": "cuda:0"}
    page = run_page("Your selection", "pass", replace(RESULT, **more))
    took = "the code itself 12.3 ms, 1.0 MiB of memory at most, 1.5 GiB on cuda:0 at most"
    assert f"after 0.1 s.\n\nIt took: {took}.\n" in page


def test_a_value_of_one_line_stands_there_once() -> None:
    page = run_page("Your selection", "1 + 1", replace(RESULT, value=Value("object", "int", "2")))
    assert "## Value\n\n2\n\n## Code" in page


def test_code_that_was_cut_out_of_a_file_has_no_gaps() -> None:
    page = run_page("Your selection", "\n\nimport math\n\n\n\n    \n\nx = math.pi\n", RESULT)
    assert "```python\nimport math\n\n\nx = math.pi\n```" in page


def test_value_warnings_and_pictures_are_shown() -> None:
    value = Value("tensor", "Tensor", "tensor([1., 2.])", (2,), "float32", "cpu", min=1, mean=1.5, max=2)
    warned, drawn = Warned("UserWarning", "look", 3), Picture("value.png", b"")
    page = run_page("t", "x", replace(RESULT, value=value, warnings=(warned,), pictures=(drawn,)))
    assert "Tensor of shape (2,), float32, on cpu, from 1 to 2, mean 1.5\n\n```text\ntensor([1., 2.])" in page
    assert "- line 3: UserWarning: look" in page
    assert "![the value as an image](value.png)" in page
