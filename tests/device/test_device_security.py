"""The threats of `docs/security.md` that no other file tries, and whether all that it names is there."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from device_support import SMALL, entries, execute
from torchlore.device import Crew, leaving
from torchlore_agent import network

TESTS = Path(__file__).parents[1]
DOCUMENT = TESTS.parent / "docs" / "security.md"

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such links")


@pytest_asyncio.fixture(params=["cold", "forked", "spawned"])
async def crew(
    request: pytest.FixtureRequest, nothing_left: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Crew | None]:
    if request.param == "spawned":
        monkeypatch.setenv("TORCHLORE_NO_FORK", "1")
    crew = None if request.param == "cold" else Crew()
    yield crew
    if crew is not None:
        await crew.close()


def test_every_threat_is_tried() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and "| threat" not in line]
    assert len(rows) > 10
    for row in rows:
        [(file, test)] = re.findall(r"`(test_\w+\.py)::(test_\w+)`", row)
        [path] = TESTS.rglob(file)
        assert re.search(rf"^(async )?def {test}\(", path.read_text(encoding="utf-8"), re.MULTILINE), row


async def test_files_of_the_workspace_shadow_nothing(
    crew: Crew | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the snippet nor in the agent nor where torch is kept: each would leave a witness."""
    workspace, witness = tmp_path / "workspace", tmp_path / "witness"
    workspace.mkdir()
    for name in ("torch", "sitecustomize", "usercustomize", "json", "random", "torchlore_agent", "ctypes"):
        (workspace / f"{name}.py").write_text(f"open({str(witness)!r}, 'a').write({name!r})\n")
    monkeypatch.chdir(workspace)
    monkeypatch.setenv("PYTHONPATH", str(workspace))
    monkeypatch.setenv("PYTHONSAFEPATH", "")
    result = await execute("import json, random, torch\nprint(torch.ones(2).sum().item())", crew=crew)
    assert (result.stdout, witness.exists()) == ("2.0\n", False), result.stderr


@posix
async def test_cleaning_up_follows_no_link(crew: Crew | None, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "folder").mkdir(parents=True)
    (outside / "folder" / "file").write_text("precious")
    (outside / "folder").chmod(0o755)
    code = (
        "import os\n"
        "own = os.path.dirname(os.getcwd())\n"
        "os.rename(own, own + '-moved')\n"
        f"os.symlink({str(outside)!r}, own)\n"
        "print('done')\n"
    )
    result = await execute(code, crew=crew)
    assert result.stdout == "done\n"
    assert (outside / "folder" / "file").read_text() == "precious"
    assert (outside / "folder").stat().st_mode & 0o777 == 0o755


@posix
def test_removing_a_link_changes_nothing_behind_it(tmp_path: Path) -> None:
    outside, link = tmp_path / "outside", tmp_path / "link"
    (outside / "folder").mkdir(parents=True, mode=0o755)
    link.symlink_to(outside)
    leaving.remove(link)
    assert not link.is_symlink() and (outside / "folder").stat().st_mode & 0o777 == 0o755


@posix
async def test_a_directory_that_is_not_ours_any_more_is_not_used(nothing_left: Path, tmp_path: Path) -> None:
    """A link has taken the place of the agent's directory between two runs; or others may enter it."""
    crew = Crew()
    first = (await execute("import os\nprint(os.getppid())", crew=crew)).stdout
    [home] = entries(nothing_left)
    (nothing_left / home).chmod(0o777)
    second = (await execute("import os\nprint(os.getppid())", crew=crew)).stdout
    [home] = entries(nothing_left)
    (nothing_left / home).rename(tmp_path / "moved")
    (tmp_path / "moved").chmod(0o700)
    (nothing_left / home).symlink_to(tmp_path / "moved")
    third = (await execute("import os\nprint(os.getppid())", crew=crew)).stdout
    assert len({first, second, third}) == 3
    await crew.close()


def _can_cut_off() -> bool:
    """Asked in a process of its own: there is no way back."""
    pid = os.fork() if sys.platform == "linux" else 0
    if pid == 0:
        return False if sys.platform != "linux" else os._exit(0 if network.cut_off() else 1)
    return os.waitpid(pid, 0)[1] == 0


async def test_a_shipped_snippet_reaches_no_other_machine(crew: Crew | None) -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    listener = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    code = (
        "import os, socket\n"
        "def reach(port):\n"
        "    try: socket.create_connection(('127.0.0.1', port), 5).close()\n"
        "    except OSError: return False\n"
        "    return True\n"
        "own = socket.create_server(('127.0.0.1', 0))\n"
        f"print(reach({port}), reach(own.getsockname()[1]), os.getuid())\n"
    )
    free = await execute(code, crew=crew)
    kept = await execute(code, crew=crew, limits=replace(SMALL, network=False))
    listener.close()
    user = os.getuid()
    assert (free.offline, free.stdout) == (False, f"True True {user}\n")
    if not _can_cut_off():
        pytest.skip("the kernel lets this user make no network of its own")
    # What the process itself serves can still be reached: processes that train together speak so.
    assert (kept.offline, kept.stdout) == (True, f"False True {user}\n")
