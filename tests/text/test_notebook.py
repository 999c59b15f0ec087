"""Notebooks as one source: the cells stay apart, and each place in one is a place in the other."""

from __future__ import annotations

import ast

import pytest
from client_text import clients_lines
from hypothesis import given, settings
from hypothesis import strategies as st
from notebook_support import cells, notebook
from torchlore.text import Edit, Span, apply_edits
from torchlore.text.magics import mask


@given(st.lists(cells, max_size=5))
@settings(max_examples=300)
def test_places_in_cells_and_in_the_source_are_the_same_places(texts: list[str]) -> None:
    source = notebook(*texts)
    for cell in source.cells:
        start = source.start(cell)
        for inside in range(len(cell.text) + 1):
            assert source.cell_at(start + inside) is cell
            assert source.in_cell(Span(start + inside, start + inside)) == Span(inside, inside)
            # As clients do it: by the cell's own lines.
            line, column = cell.lines.position(inside)
            in_line = clients_lines(cell.text[:inside])
            if not cell.text[:inside].endswith("\r"):
                assert (line, column) == (len(in_line) - 1, len(in_line[-1]))
                first = source.lines.line_of(start)
                assert source.position(start + inside) == (first + line, column)
    kept = [
        (cell.text[n], source.text[source.start(cell) + n])
        for cell in source.cells
        for n in range(len(cell.text))
    ]
    assert all(new in (old, " ", "\u01c3", *"pass0;") for old, new in kept)


@given(st.lists(cells, min_size=1, max_size=4))
@settings(max_examples=300)
def test_any_cells_give_a_tree_within_their_lines(texts: list[str]) -> None:
    source = notebook(*texts)
    statements = [node for node in ast.walk(source.tree) if isinstance(node, ast.stmt)]
    assert all(1 <= node.lineno <= len(source.lines) for node in statements)
    assert isinstance(source.comments, dict)


@pytest.mark.parametrize(
    "broken",
    [
        "f(",
        "x = [1,",
        "'''",
        'print("""',
        "'",
        "if x:",
        "def f(",
        "try:",
        "\\",
        "x = \\",
        "@a",
        "%%bash\n'",
        "\x00",
    ],
)
def test_a_broken_cell_harms_no_other(broken: str) -> None:
    source = notebook("import torch\nx = 1", broken, "y = 2  # torchlore: ignore\nz = 3")
    alone = [
        ast.dump(node) for text in ("import torch\nx = 1", "y = 2\nz = 3") for node in ast.parse(text).body
    ]
    assert [ast.dump(node) for node in source.tree.body if ast.dump(node) in alone] == alone
    last = source.tree.body[-1]
    assert source.segment(source.span(last)) == "z = 3"
    assert [text for _, text in source.comments.values()] == ["# torchlore: ignore"]
    offset, comment = next(iter(source.comments.values()))
    assert source.text[offset:].startswith(comment)


edit_texts = st.sampled_from(["", "x", "    x\n", "\n    x", "a\nb\n", "  "])


@given(
    cells,
    cells,
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 6), edit_texts), min_size=1, max_size=3),
)
@settings(max_examples=500)
def test_edits_of_the_source_and_of_the_cell_give_the_same_text(
    one: str, other: str, places: list[tuple[int, int, str]]
) -> None:
    source = notebook(one, other)
    edits = [
        Edit(Span(min(at, len(source.text)), min(at + length, len(source.text))), text)
        for at, length, text in places
    ]
    changed = source.edits_in_cell(edits)
    assert source.takes(edits) == (changed is not None)
    if changed is None:
        return
    cell, in_cell = changed
    after = source.edited(edits)
    (new,) = [c.text for c in after.cells if c.number == cell.number]
    assert apply_edits(cell.text, in_cell) == new
    assert [c.text for c in after.cells if c.number != cell.number] == [
        c.text for c in source.cells if c.number != cell.number
    ]
    # Every magic is still there, on a line that it owns.
    before, behind = mask(cell.text), mask(new)
    assert all(cell.text[m.start : m.end].strip() in new for m in before.masks)
    assert bool(before.head) <= bool(behind.head)


@pytest.mark.parametrize(
    ("edits", "text"),
    [
        ([(9, 9, "z\n")], "%%time\nx\nz\ny"),
        ([(9, 11, "")], "%%time\nx"),  # The last line, with the line end that the source has behind it.
        ([(7, 7, "z\n"), (9, 11, "")], "%%time\nz\nx"),
        ([(11, 11, "z\n")], "%%time\nx\ny\nz"),
        ([(10, 10, "!")], "%%time\nx\ny!"),
        ([(0, 0, "z\n")], None),  # A cell magic stays the first line.
        ([(7, 7, "z\n")], "%%time\nz\nx\ny"),
        ([(6, 6, "z")], None),
        ([(3, 8, "")], None),
        ([(0, 7, "")], None),
    ],
)
def test_an_edit_spares_magics_and_the_end_of_the_cell(
    edits: list[tuple[int, int, str]], text: str | None
) -> None:
    source = notebook("%%time\nx\ny", "z")
    changed = source.edits_in_cell([Edit(Span(start, end), new) for start, end, new in edits])
    assert (None if changed is None else apply_edits(changed[0].text, changed[1])) == text


def test_a_line_put_below_the_last_of_a_cell_is_not_one_above_the_next() -> None:
    source = notebook("x", "y")
    below, above = len("x\n"), len("x\n\n")
    assert [cell.text for cell in source.edited([Edit(Span(below, below), "z\n")]).cells] == ["x\nz", "y"]
    assert [cell.text for cell in source.edited([Edit(Span(above, above), "z\n")]).cells] == ["x", "z\ny"]
    assert not source.takes([Edit(Span(0, above), "")])
    assert not source.takes([Edit(Span(0, 0), "a"), Edit(Span(above, above), "b")])
    with pytest.raises(ValueError, match="several cells"):
        source.edited([Edit(Span(0, above), "")])


def test_lines_are_told_as_the_reader_of_a_cell_counts_them() -> None:
    source = notebook("a\nb", "c\nd")
    first, second = (source.start(cell) for cell in source.cells)
    assert source.told_at(first, "`line 1` on line 2") == "`line 1` on line 2"
    assert (
        source.told_at(second, "made on line 2, used on line 5") == "made on line 2 of cell 1, used on line 2"
    )
