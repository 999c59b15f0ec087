"""What a terminal shows of a run while it runs."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_support import SERVER
from torchlore.cli.run_line import RunLine

BEGUN = 1000.0


class Clock:
    def __init__(self) -> None:
        self.now = BEGUN

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(time, "monotonic", found.monotonic)
    monkeypatch.setenv("COLUMNS", "80")
    return found


def shown(terminal: io.StringIO) -> str:
    """What stands in the last line: a terminal that knows `\\r` and how to erase the rest of a line."""
    line = terminal.getvalue().rpartition("\n")[2]
    return re.sub(r"\x1b\[K$", "", line).rpartition("\r")[2]


def test_what_it_waits_for_and_how_much_time_there_is(clock: Clock) -> None:
    terminal = io.StringIO()
    line = RunLine(terminal, 60, BEGUN)
    line.show()
    assert shown(terminal) == "", "nothing of a run that is over soon"
    clock.now += 3
    line.show()
    assert shown(terminal) == "importing torch, 3 s"
    line.start()
    clock.now += 30
    line.show()
    assert shown(terminal) == "running ############............ 30 of at most 60 s"
    clock.now += 50
    line.show()
    assert shown(terminal) == f"running {'#' * 24} 60 of at most 60 s"
    line.hide()
    assert shown(terminal) == ""


def test_output_stands_above_it(clock: Clock) -> None:
    terminal = io.StringIO()
    line = RunLine(terminal, 60, BEGUN)
    clock.now += 1
    line.show()
    line.print("one\n", terminal)
    assert terminal.getvalue().endswith("\r\x1b[Kone\n")
    line.show()
    assert shown(terminal) == "importing torch, 1 s"


def test_a_line_that_the_run_draws_itself_is_left_alone(clock: Clock) -> None:
    terminal = io.StringIO()
    line = RunLine(terminal, 60, BEGUN)
    clock.now += 1
    line.print("\r 10 %", terminal)
    line.show()
    assert shown(terminal) == " 10 %"
    line.print("\r100 %\n", terminal)
    line.show()
    assert shown(terminal) == "importing torch, 1 s"


def test_it_fits_into_the_terminal(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    terminal = io.StringIO()
    clock.now += 1
    RunLine(terminal, 60, BEGUN).show()
    assert shown(terminal) == "importing"


def test_nobody_looks(clock: Clock) -> None:
    target = io.StringIO()
    line = RunLine(None, 60, BEGUN)
    clock.now += 9
    line.show()
    line.print("one\n", target)
    line.hide()
    assert target.getvalue() == "one\n"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such terminals")
def test_in_a_real_terminal(tmp_path: Path) -> None:
    import pty

    pytest.importorskip("torch")
    (tmp_path / "a.py").write_text("import time\nprint('printed')\ntime.sleep(1)\n")
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "torchlore", "run", "a.py", "--interpreter", sys.executable]
    environment = {**os.environ, "PYTHONPATH": str(SERVER), "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=its
    )
    os.close(its)
    drawn = b""
    try:
        while data := os.read(ours, 4096):
            drawn += data
    except OSError:
        pass  # The other end is closed.
    os.close(ours)
    assert process.communicate()[0] == b"printed\n"
    assert "running ░" in drawn.decode() or "running █" in drawn.decode()
    assert (
        drawn.decode().endswith("\r\x1b[Ktorchlore: Finished in 1.0 s on cpu.\r\n") or b"Finished in" in drawn
    )
