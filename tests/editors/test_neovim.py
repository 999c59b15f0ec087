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
from editor_support import SCRIPT, WIDE, environment, mended, missing

HERE = Path(__file__).parent / "neovim"
OLDEST, NEW = (0, 7), (0, 11)


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


def test_ask_shows_the_card_that_answers(neovim: Neovim) -> None:
    seen = neovim(
        SCRIPT,
        """
        person.diagnostics('TL101', person.with_code('TL101'))
        vim.cmd('TorchloreAsk why do gradients accumulate')
        return person.page()
        """,
    )
    assert "gradients" in seen[0]


def test_says_where_there_is_nothing_to_explain(neovim: Neovim) -> None:
    seen = neovim(
        SCRIPT,
        """
        person.diagnostics('TL101', person.with_code('TL101'))
        person.go_to('inputs, targets', 'inputs')
        vim.cmd('TorchloreExplain')
        return person.await('a message', function()
          return vim.fn.execute('messages'):match('torchlore: [^\\n]*')
        end)
        """,
    )
    assert seen == "torchlore: there is nothing of PyTorch to explain here"


def test_checkhealth_tells_of_program_machine_and_server(neovim: Neovim) -> None:
    seen = neovim(
        SCRIPT,
        """
        person.diagnostics('TL101', person.with_code('TL101'))
        vim.cmd('checkhealth torchlore')
        return vim.api.nvim_buf_get_lines(0, 0, -1, true)
        """,
    )
    report = "\n".join(seen)
    assert "ERROR" not in report
    assert "OK torchlore 0" in report
    assert "interpreter  " in report
    assert "OK running" in report


def test_checkhealth_says_how_to_get_the_program(neovim: Neovim) -> None:
    seen = neovim(
        "x = 1\n",
        """
        vim.lsp.config('torchlore', { cmd = { 'no-such-program', 'serve' } })
        vim.cmd('checkhealth torchlore')
        return vim.api.nvim_buf_get_lines(0, 0, -1, true)
        """,
    )
    report = "\n".join(seen)
    assert "ERROR no-such-program is not on the PATH" in report
    assert "pip install" in report


CONFIGURATION = """\
[project]
name = "spirals"

[tool.torchlore]
severity = "hint"
"""
KEY = """
person.await('the server', function() return require('torchlore').client(0) end)
person.go_to('severity', 'severity')
vim.keymap.set('n', 'K', vim.lsp.buf.hover) -- As it is from 0.10 on.
return person.hover()
"""


def test_a_key_of_the_configuration_is_explained(neovim: Neovim) -> None:
    assert neovim(CONFIGURATION, KEY, "pyproject.toml")[0].strip("* ") == "severity"


def test_a_key_is_explained_before_0_11_too(old_neovim: Neovim) -> None:
    assert old_neovim(CONFIGURATION, KEY, "pyproject.toml")[0].strip("* ") == "severity"


@pytest.mark.parametrize("file", ["pyproject.toml", "other.toml"])
def test_files_of_others_start_nothing(neovim: Neovim, file: str) -> None:
    text = CONFIGURATION.replace("tool.torchlore", "tool.ruff") if file == "pyproject.toml" else CONFIGURATION
    seen = neovim(
        text,
        """
        person.await('the type of the file', function() return vim.bo.filetype == 'toml' end)
        vim.wait(500)
        return #vim.lsp.get_clients()
        """,
        file,
    )
    assert seen == 0


def test_setup_does_in_a_new_neovim_what_enable_does(neovim: Neovim) -> None:
    seen = neovim(
        SCRIPT,
        """
        require('torchlore').setup({ init_options = { untrustedWorkspace = true } })
        person.diagnostics('TL101', person.with_code('TL101'))
        return #vim.lsp.get_clients({ name = 'torchlore' })
        """,
    )
    assert seen == 1


def test_options_in_settings_are_heeded(neovim: Neovim) -> None:
    """Where most users of Neovim put the options of a server. Hints are off by default."""
    seen = neovim(
        SCRIPT,
        """
        person.diagnostics('TL101', person.with_code('TL101'))
        vim.lsp.stop_client(vim.lsp.get_clients())
        person.await('the end of the server', function() return #vim.lsp.get_clients() == 0 end)
        vim.lsp.config('torchlore', { settings = { torchlore = { inlayHints = true } } })
        vim.cmd('edit')
        person.await('the next server', function()
          local client = require('torchlore').client(0)
          return client and client.initialized
        end)
        vim.lsp.inlay_hint.enable()
        return person.await('a hint', function()
          local hints = vim.lsp.inlay_hint.get({ bufnr = 0 })
          return #hints > 0 and hints[1].inlay_hint.label
        end)
        """,
    )
    assert "parameters" in seen


