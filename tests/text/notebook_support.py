"""Cells for tests of notebooks, and notebooks made of them."""

from __future__ import annotations

from hypothesis import strategies as st
from torchlore.text import Cell, LineTable, Notebook

_WORDS = "%cd %%time %%bash !ls x? ?x %timeit %sql f( ) [ ] { ' \" ''' # é 漢 😀 = % ! ? , ; / \\ torch"
FRAGMENTS = st.sampled_from(
    [
        *_WORDS.split(),
        *[
            "x = !ls",
            "x = %sql",
            "%time x = 1",
            '"""',
            "x = 1",
            "if x:",
            "    ",
            "\t",
            "def f():",
            "class A:",
        ],
        *["# torchlore: ignore", "\u01c3", "\f", "\v", "\u2028", "\x00", "\ud800"],
        *["\n", "\n", "\n", "\r\n", "\r"],
    ]
)
cells = st.lists(FRAGMENTS, max_size=15).map("".join)


def notebook(*texts: str) -> Notebook:
    return Notebook(Cell(number, LineTable(text)) for number, text in enumerate(texts, 1))
