"""All that holds of a run holds of one on a warm agent: the tests of `run` and of hostile snippets once more.

They share one agent, so that what a snippet does to it meets the next one.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import device_support
import pytest
import pytest_asyncio
from test_device_hostile import *  # noqa: F403
from test_device_run import *  # noqa: F403
from torchlore.device import Crew

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.filterwarnings("ignore:.*it is not an async function"),
    pytest.mark.skipif(sys.platform == "win32", reason="as in test_device_hostile"),
]


@pytest_asyncio.fixture(loop_scope="module", scope="module", autouse=True)
async def crew(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Crew]:
    folder = tmp_path_factory.mktemp("warm")
    shared = Crew()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(folder))
        patch.setattr(device_support, "CREW", shared)
        yield shared
        await shared.close()
    assert not list(folder.iterdir()), "the agents left something behind"


@pytest.fixture(autouse=True)
def nothing_left(crew: Crew) -> Iterator[Path]:
    """No run leaves anything in its agent's directory."""
    folder = Path(tempfile.gettempdir())
    yield folder
    assert not [path for home in folder.iterdir() for path in home.iterdir() if path.name != "nursery"]
