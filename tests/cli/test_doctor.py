"""`torchlore doctor`: what it finds, what is missing, and how to get it."""

from __future__ import annotations

import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest
from cli_support import torchlore
from torchlore.cli.advice import Machine, about_device, about_editors, about_interpreter
from torchlore.cli.editors import Editor, installed_editors
from torchlore.device import DeviceInfo, Environment, Interpreter
from torchlore.device.consent import give_consent
from torchlore.knowledge import cards
from torchlore.rules import all_rules

PYTHON = Interpreter("/env/bin/python", "setting")
CPU = DeviceInfo("cpu", "cpu", "a CPU", None, None)
GPU = DeviceInfo("cuda:0", "cuda", "a GPU", None, None)
NEOVIM = Editor("Neovim", "/usr/bin/nvim", "neovim", set_up=True)


def found(torch: str | None = "2.13.0", problem: str | None = None, python: str = "3.11.7") -> Environment:
    return Environment(python, PYTHON.path, torch, (CPU,), problem)


def machine(**changed: object) -> Machine:
    usual = {"command": "/bin/torchlore", "beside": None, "nvidia": True, "editors": [NEOVIM], "environ": {}}
    return Machine(**{**usual, **changed})  # type: ignore[arg-type]


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed here")
def test_what_is_there(tmp_path: Path) -> None:
    done = torchlore("doctor", "--interpreter", sys.executable, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    rows = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert rows["interpreter"].startswith(sys.executable)
    assert rows["torch"][0].isdigit()
    assert rows["device"].startswith(("cpu", "cuda", "mps", "xpu"))
    assert rows["knowledge"].startswith(f"{len(all_rules())} rules, {len(cards())} cards")
    assert "problem" not in rows


def test_an_interpreter_that_does_not_exist(tmp_path: Path) -> None:
    done = torchlore("doctor", "--interpreter", "/no/such/python", cwd=tmp_path)
    assert done.returncode == 1
    assert "/no/such/python" in done.stdout.split("problem")[1]
    assert "python3 -m venv .venv" in done.stdout.split("what to do")[1]


def test_an_interpreter_without_torch(tmp_path: Path) -> None:
    venv.create(tmp_path / ".venv")
    done = torchlore("doctor", cwd=tmp_path)
    assert done.returncode == 1
    python = tmp_path / ".venv" / "bin" / "python"
    assert f"`{python} -m pip install torch numpy`" in done.stdout.split("what to do")[1]


def test_a_configuration_with_a_mistake_is_told_and_the_rest_as_well(tmp_path: Path) -> None:
    (tmp_path / "torchlore.toml").write_text("selct = 3\n", encoding="utf-8")
    done = torchlore("doctor", "--interpreter", sys.executable, cwd=tmp_path)
    assert done.returncode == 1
    assert "selct" in done.stdout.split("problem")[1]
    assert "knowledge" in done.stdout


def test_consent_that_was_given(tmp_path: Path) -> None:
    state = tmp_path / "state"
    give_consent(tmp_path, state / "torchlore" / "consent.json")
    asked = ("doctor", "--interpreter", "/no/such/python")
    assert "you agreed once" in torchlore(*asked, cwd=tmp_path, XDG_STATE_HOME=str(state)).stdout
    assert "an editor asks" in torchlore(*asked, cwd=tmp_path, XDG_STATE_HOME=str(tmp_path)).stdout


def test_nothing_is_said_of_an_interpreter_that_is_fine() -> None:
    assert not list(about_interpreter(PYTHON, found()))


def test_a_torch_that_cannot_be_imported() -> None:
    first, *_ = about_interpreter(PYTHON, found(torch="2.13.0", problem="it cannot import its torch"))
    assert "/env/bin/python -c 'import torch'" in first


@pytest.mark.parametrize(
    ("torch", "environ", "says"),
    [
        ("2.13.0+cpu", {}, "build with CUDA"),
        ("2.13.0+cu130", {"CUDA_VISIBLE_DEVICES": ""}, "CUDA_VISIBLE_DEVICES is ''"),
        ("2.13.0+cu130", {}, "nvidia-smi"),
    ],
)
def test_a_gpu_that_torch_does_not_see(torch: str, environ: dict[str, str], says: str) -> None:
    (advice,) = about_device(found(torch), machine(environ=environ))
    assert says in advice.how


def test_nothing_is_said_of_devices_where_all_is_well() -> None:
    seen = Environment("3.11.7", PYTHON.path, "2.13.0", (GPU, CPU), None)
    assert not list(about_device(seen, machine()))
    assert not list(about_device(found("2.13.0+cpu"), machine(nvidia=False)))
    assert not list(about_device(found(None, "no torch"), machine()))


def test_editors_and_the_path() -> None:
    assert not list(about_editors(machine()))
    (none,) = about_editors(machine(editors=[]))
    assert "torchlore check" in none.how
    (fresh,) = about_editors(machine(editors=[Editor("Vim", "/usr/bin/vim", "vim", set_up=False)]))
    assert "editors/vim/README.md" in fresh.how
    (path,) = about_editors(machine(command=None, beside=Path("/env/bin/torchlore")))
    assert "/env/bin" in path.how
    bundled = Editor("VS Code", "/usr/bin/code", "vscode", set_up=True)
    assert not list(about_editors(machine(command=None, editors=[bundled]))), "VS Code brings its own server"


def test_editors_are_looked_for_on_the_path_and_in_their_files(tmp_path: Path) -> None:
    for name in ("nvim", "vim"):
        (tmp_path / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    settings = tmp_path / ".config" / "nvim" / "lua" / "plugins"
    settings.mkdir(parents=True)
    (settings / "python.lua").write_text("vim.lsp.enable('torchlore')\n", encoding="utf-8")
    (tmp_path / ".vimrc").write_text("syntax on\n", encoding="utf-8")
    editors = installed_editors(tmp_path, {"PATH": str(tmp_path)})
    assert [(editor.name, editor.set_up) for editor in editors] == [("Neovim", True), ("Vim", False)]
    assert not any(editor.set_up for editor in installed_editors(tmp_path / "else", {"PATH": str(tmp_path)}))


def test_every_editor_has_its_page() -> None:
    from torchlore.cli.editors import _EDITORS

    root = Path(__file__).parents[2]
    for _, folder, _ in _EDITORS.values():
        assert (root / "editors" / folder / "README.md").is_file()
