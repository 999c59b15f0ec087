"""What the tests of the command line share: running it, and files with a mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SERVER = Path(__file__).resolve().parents[2] / "server"

MISTAKE = """\
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(x)
"""
"""One mistake, TL301, with a safe fix: `super().__init__()` is missing."""

CLEAN = MISTAKE.replace("        self.layer =", "        super().__init__()\n        self.layer =")


def torchlore(
    *arguments: str | Path, cwd: Path, stdin: bytes | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs `torchlore` as a process of its own, output as text."""
    done = subprocess.run(
        [sys.executable, "-m", "torchlore", *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
        env={
            **{k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "NO_COLOR", "COLUMNS")},
            "PYTHONPATH": str(SERVER),
            "PYTHONIOENCODING": "utf-8",
            **environment,
        },
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode().replace("\r\n", "\n")
    )
