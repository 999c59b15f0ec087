"""The server's text is the client's, whatever is edited, in each unit that columns are counted in."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from in_process import URI, Session
from lsprotocol import types
from torchlore.lsp.documents import Document
from torchlore.text import Encoding, LineTable
from wire import FUZZ

ENCODINGS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
EDITS = 10_000
_LONGEST = 400

# Line ends that join and part, what `str.splitlines` takes for line ends and the protocol does not,
# and characters of one to four bytes and one or two units; a lone surrogate is one that JSON can carry.
PIECES = [*"abc \t#'\"()", "\n", "\r", "\r\n", "\x0c", "\x0b", "\x1c", "\x85", "\u2028", "\u2029", "é", "漢"]
PIECES += ["😀", "𝒳", "\u0301", "\ufeff", "\ud800", "import torch\n", "x = torch.zeros(3)\n", "def f(:\n"]


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_ten_thousand_edits_leave_the_texts_equal(encoding: str) -> None:
    session = Session()
    session.start({"general": {"positionEncodings": [encoding]}})
    text = "import torch\r\nx = torch.zeros(3)\n"
    session.open(text)
    rng = random.Random(encoding)
    for version in range(2, EDITS + 2):
        changes = []
        for _ in range(rng.choice((1, 1, 1, 2, 4))):
            change, text = _edit(text, encoding, rng)
            changes.append(change)
        document = {"uri": URI, "version": version}
        session.send("textDocument/didChange", {"textDocument": document, "contentChanges": changes})
        mirror = session.server.documents.document(URI)
        assert mirror is not None
        assert mirror.source == text
        if version % 50 == 0:
            assert mirror.version == version
            assert mirror.table._starts == LineTable(text)._starts


def _edit(text: str, encoding: str, rng: random.Random) -> tuple[dict[str, object], str]:
    """A change in the client's terms, and the client's text after it."""
    if rng.random() < 0.01:
        text = "".join(rng.choices(PIECES, k=rng.randrange(30)))
        return {"text": text}, text
    start = rng.randint(0, len(text))
    most = len(text) - start if len(text) > _LONGEST else min(6, len(text) - start)
    end = start + rng.randint(0, most)
    new = "".join(rng.choices(PIECES, k=rng.choice((0, 1, 1, 1, 2, 5))))
    start, end = _between_lines(text, start), _between_lines(text, end)
    places = {"start": _position(text, start, encoding), "end": _position(text, end, encoding)}
    return {"range": places, "text": new}, text[:start] + new + text[end:]


def _between_lines(text: str, offset: int) -> int:
    """No position names the place between a carriage return and its line feed."""
    return offset - 1 if text[offset - 1 : offset + 1] == "\r\n" and offset else offset


def _position(text: str, offset: int, encoding: str) -> dict[str, int]:
    """Counted without torchlore's code, so that both would have to be wrong alike."""
    codec, width = ENCODINGS[encoding]
    before = re.split(r"\r\n|\n|\r", text[:offset])
    column = len(before[-1].encode(codec, "surrogatepass")) // width
    return {"line": len(before) - 1, "character": column}


@FUZZ
@given(st.lists(st.sampled_from(PIECES)), st.integers(0, 40), st.integers(0, 200), st.sampled_from(Encoding))
def test_a_position_outside_the_text_is_moved_into_it(
    pieces: list[str], line: int, column: int, encoding: Encoding
) -> None:
    text = "".join(pieces)
    mirror = Document(URI, text, 1, "python", encoding)
    here = types.Position(line, column)
    mirror.apply_change(types.TextDocumentContentChangePartial(types.Range(here, here), "@"))
    before, mark, after = mirror.source.partition("@")
    assert (before + after, mark) == (text, "@")
