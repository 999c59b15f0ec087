"""The VS Code tests take minutes and a browser: they run only when they are asked for."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips them with a reason, so that the summary tells of them; `-m vscode` asks for them."""
    if "vscode" in config.option.markexpr:
        return
    for item in items:
        if item.get_closest_marker("vscode"):
            item.add_marker(pytest.mark.skip(reason="drives the real VS Code: run `make test-vscode`"))
