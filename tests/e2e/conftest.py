"""One server for each recorded editor, for the whole session: starting one takes most of a second."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from harness import CLIENTS, Editor, editor

_numbers = itertools.count()


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=list(CLIENTS))
async def any_editor(request: pytest.FixtureRequest, workspace: Path) -> AsyncIterator[Editor]:
    """Each of the recorded editors."""
    async with editor(workspace, name=request.param) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def vscode(workspace: Path) -> AsyncIterator[Editor]:
    """The editor that declares most."""
    name = next(name for name in CLIENTS if name.startswith("visual_studio_code"))
    async with editor(workspace, name=name) as started:
        yield started


@pytest.fixture
def new_file(workspace: Path) -> Callable[[], str]:
    """The URI of a file that no other test uses; nothing is written."""
    return lambda: (workspace / f"train_{next(_numbers)}.py").as_uri()
