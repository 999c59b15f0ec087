"""`torchlore quiz`: what it asks, what it remembers, and that nothing in its file can break it."""

from __future__ import annotations

import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_support import SERVER, torchlore
from torchlore.cli.leitner import BOXES, BrokenProgress, Progress, Standing, load, next_cards, save
from torchlore.knowledge import card, cards

ASKED = re.compile(r"^\d+/\d+  (.+?)  ([a-z-]+), (junior|mid|senior)$", re.MULTILINE)
BY_QUESTION = {card.question: card for card in cards()}


def quiz(folder: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Runs the quiz with lines for keys; its data folder is `folder`."""
    return torchlore("quiz", *arguments, cwd=folder, stdin=typed.encode(), **at_home(folder))


def at_home(folder: Path) -> dict[str, str]:
    return {"XDG_DATA_HOME": str(folder), "LOCALAPPDATA": str(folder), "HOME": str(folder)}


def asked(shown: str) -> list[str]:
    return [BY_QUESTION[question].slug for question, _, _ in ASKED.findall(shown)]


def kept(folder: Path) -> Path:
    [path] = folder.rglob("quiz.json")
    return path


def test_questions_answers_and_the_tally(tmp_path: Path) -> None:
    done = quiz(tmp_path, "--count", "2", typed="\ny\n\nn\n")
    first, second = asked(done.stdout)
    assert done.returncode == 0
    for slug in (first, second):
        told = card(slug)
        assert told is not None
        assert done.stdout.index(told.question) < done.stdout.index(told.answer)
    assert "1 of 2 known." in done.stdout
    assert f"torchlore explain {second}" in done.stdout.split("Missed")[1]
    assert f"torchlore explain {first}" not in done.stdout
    assert load(kept(tmp_path)).cards == {first: Standing(2, 1), second: Standing(1, 1)}
    assert "\x1b[" not in done.stdout


def test_the_answer_stays_folded(tmp_path: Path) -> None:
    done = quiz(tmp_path, "--count", "1", typed="s\n")
    [slug] = asked(done.stdout)
    told = card(slug)
    assert told is not None and told.summary[:40] not in " ".join(done.stdout.split())
    assert "Nothing answered" in done.stdout
    assert list(tmp_path.rglob("quiz.json")) == []


def test_more_of_the_card(tmp_path: Path) -> None:
    done = quiz(tmp_path, "--count", "1", typed="\nm\n?\ny\n")
    [slug] = asked(done.stdout)
    told = card(slug)
    assert told is not None and told.follow_ups in done.stdout
    assert "1 of 1 known." in done.stdout


def test_what_was_missed_comes_first(tmp_path: Path) -> None:
    [missed] = asked(quiz(tmp_path, "--count", "1", typed="\nn\n").stdout)
    for _ in range(3):
        again, *_ = asked(quiz(tmp_path, "--count", "3", typed="\nn\n\ny\n\ny\n").stdout)
        assert again == missed


def test_area_and_level(tmp_path: Path) -> None:
    done = quiz(
        tmp_path, "--area", "nn", "--area", "data", "--level", "junior", "--count", "99", typed="s\n" * 99
    )
    wanted = {c.slug for c in cards() if c.area in ("nn", "data") and c.level == "junior"}
    assert set(asked(done.stdout)) == wanted
    assert len(asked(done.stdout)) == len(wanted)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--area", "cooking"], "no area `cooking`; there are basics, tensors"),
        (["--level", "x"], "no level `x`; there are junior, mid, senior"),
        (["--area", "basics", "--level", "senior"], "no card of this area is of this level"),
        (["--count", "0"], "0"),
    ],
)
def test_what_cannot_be_asked(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = quiz(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_input_that_ends_is_an_end_with_a_tally(tmp_path: Path) -> None:
    done = quiz(tmp_path, typed="\ny\n\n")
    assert done.returncode == 0
    assert "1 of 1 known." in done.stdout
    assert len(load(kept(tmp_path)).cards) == 1
    assert "Nothing answered" in quiz(tmp_path).stdout
    assert "first letter" in quiz(tmp_path).stderr


def test_reset(tmp_path: Path) -> None:
    quiz(tmp_path, "--count", "1", typed="\nn\n")
    assert kept(tmp_path).is_file()
    assert "forgot" in quiz(tmp_path, "--reset").stdout
    assert list(tmp_path.rglob("quiz.json")) == []
    assert quiz(tmp_path, "--reset").returncode == 0


HOSTILE = {
    "empty": b"",
    "no JSON": b"{",
    "bytes": b"\xff\xfe\x00",
    "a list": b"[]",
    "another format": b'{"format": 2, "rounds": 1, "cards": {}}',
    "no cards": b'{"format": 1, "rounds": 1}',
    "a negative round": b'{"format": 1, "rounds": -1, "cards": {}}',
    "a round that is true": b'{"format": 1, "rounds": true, "cards": {}}',
    "a huge box": b'{"format": 1, "rounds": 1, "cards": {"zero-grad": [99999999, 1]}}',
    "a box of text": b'{"format": 1, "rounds": 1, "cards": {"zero-grad": ["1", 1]}}',
    "a card of the future": b'{"format": 1, "rounds": 1, "cards": {"zero-grad": [1, 7]}}',
    "deep": b"[" * 100_000,
    "a huge number": b'{"format": 1, "rounds": ' + b"9" * 5000 + b', "cards": {}}',
    "long": b" " * 1_000_001,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_broken_file_is_told_and_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "quiz.json"
    path.write_bytes(content)
    with pytest.raises(BrokenProgress):
        load(path)
    save(Progress().answered("zero-grad", True), path)
    assert load(path).cards == {"zero-grad": Standing(2, 0)}
    assert list(tmp_path.iterdir()) == [path]


def test_a_broken_file_starts_the_quiz_anew(tmp_path: Path) -> None:
    quiz(tmp_path, "--count", "1", typed="\nn\n")
    kept(tmp_path).write_text("{]", encoding="utf-8")
    done = quiz(tmp_path, "--count", "1", typed="\ny\n")
    assert "starting anew" in done.stderr and "Traceback" not in done.stderr
    assert load(kept(tmp_path)).rounds == 1


def test_a_card_that_is_no_more_is_left_alone(tmp_path: Path) -> None:
    quiz(tmp_path, "--count", "1", typed="\nn\n")
    content = json.loads(kept(tmp_path).read_bytes())
    content["cards"]["no-such-card"] = [1, 1]
    kept(tmp_path).write_text(json.dumps(content), encoding="utf-8")
    assert quiz(tmp_path, "--count", "2", typed="\ny\n\ny\n").returncode == 0
    assert "no-such-card" in load(kept(tmp_path)).cards


def test_a_folder_that_cannot_be_written_to_is_told_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file where the folder should be", encoding="utf-8")
    done = torchlore("quiz", "--count", "2", cwd=tmp_path, stdin=b"\ny\n\ny\n", **at_home(home))
    assert done.returncode == 0
    assert done.stderr.count("are not remembered") == 1
    assert "2 of 2 known." in done.stdout


def test_boxes() -> None:
    progress = Progress(rounds=1)
    for box in (2, 3, 4, 5, 5):
        progress = progress.answered("a", True)
        assert progress.cards["a"].box == min(box, BOXES)
    assert progress.answered("a", False).cards["a"] == Standing(1, 1)


@pytest.mark.parametrize(("box", "rounds_later"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16)])
def test_a_card_is_due_when_its_box_says(box: int, rounds_later: int) -> None:
    for later in range(1, 20):
        progress = Progress(3 + later, {"a": Standing(box, 3)})
        is_first = next_cards(["a", "new"], progress, random.Random(0))[0] == "a"
        assert is_first == (later >= rounds_later)


def test_order() -> None:
    standing = {
        "missed": Standing(1, 9),
        "due": Standing(2, 5),
        "soon": Standing(3, 8),
        "late": Standing(5, 9),
    }
    for seed in range(20):
        order = next_cards([*standing, "new"], Progress(10, standing), random.Random(seed))
        assert order == ["missed", "due", "new", "soon", "late"]
    news = {tuple(next_cards("abc", Progress(1), random.Random(seed))) for seed in range(40)}
    assert len(news) == 6


pty = pytest.importorskip("pty", reason="pseudo-terminals are a thing of Unix")


class Terminal:
    """The quiz in a pseudo-terminal."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.shown = ""
        self.master, slave = pty.openpty()
        environment = {**os.environ, **at_home(folder), "PYTHONPATH": str(SERVER), "TERM": "xterm-256color"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "torchlore", "quiz", *arguments],
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
            # Tests that were started in the background ignore Ctrl-C, and so would what they start.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(slave)

    def until(self, text: str) -> str:
        """What was shown until `text` came."""
        end = time.monotonic() + 60
        while text not in self.shown:
            assert select.select([self.master], [], [], max(end - time.monotonic(), 0))[0], self.shown
            try:
                self.shown += os.read(self.master, 65536).decode(errors="replace")
            except OSError:  # The other end is closed.
                break
        before, found, self.shown = self.shown.partition(text)
        assert found, before
        return before + found

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def end(self) -> int:
        code = self.process.wait(30)
        os.close(self.master)
        return code


def test_keys_in_a_terminal(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "--count", "2")
    assert "\x1b[" in terminal.until("press a key")
    terminal.press("\x1b[A")  # any key: an arrow
    terminal.until("did you know it?")
    terminal.press("x")  # no answer
    terminal.press("Y")
    terminal.until("2/2")
    terminal.until("press a key")
    terminal.press(" ")
    terminal.until("did you know it?")
    terminal.press("q")
    terminal.until("1 of 1 known.")
    assert terminal.end() == 0


def test_control_c_ends_with_a_tally(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    terminal.until("press a key")
    terminal.press(" ")
    terminal.until("did you know it?")
    terminal.press("n")
    terminal.until("press a key")
    os.killpg(terminal.process.pid, signal.SIGINT)
    rest = terminal.until("0 of 1 known.")
    assert "Traceback" not in rest
    assert terminal.end() == 0
