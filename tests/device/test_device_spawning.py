"""Warm processes where none can be forked, as on macOS and Windows; here Linux is told to do the same."""

from __future__ import annotations

import asyncio
import os
import signal
import venv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from device_support import THIS, entries, eventually, execute, gone, numbers_in
from torchlore.device import Crew, Interpreter, Limits, Trust

pytestmark = pytest.mark.skipif(os.name != "posix", reason="looks at processes as POSIX has them")

AT_REST = "import os\nprint(os.getppid(), os.getpid())"


@pytest_asyncio.fixture
async def crew(nothing_left: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Crew]:
    monkeypatch.setenv("TORCHLORE_NO_FORK", "1")
    crew = Crew()
    yield crew
    await crew.close()


async def agent_of(crew: Crew) -> int:
    return numbers_in((await execute(AT_REST, crew=crew)).stdout)[0]


def spares(agent: int) -> list[int]:
    """The processes that wait for an order, or import torch before they do."""
    return numbers_in(Path(f"/proc/{agent}/task/{agent}/children").read_text())


def has_torch(pid: int) -> bool:
    try:
        return "libtorch" in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False


async def spare_of(agent: int) -> int:
    """The one that is at rest, once it is."""
    assert await asyncio.to_thread(eventually, lambda: any(map(has_torch, spares(agent))))
    [spare] = spares(agent)
    return spare


async def test_torch_is_imported_before_the_snippet_starts(crew: Crew) -> None:
    code = "import sys\nprint('torch' in sys.modules, repr(sys.stdin.read()))"
    for _ in range(2):
        result = await execute(code, crew=crew)
        assert (result.stdout, result.stderr) == ("True ''\n", "")


async def test_the_next_one_is_started_while_this_one_runs(crew: Crew) -> None:
    code = (
        "import os, time\n"
        "path = f'/proc/{os.getppid()}/task/{os.getppid()}/children'\n"
        "while len(open(path).read().split()) < 2: time.sleep(0.01)\n"
        "print(*[pid for pid in open(path).read().split() if int(pid) != os.getpid()])"
    )
    [other] = numbers_in((await execute(code, crew=crew)).stdout)
    assert numbers_in((await execute("import os\nprint(os.getpid())", crew=crew)).stdout) == [other]


async def test_a_single_run_starts_no_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHLORE_NO_FORK", "1")
    code = (
        "import os, time\n"
        "time.sleep(1.5)\n"
        "print(len(open(f'/proc/{os.getppid()}/task/{os.getppid()}/children').read().split()))"
    )
    async with Crew(idle_seconds=0) as crew:
        assert (await execute(code, crew=crew)).stdout == "1\n"


async def test_each_run_is_a_process_with_numbers_and_a_directory_of_its_own(crew: Crew) -> None:
    code = (
        "import os, random, tempfile, numpy, torch, uuid\n"
        "print(os.getpid(), os.getpgid(0) == os.getpid(), os.getcwd(), tempfile.gettempdir(),\n"
        "    random.random(), numpy.random.rand(), torch.rand(1).item(), uuid.uuid4())"
    )
    one, other = [(await execute(code, crew=crew)).stdout.split() for _ in range(2)]
    assert set(one) & set(other) == {"True"}


async def test_the_device_that_is_asked_for_reaches_a_process_that_is_there_already(crew: Crew) -> None:
    await execute("pass", crew=crew)
    code = "import os\nprint(repr(os.environ.get('CUDA_VISIBLE_DEVICES')))"
    assert (await execute(code, crew=crew, device="cpu")).stdout == "''\n"


async def test_the_end_is_that_of_an_interpreter(crew: Crew) -> None:
    code = "import atexit, sys\natexit.register(print, 'at exit')\nsys.exit(3)"
    result = await execute(code, crew=crew)
    assert (result.stdout, result.exit_code) == ("at exit\n", 3)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_one_at_rest_may_die_or_be_stopped(number: signal.Signals, crew: Crew) -> None:
    agent = await agent_of(crew)
    os.kill(await spare_of(agent), number)
    assert (await execute("print('fine')", crew=crew)).stdout == "fine\n"
    assert await agent_of(crew) == agent


async def test_one_that_dies_on_its_way_is_made_good(crew: Crew) -> None:
    task = asyncio.ensure_future(execute("print('fine')", crew=crew))

    def on_their_way() -> list[int]:
        agents = spares(os.getpid())
        return [pid for agent in agents for pid in spares(agent)]

    assert await asyncio.to_thread(eventually, lambda: bool(on_their_way()))
    os.kill(on_their_way()[0], signal.SIGKILL)
    result = await task
    assert (result.outcome, result.stdout) == ("finished", "fine\n")


async def test_cancelling_a_run_ends_that_one_alone(crew: Crew) -> None:
    agent = await agent_of(crew)
    spare = await spare_of(agent)
    task = asyncio.ensure_future(execute("import time\ntime.sleep(60)", crew=crew))
    assert await asyncio.to_thread(eventually, lambda: len(spares(agent)) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone([spare])
    assert await agent_of(crew) == agent


async def test_what_is_at_rest_is_counted_to_no_run(crew: Crew) -> None:
    await spare_of(await agent_of(crew))
    limits = Limits(seconds=20, processes=1)
    result = await execute("import time\ntime.sleep(0.5)\nprint('fine')", crew=crew, limits=limits)
    assert (result.outcome, result.stdout) == ("finished", "fine\n")


async def test_closing_ends_what_is_at_rest_and_what_is_on_its_way(crew: Crew) -> None:
    agent = await agent_of(crew)
    on_its_way = spares(agent)
    await crew.close()
    assert gone([agent, *on_its_way])


@pytest.fixture
def broken(tmp_path: Path) -> Interpreter:
    """An environment whose torch cannot be imported."""
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    [packages] = (tmp_path / "env").glob("lib/python*/site-packages")
    (packages / "torch.py").write_text("raise ImportError('broken')")
    return Interpreter(str(tmp_path / "env" / "bin" / "python"), "setting")


async def test_a_torch_that_cannot_be_imported_is_no_obstacle(crew: Crew, broken: Interpreter) -> None:
    """A new interpreter runs the snippet, which says itself what is wrong."""
    for _ in range(2):
        result = await execute("print('fine')\nimport torch", crew=crew, interpreter=broken)
        assert result.stdout == "fine\n" and result.error is not None
        assert (result.error.type, result.error.message) == ("ImportError", "broken")


async def test_many_runs_leave_nothing(crew: Crew, nothing_left: Path) -> None:
    await crew.warm(THIS, Trust.TRUSTED)
    agent = await agent_of(crew)

    async def descriptors() -> int:
        await spare_of(agent)
        await asyncio.sleep(0.5)  # It says so, and is heard.
        return len(entries(Path(f"/proc/{agent}/fd")))

    before = await descriptors()
    [home] = entries(nothing_left)
    for _ in range(3):
        await execute("print(1)", crew=crew)
    assert await descriptors() == before
    assert entries(nothing_left / home) == ["nursery"]
