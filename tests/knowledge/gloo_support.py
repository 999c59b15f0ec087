"""Programs whose processes speak by gloo, which seldom aborts one of them as it ends."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_TORN_DOWN = "terminate called without an active exception"
"""What gloo's threads say, only on a busy machine, when a process has done all that it was to do."""

_TRIES = 3


def run_with_gloo(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Runs a program in a folder; once more where nothing but gloo's end of a process failed."""
    for _ in range(_TRIES):
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=240,
            check=False,
        )
        if _TORN_DOWN not in done.stderr or "Error" in done.stdout:
            break
    return done
