"""An edit of a long text: what is parsed again, and that the tree is what parsing the whole would give."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from torchlore.text import parse_tolerantly
from torchlore.text.reuse import LONG, Memory, Whole, changed

LINES = (Path(sysconfig.get_path("stdlib")) / "argparse.py").read_text(encoding="utf-8").split("\n")
TEXT = "\n".join(LINES)
TREE = ast.parse(TEXT)

PIECES = [
    "(",
    ")",
    "[",
    "'",
    '"',
    '"""',
    "\\",
    ":",
    " ",
    "    ",
    "x",
    "é",
    "#",
    ";",
    "else:",
    "@",
    "=",
    "if 1:",
    "1",
]


def edited(line: int, column: int, removed: int, typed: str) -> str:
    """The text with something typed, and removed, in one line."""
    old = LINES[line]
    at = min(column, len(old))
    return "\n".join([*LINES[:line], old[:at] + typed + old[at + removed :], *LINES[line + 1 :]])


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, len(LINES) - 1),
    st.integers(0, 60),
    st.integers(0, 6),
    st.lists(st.sampled_from(PIECES), max_size=3).map("".join),
)
def test_an_edit_gives_the_tree_of_the_text(line: int, column: int, removed: int, typed: str) -> None:
    text = edited(line, column, removed, typed)
    part = changed(Whole(TEXT, TREE.body), text)
    if part is None:
        return
    whole = _tree(text)
    assert parses(part.text) == (whole is not None)
    if whole is not None:
        body = [*part.before, *ast.parse(part.text).body, *part.after]
        assert dumped(body) == dumped(whole.body)


def _tree(text: str) -> ast.Module | None:
    return ast.parse(text) if parses(text) else None


def dumped(body: list[ast.stmt]) -> list[str]:
    return [ast.dump(statement, include_attributes=True) for statement in body]


@pytest.mark.parametrize("typed", ["# ", "x = (", "class A:"])
def test_little_is_parsed_again(typed: str) -> None:
    line = next(n for n, text in enumerate(LINES) if text.startswith("class Namespace"))
    part = changed(Whole(TEXT, TREE.body), edited(line, 0, 0, typed))
    assert part is not None
    assert len(part.text.strip()) < len(TEXT) / 5
    assert len(part.before) + len(part.after) >= len(TREE.body) - 4


def test_what_stands_around_a_broken_line_is_the_same_node() -> None:
    line = next(n for n, text in enumerate(LINES) if text.startswith("class Namespace"))
    whole = parse_tolerantly(TEXT)
    broken = parse_tolerantly(edited(line, 0, 0, "x = ("))
    assert broken.blanked == {line}
    assert broken.tree.body[-1] is whole.tree.body[-1]
    assert broken.tree.body[0] is whole.tree.body[0]
    mended = parse_tolerantly(TEXT)
    assert not mended.blanked
    assert dumped(mended.tree.body) == dumped(TREE.body)


@pytest.mark.parametrize(
    "text", [TEXT + "\n", TEXT.replace("\n", "\r\n"), TEXT[: LONG // 2], "x = 1\n" * 20_000, ""]
)
def test_other_texts_are_parsed_whole(text: str) -> None:
    memory = Memory()
    memory.keep(TEXT, TREE)
    assert memory.changed(text) is None


def test_a_text_takes_the_place_of_the_version_before_it() -> None:
    memory = Memory()
    other = "y = 2\n" * 20_000
    memory.keep(other, ast.parse(other))
    for letter in "abc":
        text = edited(5, 0, 0, f"# {letter}")
        memory.keep(text, ast.parse(text))
    assert memory.changed(other.replace("y = 2", "z = 2", 1)) is not None
    assert memory.changed(edited(5, 0, 0, "# d")) is not None
