"""The configuration in editors/neovim, in the real Neovim, with the real server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "neovim"
OLDEST = (0, 11)

SCRIPT = """\
import torch
import torch.nn.functional as F
from torch import nn

model = nn.Linear(10, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


def train(loader):
    for inputs, targets in loader:
        loss = F.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
"""

# A character here is one, two or four bytes, and one or two UTF-16 units: who confuses them is seen.
WIDE = SCRIPT.replace(
    "loss = F.cross_entropy(model(inputs)", 'é = "🙂"; loss = F.cross_entropy(F.softmax(model(inputs), dim=1)'
)


def test_shows_the_mistake_and_mends_it(neovim: Neovim) -> None:
    seen = neovim(
        SCRIPT,
        """
        local found = person.diagnostics('TL101', person.with_code('TL101'))
        person.go_to('optimizer.step', 'step')
        local titles = person.choose('^Clear the gradients')
        local left = person.diagnostics('TL101 gone', person.without_code('TL101'))
        return { found = found, titles = titles, left = left, buffer = person.buffer() }
        """,
    )
    [finding] = [item for item in seen["found"] if item["code"] == "TL101"]
    assert finding["source"] == "torchlore"
    assert "zero_grad" in finding["message"] or "gradient" in finding["message"]
    assert "optimizer" in finding["message"]
    assert not seen["left"]
    assert mended(seen["buffer"], SCRIPT) == "        optimizer.zero_grad()"
    assert "Clear the gradients" in seen["titles"][0], "the repair must come first"


def test_columns_are_right_after_wide_characters(neovim: Neovim) -> None:
    seen = neovim(
        WIDE,
        """
        local found = person.diagnostics('TL401', person.with_code('TL401'))
        person.go_to('F.cross_entropy', 'cross_entropy')
        local hover = person.hover()
        person.go_to('F.softmax', 'softmax')
        person.choose('softmax')
        person.diagnostics('TL401 gone', person.without_code('TL401'))
        return { found = found, hover = hover, buffer = person.buffer() }
        """,
    )
    [finding] = [item for item in seen["found"] if item["code"] == "TL401"]
    assert finding["text"] in ("F.softmax(model(inputs), dim=1)", "F.softmax")
    assert "cross_entropy" in "\n".join(seen["hover"])
    assert '        é = "🙂"; loss = F.cross_entropy(model(inputs), targets)' in seen["buffer"]


def test_hover_answers_for_torch_only(neovim: Neovim) -> None:
    seen = neovim(
        SCRIPT,
        """
        person.diagnostics('TL101', person.with_code('TL101'))
        person.go_to('optimizer.step', 'step')
        local torch = person.hover()
        person.go_to('inputs, targets', 'inputs')
        person.press('K')
        person.await('the word that there is nothing', function()
          return vim.fn.execute('messages'):find('No information available')
        end)
        return torch
        """,
    )
    text = "\n".join(seen)
    assert "step" in text and "optimizer" in text.lower()
    assert len(seen) > 3


def test_hover_beside_another_server_is_not_doubled(neovim: Neovim) -> None:
    torch, other = neovim(
        SCRIPT,
        """
        person.diagnostics('TL101', person.with_code('TL101'))
        person.start_other_server('pyright')
        person.await('both servers', function() return #vim.lsp.get_clients({ bufnr = 0 }) == 2 end)
        person.go_to('optimizer.step', 'step')
        local torch = person.hover()
        person.go_to('inputs, targets', 'inputs')
        return { torch, person.hover() }
        """,
    )
    alone = neovim(
        SCRIPT,
        """
        person.diagnostics('TL101', person.with_code('TL101'))
        person.go_to('optimizer.step', 'step')
        return person.hover()
        """,
    )
    for line in [line for line in alone if re.search(r"\w{3}", line)]:
        assert torch.count(line) == alone.count(line)
    assert torch.count("the answer of pyright") == 1
    assert other == ["the answer of pyright"]


def test_explain_opens_the_answer_beside_the_code(neovim: Neovim) -> None:
    seen = neovim(
        SCRIPT,
        """
        person.diagnostics('TL101', person.with_code('TL101'))
        person.go_to('loss.backward', 'backward')
        vim.ui.select = function(items, _, chosen) chosen(items[1], 1) end
        vim.cmd('TorchloreExplain')
        return { page = person.page(), buffer = person.buffer() }
        """,
    )
    assert seen["page"][0].startswith("# ")
    assert "\n".join(seen["buffer"]) + "\n" == SCRIPT, "the code must stay where it is"


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch in this environment")
def test_run_shows_what_the_proof_printed(neovim: Neovim) -> None:
    seen = neovim(
        SCRIPT,
        """
        person.diagnostics('TL101', person.with_code('TL101'))
        person.go_to('loss.backward', 'backward')
        vim.ui.select = function(items, _, chosen) chosen(items[1], 1) end
        vim.cmd('TorchloreRun')
        return person.page()
        """,
    )
    page = "\n".join(seen)
    assert "## Output" in page
    assert "## Error" not in page


class Neovim:
    """Plays scenarios: each a piece of Lua that works as `person` and returns what it saw."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program = program
        self.folder = folder

    def __call__(self, text: str, scenario: str) -> Any:
        script, lua, out = (self.folder / name for name in ("train.py", "scenario.lua", "seen.json"))
        script.write_text(text, encoding="utf-8")
        out.unlink(missing_ok=True)
        lua.write_text(f"local person = require('person')\n{scenario}", encoding="utf-8")
        play = f"lua require('person').play({str(lua)!r})"
        arguments = ["--headless", "--clean", "-u", str(HERE / "init.lua"), str(script), "-c", play]
        done = subprocess.run(
            [self.program, *arguments], env=self.environment(out), capture_output=True, text=True, timeout=120
        )
        assert out.exists(), f"Neovim left nothing: {done.stdout}\n{done.stderr}"
        told = json.loads(out.read_text(encoding="utf-8"))
        assert "failure" not in told, f"{told['failure']}\n{done.stderr}\n{self.log()}"
        return told["result"]

    def environment(self, out: Path) -> dict[str, str]:
        return os.environ | {
            "TORCHLORE_SCENARIOS": str(HERE),
            "TORCHLORE_NEOVIM": str(ROOT / "editors" / "neovim"),
            "TORCHLORE_PYTHON": sys.executable,
            "TORCHLORE_OUT": str(out),
            "PYTHONPATH": str(ROOT / "server"),
            "XDG_STATE_HOME": str(self.folder / "state"),
        }

    def log(self) -> str:
        logs = [path.read_text(encoding="utf-8") for path in self.folder.glob("state/**/lsp.log")]
        return "\n".join(logs)[-4000:]


@pytest.fixture
def neovim(tmp_path: Path) -> Neovim:
    program = _find_neovim()
    if program is None:
        reason = "needs Neovim 0.11 or newer, in this environment or on the PATH"
        if os.environ.get("TORCHLORE_REQUIRE_EDITORS") == "1":
            pytest.fail(f"{reason} (TORCHLORE_REQUIRE_EDITORS=1)")
        pytest.skip(reason)
    return Neovim(program, tmp_path)


def _find_neovim() -> str | None:
    """The Neovim of this environment (a wheel brings it), else the one on the PATH, if new enough."""
    beside = Path(sys.executable).parent / "nvim"
    program = str(beside) if beside.exists() else shutil.which("nvim")
    if program is None:
        return None
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30).stdout
    version = re.match(r"NVIM v(\d+)\.(\d+)", told)
    return program if version and tuple(map(int, version.groups())) >= OLDEST else None


def mended(buffer: list[str], before: str) -> str:
    """The one line by which `buffer` is longer than `before`; asserts that nothing else changed."""
    lines = before.splitlines()
    [at] = [at for at in range(len(buffer)) if buffer[:at] + buffer[at + 1 :] == lines][:1]
    return buffer[at]
