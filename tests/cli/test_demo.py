"""`torchlore demo` and the small editor behind it, on the script with four planted mistakes."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from cli_support import MISTAKE, SERVER, torchlore
from torchlore.analysis import analyze
from torchlore.config import Config, check_source
from torchlore.lsp.editor import editing
from torchlore.text import Source

ROOT = SERVER.parent
SCRIPT = ROOT / "examples" / "train_classifier.py"
SERVE = [sys.executable, "-m", "torchlore", "serve"]
PLANTED = ["TL101", "TL201", "TL202", "TL401"]

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed here")


@pytest.fixture
def server_is_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(SERVER))


def test_the_script_holds_the_four_planted_mistakes() -> None:
    found = check_source(analyze(Source(SCRIPT.read_text(encoding="utf-8"))), Config())
    assert sorted(finding.code for finding in found) == PLANTED


@needs_torch
def test_the_script_trains_badly_and_well_once_mended(tmp_path: Path) -> None:
    """PyTorch reports nothing about the mistakes, and they are what keeps it from learning."""
    import subprocess

    mended = tmp_path / "mended.py"
    mended.write_bytes(SCRIPT.read_bytes())
    assert torchlore("check", "--fix", "--unsafe-fixes", "mended.py", cwd=tmp_path).returncode == 0
    accuracy = {}
    for path in (SCRIPT, mended):
        command = [sys.executable, "-W", "error", str(path), "--epochs", "20"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        accuracy[path] = float(re.findall(r"accuracy ([\d.]+)%", done.stdout)[-1])
        assert done.stderr == ""
    assert accuracy[SCRIPT] < 60
    assert accuracy[mended] > 85


@needs_torch
def test_demo_shows_all_four_things() -> None:
    before = SCRIPT.read_bytes()
    done = torchlore("demo", "examples/train_classifier.py", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    hover, found, fixed, run = re.split(r"\n── \d\. ", done.stdout)[1:]
    assert "loss.backward" in hover
    assert "In your code" in hover
    assert all(code in found for code in PLANTED)
    assert "+        optimizer.zero_grad()\n" in fixed
    assert "Left after the fixes: 0" in fixed
    assert "on cpu" in run or "on cuda" in run or "on mps" in run or "on xpu" in run
    assert "server:" not in run
    assert SCRIPT.read_bytes() == before


def test_demo_without_its_script(tmp_path: Path) -> None:
    done = torchlore("demo", cwd=tmp_path)
    assert done.returncode == 2
    assert "examples/train_classifier.py" in done.stderr


@pytest.mark.usefixtures("server_is_importable")
async def test_editor_sees_the_text_after_the_fixes(tmp_path: Path) -> None:
    """Also behind characters that take two units of UTF-16."""
    after = (
        "import torch\nimport torch.nn.functional as F\n\nx = '😀', F.cross_entropy(torch.randn(2, 3), y)\n"
    )
    text = after.replace("torch.randn(2, 3)", "F.softmax(torch.randn(2, 3), dim=1)")
    async with editing(SERVE, tmp_path / "net.py", text) as editor:
        (found,) = await editor.diagnostics()
        assert (found.code, found.row) == ("TL401", 4)
        assert text.split("\n")[3][found.column - 1 :].startswith("F.softmax(")
        assert len(await editor.fix()) == 1
        assert editor.source.text == after
        assert await editor.diagnostics() == []
        assert "cross_entropy" in await editor.hover(after.index("cross_entropy"))
        assert await editor.hover(after.index("x = ")) == ""
    assert editor.messages == []


@pytest.mark.usefixtures("server_is_importable")
async def test_an_error_inside_does_not_leave_the_server_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        async with editing(SERVE, tmp_path / "net.py", MISTAKE) as editor:
            raise KeyError
    assert editor.client._server is not None
    assert editor.client._server.returncode is not None


async def test_a_server_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        async with editing([sys.executable, "-c", "pass"], tmp_path / "net.py", MISTAKE):
            raise AssertionError("it should not have started")
    with pytest.raises(OSError):
        async with editing(["/no/such/server"], tmp_path / "net.py", MISTAKE):
            raise AssertionError("it should not have started")
