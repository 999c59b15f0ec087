"""The configuration in editors/jupyterlab, in the real JupyterLab, in a browser.

`make test-jupyterlab` makes the environment that it runs in, and then runs this.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from editor_support import ROOT

HERE = Path(__file__).parent / "jupyterlab"
HOME = ROOT / ".cache" / "jupyterlab"
CELLS = (
    """\
import torch
import torch.nn.functional as F
from torch import nn
model = nn.Linear(10, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)""",
    """\
loader = torch.utils.data.DataLoader(list(range(3)))
for inputs, targets in loader:
    loss = F.cross_entropy(model(inputs), targets)
    loss.backward()
    optimizer.step()""",
)

pytestmark = [pytest.mark.jupyterlab, pytest.mark.timeout(300)]


def test_a_mistake_across_cells_is_underlined_and_a_hover_answers(address: str, tmp_path: Path) -> None:
    picture = HOME / "window.png"
    browser = shutil.which("chromium")
    assert browser is not None
    done = subprocess.run(
        [HOME / "bin" / "python", HERE / "person.py", address, browser, picture],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, f"{done.stderr}\nThe window as it was then: {picture}"
    seen = json.loads(done.stdout)
    assert seen["underlined"] == "optimizer.step()"
    assert "nothing in this loop clears its gradients" in seen["problem"]
    assert seen["problem"].endswith("torchlore")
    assert "In your code" in seen["hover"]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A JupyterLab with our two files where the README says, over a notebook with a mistake."""
    if not (HOME / "bin" / "jupyter").exists():
        pytest.fail("there is no .cache/jupyterlab: run `make test-jupyterlab`")
    put("torchlore.json", HOME / "etc" / "jupyter" / "jupyter_server_config.d")
    put("overrides.json", HOME / "share" / "jupyter" / "lab" / "settings")
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "train.ipynb").write_text(notebook(), encoding="utf-8")
    port = free_port()
    settings = {
        "port": port,
        "ServerApp.token": "",
        "ServerApp.password": "",
        "ServerApp.root_dir": workspace,
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [HOME / "bin" / "jupyter", "lab", "--no-browser", "--allow-root", *options],
            env=os.environ
            | {"PATH": f"{HOME / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)},
            stdout=log,
            stderr=log,
        )
    try:
        yield wait_for(f"http://127.0.0.1:{port}", server)
    finally:
        server.terminate()
        server.wait(30)


def put(name: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "editors" / "jupyterlab" / name, folder)


def notebook() -> str:
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{at}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for at, source in enumerate(CELLS)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})


def wait_for(address: str, server: subprocess.Popen[bytes]) -> str:
    """The address, once something answers there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/api", timeout=5):
                return address
        except OSError:
            time.sleep(0.2)
    raise AssertionError("JupyterLab did not start")


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port
