"""What is being typed, in text that breaks off anywhere. `|` is the cursor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torchlore.text import Source
from torchlore.text.cursor import Cursor, cursor_at


def look(code: str) -> Cursor | None:
    offset = code.index("|")
    return cursor_at(Source(code[:offset] + code[offset + 1 :]), offset)


def seen(code: str) -> Cursor:
    found = look(code)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("code", "callee", "position", "keyword"),
    [
        ("f(|", "f", 0, ""),
        ("f(a, |)", "f", 1, ""),
        ("f(a, b=1, |)", "f", 1, ""),
        ("f(a, b=|", "f", 1, "b"),
        ("f(a, b = c.d|", "f", 1, "b"),
        ("f(a == |", "f", 0, ""),
        ("f(*a, |", "f", -1, ""),
        ("x = a.b.c(1, (2, 3), [4, 5], |", "a.b.c", 3, ""),
        ("a.b(1)(2).c(|", "a.b(1)(2).c", 0, ""),
        ("a[0].b(|", "a[0].b", 0, ""),
        ("f(g(1, 2), |", "f", 1, ""),
        ("f(1, g(|, 2))", "g", 0, ""),
        ("f('(', |", "f", 1, ""),
        ("f(  # not (\n    1,\n    |", "f", 1, ""),
        ("f(\n    1,\n    2\n    |\n)", "f", 1, ""),
        ("for x in f(|:\n    pass", "f", 0, ""),
        ("with f(a) as b, g(|", "g", 0, ""),
        ("@f(|\ndef g(): pass", "f", 0, ""),
        ("if x:\n    y = f(|\nz = 3\n", "f", 0, ""),
        ("x = f(\n    |\n\ny = g(2)\n", "f", 0, ""),
        ("return f(lambda a, b: |", "f", 0, ""),
        ("f(lambda a, b: a, lambda x, y|", "f", 1, ""),
    ],
)
def test_the_call_and_the_argument(code: str, callee: str, position: int, keyword: str) -> None:
    call = seen(code).calls[0]
    assert (call.callee, call.position, call.keyword) == (callee, position, keyword)


@pytest.mark.parametrize(
    "code",
    [
        "|",
        "x|",
        "def f(a, |",
        "class A(B, |",
        "if (|",
        "x = (|",
        "[f, |",
        "f(1)|",
        "f(1)\n|",
        "return (|",
        "1(|",
    ],
)
def test_what_is_no_call(code: str) -> None:
    assert seen(code).calls == ()


def test_calls_around_one_another() -> None:
    cursor = seen("a(b(1, c[d(2), (3, |")
    assert [call.callee for call in cursor.calls] == ["b", "a"]
    assert not cursor.direct, "the innermost bracket is none of theirs"
    assert seen("a(b(|").direct


@pytest.mark.parametrize(
    ("code", "receiver", "word"),
    [
        ("loss.|", "loss", ""),
        ("loss.back|", "loss", "back"),
        ("self.a.b|c", "self.a", "b"),
        ("f(x).y|", "f(x)", "y"),
        ("x[1, 2].y|", "x[1, 2]", "y"),
        ("f(a.b|", "a", "b"),
        ("not a.b|", "a", "b"),
        ("-a.|", "a", ""),
        ("wo|", "", "wo"),
        ("größe.wei|", "größe", "wei"),
    ],
)
def test_the_word_and_what_it_is_asked_of(code: str, receiver: str, word: str) -> None:
    cursor = seen(code)
    assert (cursor.receiver, code.replace("|", "")[cursor.word.start : cursor.word.end]) == (receiver, word)


@pytest.mark.parametrize(
    "code", ["# a.|", "x = 1  # f(|", "3.|", "1e|", "f'{a.|}'", "'''a\nf(|\n'''", "b'a|", "...|"]
)
def test_where_nothing_can_be_said(code: str) -> None:
    assert look(code) is None


@pytest.mark.parametrize(
    ("code", "held"),
    [("f('a|", "a"), ('f("|', ""), ("f(x, k='ab|c')", "ab"), ("'x' + 'y|", "y"), ("r'a|", "a")],
)
def test_a_string_that_is_open(code: str, held: str) -> None:
    string = seen(code).string
    assert string is not None
    assert code.replace("|", "")[string.start : string.end] == held


def test_a_string_that_has_ended_is_none() -> None:
    assert seen("f('a', |").string is None
    assert seen("f('a'|").string is None


@pytest.mark.parametrize(
    ("code", "begins"),
    [
        ("tra|", True),
        ("    tra|", True),
        ("x = tra|", False),
        ("f(\n    tra|", False),
        ("if x:\n    tra|", True),
    ],
)
def test_whether_a_statement_begins(code: str, begins: bool) -> None:
    assert seen(code).begins is begins


def test_places_are_of_the_file() -> None:
    before = "import torch\n\n\ndef f():\n    '''text'''\n\n" + "    x = 1\n" * 30
    call = seen(before + "    y = torch.sum(x, dim=|").calls[0]
    assert call.place == len(before) + len("    y = torch.sum")
    assert call.value == len(before) + len("    y = torch.sum(x, dim=")


@given(st.text(alphabet="ab.(),=[]{}'\"#\n :1\\", max_size=60), st.data())
def test_no_text_is_too_broken(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    cursor = cursor_at(Source(text), offset)
    if cursor is not None:
        assert cursor.word.end <= offset and cursor.word.start <= cursor.word.end
        assert all(text[call.place] == "(" and call.place < call.value <= offset for call in cursor.calls)
        for call in cursor.calls:
            assert text[: call.place].endswith(call.callee)
