"""`torchlore book`: what it writes where, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_support import torchlore
from torchlore.book import NotABook, write_book
from torchlore.book.write import MARK

PAGES = {"index.html": b"first", "cards/a.html": b"a"}


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MARK}


def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "book"
    done = torchlore("book", out, cwd=tmp_path)
    assert done.returncode == 0
    assert str(out / "index.html") in done.stdout
    assert (out / "cards" / "zero-grad.html").is_file()
    assert torchlore("book", out, cwd=tmp_path).returncode == 0, "a former book is written anew"


@pytest.mark.parametrize(
    "mark", [None, "{", "[]", '{"format": 9, "files": []}', '{"format": 1, "files": [1]}']
)
def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, mark: str | None) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    if mark is not None:
        (tmp_path / MARK).write_text(mark, encoding="utf-8")
    with pytest.raises(NotABook):
        write_book(PAGES, tmp_path, over=False)
    assert names(tmp_path) == {"mine.txt"}
    write_book(PAGES, tmp_path, over=True)
    assert names(tmp_path) == {"mine.txt", *PAGES}


def test_the_command_refuses(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    done = torchlore("book", tmp_path, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no book" in done.stderr and "--force" in done.stderr
    assert torchlore("book", tmp_path, "--force", cwd=tmp_path).returncode == 0
    done = torchlore("book", tmp_path / "mine.txt", cwd=tmp_path)
    assert done.returncode == 2 and "is not a folder" in done.stderr
    done = torchlore("book", tmp_path / "mine.txt" / "below", cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_what_a_former_book_had_goes(tmp_path: Path) -> None:
    write_book({**PAGES, "cards/old.html": b"old"}, tmp_path, over=False)
    (tmp_path / "cards" / "note.txt").write_text("mine", encoding="utf-8")
    write_book(PAGES, tmp_path, over=False)
    assert names(tmp_path) == {*PAGES, "cards/note.txt"}


def test_the_list_of_a_former_book_cannot_reach_outside(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine", encoding="utf-8")
    book = tmp_path / "book"
    (book / "cards").mkdir(parents=True)
    (book / "link").symlink_to(tmp_path, target_is_directory=True)
    listed = ["../outside.txt", str(outside), "cards/../../outside.txt", "link/outside.txt", "", ".", "cards"]
    (book / MARK).write_text(json.dumps({"format": 1, "files": listed}), encoding="utf-8")
    write_book(PAGES, book, over=False)
    assert outside.read_text(encoding="utf-8") == "mine"
    assert (book / "link").is_symlink()