def test_neovim_before_0_11_shows_explains_and_asks(old_neovim: Neovim) -> None:
    """`setup` in place of `vim.lsp.enable`: the Neovim that distributions have."""
    seen = old_neovim(
        SCRIPT,
        """
        local found = person.diagnostics('TL101', person.with_code('TL101'))
        person.go_to('loss.backward', 'backward')
        vim.ui.select = function(items, _, chosen) chosen(items[1], 1) end
        vim.cmd('TorchloreExplain')
        local explained = person.page()
        vim.cmd('pclose')
        vim.cmd('TorchloreAsk why do gradients accumulate')
        return { found = found, explained = explained, asked = person.page(), code = person.buffer() }
        """,
    )
    assert [item["text"] for item in seen["found"]] == ["optimizer.step()"]
    assert seen["explained"][0].startswith("# ")
    assert "gradients" in seen["asked"][0]
    assert "\n".join(seen["code"]) + "\n" == SCRIPT


def test_checkhealth_before_0_11(old_neovim: Neovim) -> None:
    seen = old_neovim(
        SCRIPT,
        """
        vim.cmd('checkhealth torchlore')
        return vim.api.nvim_buf_get_lines(0, 0, -1, true)
        """,
    )
    report = "\n".join(seen)
    assert "is not on the PATH" in report or "torchlore 0" in report


class Neovim:
    """Plays scenarios: each a piece of Lua that works as `person` and returns what it saw."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program = program
        self.folder = folder

    def __call__(self, text: str, scenario: str, file: str = "train.py") -> Any:
        script, lua, out = (self.folder / name for name in (file, "scenario.lua", "seen.json"))
        script.write_text(text, encoding="utf-8")
        out.unlink(missing_ok=True)
        lua.write_text(f"local person = require('person')\n{scenario}", encoding="utf-8")
        play = f"lua require('person').play({str(lua)!r})"
        arguments = ["--headless", "--clean", "-u", str(HERE / "init.lua"), str(script), "-c", play]
        done = subprocess.run(
            [self.program, *arguments],
            env=environment(
                self.folder,
                out,
                TORCHLORE_SCENARIOS=str(HERE),
                XDG_STATE_HOME=str(self.folder / "state"),
                XDG_CACHE_HOME=str(self.folder / "cache"),
            ),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert out.exists(), f"Neovim left nothing: {done.stdout}\n{done.stderr}"
        told = json.loads(out.read_text(encoding="utf-8"))
        assert "failure" not in told, f"{told['failure']}\n{done.stderr}\n{self.log()}"
        return told["result"]

    def log(self) -> str:
        logs = [path.read_text(encoding="utf-8") for path in self.folder.glob("state/**/lsp.log")]
        return "\n".join(logs)[-4000:]


@pytest.fixture
def neovim(tmp_path: Path) -> Neovim:
    """The Neovim of this environment (a wheel brings it), else the one on the PATH, if new enough."""
    candidates = (str(Path(sys.executable).parent / "nvim"), shutil.which("nvim"))
    program = next((found for found in candidates if found and version(found) >= NEW), None)
    if program is None:
        missing("Neovim 0.11 or newer, in this environment or on the PATH")
    return Neovim(program, tmp_path)


@pytest.fixture
def old_neovim(tmp_path: Path) -> Neovim:
    """The Neovim of the distribution, where that is an old one."""
    folders = [folder for folder in os.get_exec_path() if Path(folder) != Path(sys.executable).parent]
    program = shutil.which("nvim", path=os.pathsep.join(folders))
    if program is None or not OLDEST <= version(program) < NEW:
        missing("a Neovim from 0.7 to 0.10 on the PATH")
    return Neovim(program, tmp_path)


def version(program: str) -> tuple[int, ...]:
    """Of a Neovim; empty where it is none."""
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30).stdout
    except OSError:
        return ()
    found = re.match(r"NVIM v(\d+)\.(\d+)", told)
    return tuple(map(int, found.groups())) if found else ()
