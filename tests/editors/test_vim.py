"""The configuration in editors/vim, in the real Vim with the real ALE and the real server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from editor_support import SCRIPT, environment, mended, missing
from other_server import ANSWER

HERE = Path(__file__).parent
ALE = Path(os.environ.get("TORCHLORE_ALE", "/usr/share/vim-ale"))


def test_shows_the_mistake_and_mends_it(vim: Vim) -> None:
    seen = vim(
        SCRIPT,
        """
        let l:found = Sees('TL101')
        call GoTo('optimizer.step', 'step')
        let l:titles = Choose('Clear the gradients')
        let l:left = SeesNoMore('TL101')
        return {'found': l:found, 'titles': l:titles, 'left': l:left, 'buffer': getline(1, '$')}
        """,
    )
    [finding] = seen["found"]
    assert (finding["line"], finding["text"]) == (13, "optimizer.step()")
    assert "optimizer" in finding["message"]
    assert not seen["left"]
    assert mended(seen["buffer"], SCRIPT) == "        optimizer.zero_grad()"
    assert "Clear the gradients" in seen["titles"][0], "the repair must come first"


def test_hover_beside_pyright(vim: Vim) -> None:
    """`:ALEHover` shows the answer that comes last; outside PyTorch that can only be Pyright's."""
    torch, other = vim(
        SCRIPT,
        """
        call Sees('TL101')
        call GoTo('optimizer.step', 'step')
        let l:torch = Hover('TorchloreHover', 'optimizer')
        call GoTo('inputs, targets', 'inputs')
        return [l:torch, Hover('ALEHover', 'pyright')]
        """,
        linters="torchlore,pyright",
    )
    assert "step" in "\n".join(torch)
    assert "\n".join(other).strip() == ANSWER


def test_hover(vim: Vim) -> None:
    one, other = vim(
        SCRIPT,
        """
        call Sees('TL101')
        call GoTo('optimizer.step', 'step')
        return [Hover('ALEHover', 'optimizer'), Hover('TorchloreHover', 'optimizer')]
        """,
    )
    assert one == other


def test_ask_answers_in_the_preview_window(vim: Vim) -> None:
    """ALE shows no pages: the answer in short, and below it where the whole page is, for `gf`."""
    seen = vim(
        SCRIPT,
        """
        call Sees('TL101')
        TorchloreAsk why do gradients accumulate
        let l:lines = Preview('explain-')
        return {'lines': l:lines, 'page': filereadable(l:lines[-1])}
        """,
    )
    assert "gradients" in seen["lines"][0]
    assert seen["page"] == 1


class Vim:
    """Plays scenarios: each the body of a function in Vim's own language that returns what it saw."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program = program
        self.folder = folder

    def __call__(self, text: str, scenario: str, linters: str = "torchlore") -> Any:
        (self.folder / "pyproject.toml").touch()
        script, play, out = (self.folder / name for name in ("train.py", "scenario.vim", "seen.json"))
        script.write_text(text, encoding="utf-8")
        out.unlink(missing_ok=True)
        play.write_text(f"function! Scenario() abort\n{scenario}\nendfunction\n", encoding="utf-8")
        more = {
            "TORCHLORE_ALE": str(ALE),
            "TORCHLORE_LINTERS": linters,
            "TORCHLORE_START": self.start("torchlore", f'"{sys.executable}" -m torchlore serve'),
            "TORCHLORE_OTHER": self.start("pyright", f'"{sys.executable}" "{HERE / "other_server.py"}"'),
        }
        arguments = ["--not-a-term", "-T", "dumb", "-u", str(HERE / "vim" / "person.vim"), str(script)]
        done = subprocess.run(
            [self.program, *arguments, "-c", f"call Play('{play}')"],
            cwd=self.folder,
            env=environment(self.folder, out, **more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert out.exists(), f"Vim left nothing: {done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        told = json.loads(out.read_text(encoding="utf-8"))
        assert "failure" not in told, f"{told['failure']}\n{done.stderr}"
        return told["result"]

    def start(self, name: str, command: str) -> str:
        """A program that starts a server whatever its arguments are: ALE wants one file, not a command."""
        program = self.folder / name
        program.write_text(f"#!/bin/sh\nexec {command}\n", encoding="utf-8")
        program.chmod(0o755)
        return str(program)


@pytest.fixture
def vim(tmp_path: Path) -> Vim:
    program = next((found for name in ("vim.nox", "vim") if (found := shutil.which(name))), None)
    if program is None or not ALE.is_dir():
        missing("Vim and ALE (packages vim-nox and vim-ale, or TORCHLORE_ALE)")
    return Vim(program, tmp_path)
