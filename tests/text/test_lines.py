"""Lines, positions and encodings: what holds for every text."""

from __future__ import annotations

import ast
import itertools

import pytest
from client_text import ENCODINGS, clients_lines, texts, units
from hypothesis import example, given
from hypothesis import strategies as st
from torchlore.text import Encoding, LineTable, Source


@given(texts)
def test_lines_end_where_the_protocol_says(text: str) -> None:
    table = LineTable(text)
    assert [table.text(n) for n in range(len(table))] == clients_lines(text)


@given(texts, st.sampled_from(ENCODINGS))
def test_an_offset_survives_the_way_to_the_client_and_back(text: str, encoding: Encoding) -> None:
    table = LineTable(text)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] == "\r\n":
            continue  # Between the two there is no position.
        assert table.offset(*table.position(offset, encoding), encoding) == offset


@given(texts, st.sampled_from(ENCODINGS))
def test_a_position_is_line_and_units(text: str, encoding: Encoding) -> None:
    table = LineTable(text)
    lines = clients_lines(text)
    for line, content in enumerate(lines):
        for length in range(len(content) + 1):
            offset = table.start(line) + length
            assert table.position(offset, encoding) == (line, units(content[:length], encoding))


@given(texts, st.integers(-3, 40), st.integers(-3, 200), st.sampled_from(ENCODINGS))
def test_any_position_is_moved_into_the_text(text: str, line: int, column: int, encoding: Encoding) -> None:
    table = LineTable(text)
    offset = table.offset(line, column, encoding)
    assert 0 <= offset <= len(text)
    if 0 <= line < len(table):
        assert table.start(line) <= offset <= table.end(line)


@pytest.mark.parametrize("encoding", [Encoding.UTF8, Encoding.UTF16])
def test_a_column_inside_a_character_means_its_start(encoding: Encoding) -> None:
    table = LineTable("a😀b")
    inside = range(2, 1 + units("😀", encoding))
    assert {table.offset(0, column, encoding) for column in inside} == {1}


@given(texts, st.data())
@example("a\r\nb", None)
def test_an_edited_table_equals_a_new_one(text: str, data: st.DataObject | None) -> None:
    offsets = range(len(text) + 1)
    if data is None:
        edits = [
            (i, j, new)
            for i, j in itertools.combinations_with_replacement(offsets, 2)
            for new in ("", "\n", "\r")
        ]
    else:
        start, end = sorted((data.draw(st.sampled_from(offsets)), data.draw(st.sampled_from(offsets))))
        edits = [(start, end, data.draw(texts))]
    for start, end, new in edits:
        edited = LineTable(text).edited(start, end, new)
        fresh = LineTable(text[:start] + new + text[end:])
        assert edited.whole == fresh.whole
        assert [edited.start(n) for n in range(len(edited))] == [fresh.start(n) for n in range(len(fresh))]
        assert edited.position(len(edited.whole), Encoding.UTF8) == fresh.position(
            len(fresh.whole), Encoding.UTF8
        )


@given(texts)
def test_ast_counts_the_lines_that_we_count(text: str) -> None:
    source = Source(f"{text}\nlast = '😀'; name = 1")
    if source.parsed.blanked:
        return
    name = source.tree.body[-1]
    assert isinstance(name, ast.Assign)
    assert source.segment(source.span(name)) == "name = 1"
