"""What the tests of the terminal editors share: the script that is opened, and what becomes of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).parents[2]

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


def mended(buffer: list[str], before: str) -> str:
    """The one line by which `buffer` is longer than `before`; asserts that nothing else changed."""
    lines = before.splitlines()
    [at] = [at for at in range(len(buffer)) if buffer[:at] + buffer[at + 1 :] == lines][:1]
    return buffer[at]


def missing(what: str) -> NoReturn:
    """Skips for want of an editor; where continuous integration requires the editors, fails."""
    reason = f"needs {what}"
    if os.environ.get("TORCHLORE_REQUIRE_EDITORS") == "1":
        pytest.fail(f"{reason} (TORCHLORE_REQUIRE_EDITORS=1)")
    pytest.skip(reason)


def environment(folder: Path, out: Path, **more: str) -> dict[str, str]:
    """What an editor is started with: the server of this checkout, and a home of its own."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return os.environ | {
        "HOME": str(home),
        "TORCHLORE_EDITORS": str(ROOT / "editors"),
        "TORCHLORE_OUT": str(out),
        "TORCHLORE_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT / "server"),
        **more,
    }
