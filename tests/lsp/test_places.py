"""Offsets in a source and positions in the client's documents, there and back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types
from torchlore.lsp.client import Client
from torchlore.lsp.convert import Places
from torchlore.text import Cell, Edit, Encoding, LineTable, Notebook, Source, Span

texts = st.lists(
    st.sampled_from(
        ["x", "é", "😀", "\t", "\n", "\r\n", "\r", "\f", "\u2028", "%cd é😀", "!ls", "%%time", "'", "("]
    ),
    max_size=12,
).map("".join)


def units(text: str, encoding: Encoding) -> int:
    """The length of `text`, by encoding it and not by counting."""
    width = {Encoding.UTF8: 1, Encoding.UTF16: 2, Encoding.UTF32: 4}[encoding]
    codec = {Encoding.UTF8: "utf-8", Encoding.UTF16: "utf-16-le", Encoding.UTF32: "utf-32-le"}[encoding]
    return len(text.encode(codec)) // width


def notebook(*cells: str) -> Notebook:
    return Notebook(
        (Cell(n, LineTable(text), f"cell:/n%20b#{n}", 10 + n) for n, text in enumerate(cells, 1)),
        "n.ipynb",
        3,
    )


@given(st.lists(texts, max_size=4), st.sampled_from(Encoding))
@settings(max_examples=300)
def test_every_place_in_a_cell_comes_back(cells: list[str], encoding: Encoding) -> None:
    source = notebook(*cells)
    places = Places("file:///n.ipynb", source, encoding)
    for cell in source.cells:
        for inside in range(len(cell.text) + 1):
            if cell.text[inside - 1 : inside + 1] == "\r\n":
                continue  # Inside a line end there is no position.
            *before, line = re.split(r"\r\n|\n|\r", cell.text[:inside])
            position = types.Position(len(before), units(line, encoding))
            offset = places.offset(cell.uri, position)
            assert offset == source.start(cell) + inside
            location = places.location(Span(offset, offset))
            assert (location.uri, location.range.start) == (cell.uri, position)


def test_a_uri_may_be_spelled_in_two_ways() -> None:
    places = Places("file:///n.ipynb", notebook("x", "y"), Encoding.UTF16)
    assert places.offset("cell:/n b#2", types.Position(0, 0)) == len("x\n\n")


def test_a_place_outside_a_cell_is_moved_into_it_and_not_into_the_next() -> None:
    places = Places("file:///n.ipynb", notebook("x", "y"), Encoding.UTF16)
    assert places.offset("cell:/n%20b#1", types.Position(7, 7)) == 1
    assert places.range(Span(0, 3)).end == types.Position(0, 1)


@pytest.mark.parametrize("document_changes", [True, False])
def test_an_edit_names_the_cell_and_its_version(document_changes: bool) -> None:
    places = Places("file:///n.ipynb", notebook("x", "y"), Encoding.UTF16)
    client = Client(document_changes=document_changes)
    edit = places.workspace_edit([Edit(Span(3, 4), "z")], client)
    assert edit is not None
    wanted = types.TextEdit(types.Range(types.Position(0, 0), types.Position(0, 1)), "z")
    if document_changes:
        (change,) = edit.document_changes or ()
        assert isinstance(change, types.TextDocumentEdit)
        assert (change.text_document.uri, change.text_document.version) == ("cell:/n%20b#2", 12)
        assert list(change.edits) == [wanted]
    else:
        assert edit.changes == {"cell:/n%20b#2": [wanted]}
    assert places.workspace_edit([Edit(Span(0, 0), "a"), Edit(Span(3, 3), "b")], client) is None


def test_a_file_is_one_document() -> None:
    places = Places("file:///a.py", Source("é\nx", "a.py", 4), Encoding.UTF8)
    assert places.offset("file:///a.py", types.Position(1, 0)) == 2
    assert places.location(Span(2, 3)).uri == "file:///a.py"
    edit = places.workspace_edit([Edit(Span(1, 1), "y")], Client())
    start = types.Position(0, 2)
    assert edit is not None and edit.changes == {
        "file:///a.py": [types.TextEdit(types.Range(start, start), "y")]
    }
