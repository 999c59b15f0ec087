"""The packaged extension in the real VS Code, in a browser: what a person sees, and the pictures of it.

`make test-vscode` builds the VSIX, installs code-server and runs this. The pictures are in
.cache/vscode/pictures then; `make -C editors/vscode pictures` puts those that are shown into docs/images.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SCENARIOS = Path(__file__).parent / "vscode"
CACHE = ROOT / ".cache" / "vscode"
CODE_SERVER = CACHE / "code-server" / "node_modules"
PICTURES = CACHE / "pictures"
EXAMPLE = ROOT / "examples" / "train_classifier.py"
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<match><test name="family"><string>sans-serif</string></test>
<edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
<match><test name="family"><string>system-ui</string></test>
<edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match></fontconfig>
"""

# A quiet window: nothing that moves, asks or is not about the code.
USER_SETTINGS = {
    "breadcrumbs.enabled": False,
    "chat.disableAIFeatures": True,
    "editor.codeActionsOnSave": {"source.fixAll.torchlore": "explicit"},
    "editor.fontFamily": "'JetBrains Mono', 'DejaVu Sans Mono', monospace",
    "editor.fontLigatures": False,
    "editor.fontSize": 14,
    "editor.lineHeight": 1.55,
    "editor.hover.above": False,
    "editor.hover.delay": 200,
    "editor.minimap.enabled": False,
    "editor.occurrencesHighlight": "off",
    "editor.renderLineHighlight": "none",
    "editor.scrollbar.vertical": "hidden",
    "editor.stickyScroll.enabled": False,
    "extensions.autoCheckUpdates": False,
    "files.autoSave": "off",
    "git.enabled": False,
    "keyboard.layout": "us",
    "remote.autoForwardPorts": False,
    "security.workspace.trust.banner": "always",
    "security.workspace.trust.startupPrompt": "never",
    "telemetry.telemetryLevel": "off",
    "torchlore.runOwnCode": "always",
    "window.commandCenter": False,
    "workbench.activityBar.location": "hidden",
    "workbench.colorTheme": "Default Dark Modern",
    "workbench.layoutControl.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
}

# Prints as slowly as training does, and ends in a tensor that looks like an image.
OWN_CODE = """\
import time

import torch

for epoch in range(1, 7):
    print(f"epoch {epoch}  loss {2 / epoch:.3f}")
    time.sleep(1)
ramp = torch.linspace(0, 1, 48)
torch.stack([ramp.repeat(48, 1), ramp.repeat(48, 1).T, torch.full((48, 48), 0.5)])
"""

KEYS = {"torchlore.run": "Control+F9", "workbench.action.files.newUntitledFile": "Control+F10"}
ARGUMENTS = {
    "torchlore.run": {"code": OWN_CODE},
    "workbench.action.files.newUntitledFile": {"languageId": "python"},
}

NOTEBOOK = (
    "import torch\nfrom torch import nn, optim\n\n"
    "model = nn.Linear(2, 1)\noptimizer = optim.SGD(model.parameters(), lr=0.1)",
    "for _ in range(10):\n    loss = model(torch.ones(4, 2)).pow(2).mean()\n"
    "    loss.backward()\n    optimizer.step()",
)

pytestmark = [pytest.mark.vscode, pytest.mark.timeout(600)]

Play = Callable[[str, "Window", dict[str, Any]], dict[str, Any]]


def test_trusted_workspace_reads_mends_inserts_and_runs(tmp_path: Path, play: Play) -> None:
    with_mistakes = EXAMPLE.read_text(encoding="utf-8")
    with Window(tmp_path, trusted=True) as window:
        seen = play("trusted", window, order(with_mistakes))
        saved = window.script.read_text(encoding="utf-8")

    assert seen["problems"][0] == 4
    assert seen["squiggles"] >= 1
    assert "In your code" in seen["hovers"]["backward"]
    assert "Whole answer" in seen["hovers"]["step"]
    assert seen["picture"], "the card's picture did not show in the hover"
    assert "TL101" in seen["problem"] and "optimizer" in seen["problem"]
    assert "missing-zero-grad (TL101)" in seen["rule"], "the code leads to the page of its rule, rendered"
    assert "Clear the gradients" in seen["fixes"][0], "the repair must come first"
    assert seen["problems"][1] == 3
    assert seen["problems"][2] < 3, "saving mended nothing"
    assert "optimizer.zero_grad()" in saved
    compile(saved, "train_classifier.py", "exec")

    assert "Running" in seen["started"]
    assert "Finished" in seen["page"] and "Run again" in seen["page"]
    assert ".venv/bin/python (workspace .venv)" in seen["status"]
    assert "· cpu" not in seen["status"], "nobody looked at the devices yet"
    assert "· cpu" in seen["statusAfterRun"]
    assert "epoch 1" in seen["live"] and "Running" in seen["live"], "output must show while it runs"
    assert "shape (3, 48, 48)" in seen["own"] and seen["drawn"]
    assert "Run again" in seen["stopped"] and "Tensor" not in seen["stopped"]
    assert seen["devices"].startswith("cpu: ")

    assert seen["argument"] == "out_features: int"
    assert "bias=" in seen["completed"][0]
    assert seen["holes"] >= 2
    assert "memory:" in seen["printed"], "the server's own part of the debug information"
    assert seen["inserted"].count("net") >= 2, "one name in all places of a hole"
    assert seen["notifications"] == []


