"""What the recorded editors declare, for a server in this process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CLIENTS = {path.stem: path for path in sorted((Path(__file__).parents[1] / "e2e" / "clients").glob("*.json"))}
"""By name and version (`neovim_v0.11.4`) where their recordings are."""


def capabilities(name: str) -> dict[str, Any]:
    """What an editor said of itself."""
    recording: dict[str, Any] = json.loads(CLIENTS[name].read_text(encoding="utf-8"))
    declared: dict[str, Any] = recording["capabilities"]
    return declared
