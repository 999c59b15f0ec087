"""The server's copy of a file stays equal to the client's, whatever is typed and in whatever units."""

from __future__ import annotations

import copy

import pytest
from client_text import ENCODINGS, NASTY, clients_lines, texts, units
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types
from torchlore.lsp.documents import Document, Documents
from torchlore.text import Encoding

URI = "file:///project/train.py"


def document(text: str, encoding: Encoding = Encoding.UTF16) -> Document:
    documents = Documents(None, None, encoding)
    documents.put_text_document(types.TextDocumentItem(URI, "python", 1, text))
    found = documents.document(URI)
    assert found is not None
    return found


def position(text: str, offset: int, encoding: Encoding) -> types.Position:
    """Where a client would say `offset` is; it never points between a \\r and its \\n."""
    before = clients_lines(text[:offset])
    return types.Position(len(before) - 1, units(before[-1], encoding))


def change(
    text: str, start: int, end: int, new: str, encoding: Encoding
) -> types.TextDocumentContentChangePartial:
    place = types.Range(position(text, start, encoding), position(text, end, encoding))
    return types.TextDocumentContentChangePartial(place, new)


@st.composite
def sessions(draw: st.DrawFn) -> tuple[Encoding, list[tuple[str, int, int, str]]]:
    """A text and edits of it, each with the client's text before it."""
    text = draw(texts)
    edits = []
    for new in draw(st.lists(texts, max_size=8)):
        places = [n for n in range(len(text) + 1) if text[n - 1 : n + 1] != "\r\n"]
        start, end = sorted((draw(st.sampled_from(places)), draw(st.sampled_from(places))))
        edits.append((text, start, end, new))
        text = text[:start] + new + text[end:]
    return draw(st.sampled_from(ENCODINGS)), [*edits, (text, 0, 0, "")]


@given(sessions())
@settings(max_examples=300)
def test_any_edits_leave_the_mirror_equal(session: tuple[Encoding, list[tuple[str, int, int, str]]]) -> None:
    encoding, edits = session
    mirror = document(edits[0][0], encoding)
    for text, start, end, new in edits:
        assert mirror.source == text
        mirror.apply_change(change(text, start, end, new, encoding))
    assert mirror.source == edits[-1][0]
    assert mirror.snapshot.text == edits[-1][0]


@pytest.mark.parametrize("character", NASTY)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_character_but_a_line_end_is_one(character: str, encoding: Encoding) -> None:
    """pygls splits at form feeds too: an insertion lands a line too high and corrupts the mirror."""
    text = f"import torch\n{character}\nx = torch.zeros(3)\ny = 1\n"
    mirror = document(text, encoding)
    at = text.index("x = ")
    mirror.apply_change(change(text, at, at, "Z", encoding))
    assert mirror.source == text.replace("x = ", "Zx = ")
    assert len(mirror.lines) == len(clients_lines(mirror.source))


def test_a_position_outside_the_line_is_moved_and_the_request_left_alone() -> None:
    """pygls writes the moved column into the request's own parameters."""
    mirror = document("abc\nd\n")
    outside = types.Position(0, 99)
    sent = copy.deepcopy(outside)
    assert mirror.offset_at_position(outside) == 3
    assert outside == sent


def test_a_range_from_the_end_to_the_start_is_turned_round() -> None:
    mirror = document("abcdef")
    backwards = types.Range(types.Position(0, 4), types.Position(0, 2))
    mirror.apply_change(types.TextDocumentContentChangePartial(backwards, "-"))
    assert mirror.source == "ab-ef"


def test_a_whole_new_text_replaces_the_old() -> None:
    mirror = document("abc")
    mirror.apply_change(types.TextDocumentContentChangeWholeDocument("x\ny"))
    assert (mirror.source, mirror.lines) == ("x\ny", ("x\n", "y"))


def test_a_snapshot_is_one_object_until_the_text_changes() -> None:
    mirror = document("abc")
    before = mirror.snapshot
    assert mirror.snapshot is before and mirror.holds(before)
    mirror.apply_change(types.TextDocumentContentChangeWholeDocument("abc"))
    assert not mirror.holds(before)
    assert mirror.snapshot is not before


def test_a_change_of_a_file_that_is_not_open_is_dropped() -> None:
    """pygls raises KeyError, and shows it to the user."""
    documents = Documents(None, None, Encoding.UTF16)
    unknown = types.VersionedTextDocumentIdentifier(2, "file:///never.py")
    documents.update_text_document(unknown, types.TextDocumentContentChangeWholeDocument("x"))
    assert documents.document("file:///never.py") is None
