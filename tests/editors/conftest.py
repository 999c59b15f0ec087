"""The tests that need minutes, a browser and an environment of their own run only when they are asked for."""

from __future__ import annotations

import pytest

ASKED_FOR = {
    "vscode": "drives the real VS Code: run `make test-vscode`",
    "jupyterlab": "drives the real JupyterLab: run `make test-jupyterlab`",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips them with a reason, so that the summary tells of them; `-m vscode` asks for those."""
    for marker, reason in ASKED_FOR.items():
        if marker in config.option.markexpr and f"not {marker}" not in config.option.markexpr:
            continue
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))