def test_a_notebook_is_understood_and_mended_as_one(tmp_path: Path, play: Play) -> None:
    line = "optimizer.step()"
    asked = {"file": "train.ipynb", "line": line, "column": line.index("step") + 1}
    with Window(tmp_path, trusted=True) as window:
        window.add_notebook(NOTEBOOK)
        seen = play("notebook", window, asked | {"shows": "In your code", "fix": "Clear the gradients"})
        first, second = window.cells()

    assert (seen["problems"], seen["left"]) == (1, 0)
    assert "TL101" in seen["hover"] and "torch.optim.SGD" in seen["hover"], "it is made in another cell"
    assert first == NOTEBOOK[0]
    assert second.index("optimizer.zero_grad()") < second.index("loss.backward()")
    assert seen["notifications"] == []


def test_restricted_mode_answers_and_runs_nothing_until_trusted(tmp_path: Path, play: Play) -> None:
    with Window(tmp_path, trusted=False) as window:
        trap = window.set_trap()
        seen = play("restricted", window, order(EXAMPLE.read_text(encoding="utf-8")) | {"trap": str(trap)})

    assert not seen["ranUntrusted"], "an interpreter of an untrusted workspace was started"
    assert trap.exists(), "the trap does not work: it must spring once the workspace is trusted"
    assert seen["problems"] == 4
    assert "In your code" in seen["hover"]
    assert any("Clear the gradients" in title for title in seen["fixes"])
    assert not any("Run the proof" in title for title in seen["fixes"])
    assert not any("Run" in title for title in seen["palette"])
    assert any("Explain" in title for title in seen["palette"])
    assert "nothing runs" in seen["status"]
    assert any("Run the proof" in title for title in seen["fixesOnceTrusted"])
    assert any("Run" in title for title in seen["paletteOnceTrusted"])
    assert seen["notifications"] == []


def test_each_folder_of_several_has_its_own_python_and_settings(tmp_path: Path, play: Play) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    with Window(tmp_path, trusted=True) as window:
        (window.workspace / ".venv").unlink()
        for name, environment in (("one", ".venv"), ("two", "venv")):
            folder = window.workspace / name
            folder.mkdir()
            (folder / f"train_{name}.py").write_text(text, encoding="utf-8")
            (folder / environment).symlink_to(sys.prefix)
        write_json(folder / ".vscode" / "settings.json", {"torchlore.codeLens": True})
        window.opened = window.folder / "both.code-workspace"
        folders = [{"path": str(window.workspace / name)} for name in ("one", "two")]
        write_json(window.opened, {"folders": folders})
        files = {"train_one.py": " .venv/bin/python", "train_two.py": " venv/bin/python"}
        above = place(text, "loss.backward()", "loss")
        lens = {"file": "train_two.py", "title": "Run the proof", "at": above}
        seen = play("severalFolders", window, {"files": files, "problems": 8, "lens": lens})
    assert "(workspace .venv)" in seen["status"]["train_one.py"]
    assert seen["lenses"]["train_one.py"] == 0 and seen["lenses"]["train_two.py"] > 0
    assert seen["problems"] == 8


def test_the_walkthrough_has_four_steps_with_pictures(tmp_path: Path, play: Play) -> None:
    with Window(tmp_path, trusted=True) as window:
        seen = play("walkthrough", window, {})
    assert len(seen["steps"]) == 4
    assert seen["image"]


def order(text: str) -> dict[str, Any]:
    """What the scenarios do where in the example."""
    backward = place(text, "loss.backward()", "backward")
    return {
        "mistakes": 4,
        "mistake": {
            "at": place(text, "optimizer.step()", "step"),
            "code": "TL101",
            "fix": "Clear the gradients",
        },
        "hovers": {
            "backward": {"at": backward, "shows": "backward"},
            "step": {"at": place(text, "optimizer.step()", "step"), "shows": "step"},
        },
        # The repair puts `optimizer.zero_grad()` where `backward` was.
        "run": {"at": [backward[0], backward[1] + 8], "command": "Run the Proof", "shows": "Run again"},
        "picture": {
            "at": place(text, "CosineAnnealingLR(", "CosineAnnealingLR"),
            "shows": "CosineAnnealingLR",
            "scroll": 14,
        },
        "own": {"key": KEYS["torchlore.run"], "prints": "epoch 1", "gives": "Tensor of shape"},
        "insert": {
            "key": KEYS["workbench.action.files.newUntitledFile"],
            "title": "Insert snippet: Mixed-precision training loop",
        },
    }


def place(text: str, line_with: str, word: str) -> list[int]:
    """Line and column of a word, both from 1, one character into it."""
    for number, line in enumerate(text.splitlines(), 1):
        if line_with in line:
            return [number, line.index(word, line.index(line_with)) + 2]
    raise LookupError(line_with)


class Window:
    """A code-server of its own, with its own settings, extensions and workspace."""

    def __init__(self, folder: Path, *, trusted: bool) -> None:
        self.trusted = trusted
        self.folder = folder
        self.workspace = folder / "spirals"
        self.script = self.workspace / EXAMPLE.name
        self.opened = self.workspace
        self.port = free_port()

    def __enter__(self) -> Window:
        self.workspace.mkdir()
        shutil.copy(EXAMPLE, self.script)
        write_json(self.folder / "data" / "User" / "settings.json", USER_SETTINGS)
        keys = [
            {"key": key.replace("Control", "ctrl"), "command": command, "args": ARGUMENTS[command]}
            for command, key in KEYS.items()
        ]
        write_json(self.folder / "data" / "User" / "keybindings.json", keys)
        if self.trusted:
            (self.workspace / ".venv").symlink_to(sys.prefix)
        else:  # What names a program is a setting of the machine.
            machine = {"torchlore.interpreter": sys.executable}
            write_json(self.folder / "data" / "Machine" / "settings.json", machine)
        (self.folder / "fonts.conf").write_text(FONTS, encoding="utf-8")
        subprocess.run(
            self.command("--install-extension", str(vsix())), check=True, capture_output=True, timeout=120
        )
        trust = ["--disable-workspace-trust"] if self.trusted else []
        serve = [
            "--bind-addr",
            f"127.0.0.1:{self.port}",
            "--auth",
            "none",
            "--disable-telemetry",
            "--disable-update-check",
        ]
        with (self.folder / "code-server.log").open("wb") as log:
            # A group of its own: extension hosts outlive their parent, and must be ended with it.
            self.process = subprocess.Popen(
                self.command(*serve, *trust), stdout=log, stderr=log, start_new_session=True
            )
        wait_for(f"{self.address}/healthz")
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str) -> list[str]:
        entry = CODE_SERVER / "code-server" / "out" / "node" / "entry.js"
        folders = [
            "--user-data-dir",
            str(self.folder / "data"),
            "--extensions-dir",
            str(self.folder / "extensions"),
        ]
        return [str(CACHE / "bin" / "node"), str(entry), *folders, *arguments]

    def add_notebook(self, cells: tuple[str, ...]) -> None:
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        shared: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        notebook = {
            "nbformat": 4,
            "nbformat_minor": 2,
            "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
            "cells": [{**shared, "source": cell.splitlines(keepends=True)} for cell in cells],
        }
        write_json(self.workspace / "train.ipynb", notebook)

    def cells(self) -> list[str]:
        notebook = json.loads((self.workspace / "train.ipynb").read_text(encoding="utf-8"))
        return ["".join(cell["source"]) for cell in notebook["cells"]]

    def set_trap(self) -> Path:
        """Puts an interpreter into the workspace that tells when it is started; returns what it leaves."""
        left = self.folder / "was-started"
        python = self.workspace / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\ntouch "{left}"\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        (python.parent.parent / "pyvenv.cfg").touch()
        settings = {"torchlore.interpreter": str(python), "torchlore.path": [str(python), "-m", "torchlore"]}
        write_json(self.workspace / ".vscode" / "settings.json", settings)
        return left


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    assert browser, "no Chromium: run `make test-vscode`, which installs what this needs"

    def run(name: str, window: Window, given: dict[str, Any]) -> dict[str, Any]:
        PICTURES.mkdir(parents=True, exist_ok=True)
        out, file = tmp_path / "seen.json", tmp_path / "order.json"
        size = {"width": 1280, "height": 800, "scale": 1.5}
        kind = "folder" if window.opened.is_dir() else "workspace"
        address = f"{window.address}/?{kind}={window.opened}"
        told = {
            "failed": str(CACHE / f"failed-{name}.png"),
            "out": str(out),
            "pictures": str(PICTURES),
            "window": {"address": address, "browser": browser, **size},
        }
        write_json(file, given | told)
        environment = os.environ | {
            "TORCHLORE_NODE_MODULES": str(CODE_SERVER),
            "FONTCONFIG_FILE": str(tmp_path / "fonts.conf"),
        }
        command = [str(CACHE / "bin" / "node"), str(SCENARIOS / "scenarios.mjs"), name, str(file)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stderr + server_log(window.folder)
        return dict(json.loads(out.read_text(encoding="utf-8")))

    yield run


def server_log(folder: Path) -> str:
    logs = folder.glob("data/logs/**/*torchlore*.log")
    return "\n".join(log.read_text(encoding="utf-8") for log in logs)[-4000:]


def vsix() -> Path:
    built = sorted((ROOT / "dist").glob("torchlore-*.vsix"), key=lambda path: path.stat().st_mtime)
    assert built, "no VSIX: run `make vsix`"
    return built[-1]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(address, timeout=5)
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(address)


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
