"""Agents that stay: what the next run gets, and what becomes of them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from device_support import PATIENCE, THIS, entries, eventually, execute, gone, numbers_in
from torchlore.device import Crew, Interpreter, Limits, NotAllowed, RunResult, Trust, describe
from torchlore_agent.warm import CAN_FORK

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="nothing is kept warm here")

# The processes that a snippet descends from: its agent, and the agent's nursery.
FAMILY = (
    "import os\n"
    "agent = os.getppid()\n"
    "children = open(f'/proc/{agent}/task/{agent}/children').read().split()\n"
    "nursery = next(int(pid) for pid in children if int(pid) != os.getpid())\n"
)


@pytest_asyncio.fixture
async def crew(nothing_left: Path) -> AsyncIterator[Crew]:
    crew = Crew()
    yield crew
    await crew.close()


async def family(crew: Crew) -> tuple[int, int]:
    """The process ids of the agent and of its nursery."""
    agent, nursery = numbers_in((await execute(FAMILY + "print(agent, nursery)", crew=crew)).stdout)
    return agent, nursery


async def running(crew: Crew, code: str) -> tuple[asyncio.Task[RunResult], int]:
    """A run that has printed the number that it prints first."""
    printed: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def listen(_stream: str, text: str) -> None:
        if not printed.done():
            printed.set_result(numbers_in(text)[0])

    task = asyncio.ensure_future(execute(code, on_output=listen, crew=crew))
    return task, await asyncio.wait_for(printed, PATIENCE)


async def test_runs_are_children_of_one_agent_and_not_each_other(crew: Crew) -> None:
    first = await execute("import os, sys\nsys.kept = 1\nprint(os.getppid(), os.getpid())", crew=crew)
    second = await execute(
        "import os, sys\nprint(os.getppid(), os.getpid(), hasattr(sys, 'kept'))", crew=crew
    )
    (agent, one), (same, other) = numbers_in(first.stdout), numbers_in(second.stdout)
    assert agent == same and one != other
    assert second.stdout.endswith("False\n")


async def test_torch_is_imported_before_the_snippet_starts(crew: Crew) -> None:
    code = "import sys\nprint('torch' in sys.modules)"
    assert (await execute(code, crew=crew)).stdout == "True\n"
    assert (await execute(code)).stdout == "False\n"


async def test_the_parent_has_no_accelerator_open(crew: Crew) -> None:
    """A process that is forked from one with a CUDA context cannot use CUDA."""
    code = (
        FAMILY
        + "import torch\n"
        + "print(torch.cuda.is_initialized(), torch.cuda._is_in_bad_fork())\n"
        + "links = [os.readlink(f'/proc/{nursery}/fd/{fd}') for fd in os.listdir(f'/proc/{nursery}/fd')]\n"
        + "print([link for link in links if 'nvidia' in link or 'kfd' in link or '/dri/' in link])\n"
    )
    assert (await execute(code, crew=crew)).stdout == "False False\n[]\n"


async def test_no_two_runs_draw_the_same_numbers(crew: Crew) -> None:
    code = (
        "import random, numpy, torch, uuid\n"
        "print(random.random(), numpy.random.rand(), torch.rand(1).item(), uuid.uuid4())"
    )
    one, other = [(await execute(code, crew=crew)).stdout.split() for _ in range(2)]
    assert not set(one) & set(other)


async def test_what_torch_computes_on_many_threads_works(crew: Crew) -> None:
    code = "import torch\nx = torch.ones(500, 500)\nprint((x @ x).sum().item(), torch.get_num_threads())"
    cold = (await execute(code)).stdout
    assert cold.startswith("125000000.0 ")
    assert [(await execute(code, crew=crew)).stdout for _ in range(2)] == [cold, cold]


async def test_the_end_is_that_of_an_interpreter(crew: Crew) -> None:
    code = (
        "import atexit, sys, threading, time\n"
        "class Last:\n"
        "    def __del__(self): print('deleted')\n"
        "last = Last()\n"
        "atexit.register(print, 'at exit')\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()\n"
        "sys.stdout.write('no newline ')\n"
        "sys.exit(3)"
    )
    cold, warm = await execute(code), await execute(code, crew=crew)
    assert (warm.stdout, warm.exit_code) == (cold.stdout, 3)
    assert warm.stdout == "no newline thread\nat exit\ndeleted\n"


async def test_a_description_does_not_wait_for_torch_either(crew: Crew) -> None:
    agent, nursery = await family(crew)
    found = await describe(THIS, Trust.TRUSTED, crew)
    assert found.torch is not None and found.devices[-1].name == "cpu"
    assert await family(crew) == (agent, nursery)


async def test_torch_can_be_imported_before_the_first_run(crew: Crew) -> None:
    await crew.warm(THIS, Trust.TRUSTED)
    assert (await execute("print(1)", crew=crew)).stdout == "1\n"


async def test_nothing_is_kept_warm_without_trust(crew: Crew) -> None:
    with pytest.raises(NotAllowed, match="not trusted"):
        await crew.warm(THIS, Trust.UNTRUSTED)


@pytest.mark.parametrize("victim", ["agent", "nursery"])
async def test_a_death_at_rest_is_made_good(victim: str, crew: Crew) -> None:
    agent, nursery = await family(crew)
    os.kill(agent if victim == "agent" else nursery, signal.SIGKILL)
    result = await execute("print('fine')", crew=crew)
    assert (result.outcome, result.stdout) == ("finished", "fine\n")
    new_agent, new_nursery = await family(crew)
    assert new_nursery != nursery and (new_agent == agent) is (victim == "nursery")


async def test_a_death_that_nobody_has_noticed_yet_is_made_good(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The agent is killed between being looked at and being asked."""
    agent, _ = await family(crew)
    well = sys.modules["torchlore.device.crew"]._is_well

    def look_and_kill(looked_at: object) -> bool:
        seen = bool(well(looked_at))
        os.kill(agent, signal.SIGKILL)
        monkeypatch.undo()
        return seen

    monkeypatch.setattr(sys.modules["torchlore.device.crew"], "_is_well", look_and_kill)
    assert (await execute("print('fine')", crew=crew)).stdout == "fine\n"


async def test_death_during_a_run_is_told_and_the_next_one_runs(crew: Crew) -> None:
    task, agent = await running(crew, "import os, time\nprint(os.getppid(), flush=True)\ntime.sleep(60)")
    os.kill(agent, signal.SIGKILL)
    result = await task
    assert (result.ok, result.outcome) == (False, "killed")
    assert "Killed" in result.summary()
    assert (await execute("print('fine')", crew=crew)).stdout == "fine\n"


async def test_death_of_the_nursery_during_a_run_does_not_touch_it(crew: Crew) -> None:
    _, nursery = await family(crew)
    task, _ = await running(crew, "import time\nprint(1, flush=True)\ntime.sleep(1)\nprint('fine')")
    os.kill(nursery, signal.SIGKILL)
    assert (await task).stdout == "1\nfine\n"
    assert (await family(crew))[1] != nursery


@pytest.mark.parametrize("victim", ["agent", "nursery"])
async def test_death_during_the_import_is_made_good(victim: str, crew: Crew) -> None:
    """torch takes seconds; whoever is killed while it is imported, the snippet runs once and only once."""
    task = asyncio.ensure_future(execute("print('fine')", crew=crew))

    def nursery() -> list[tuple[int, int]]:
        return [found for found in map(_parent, _processes()) if found and found[1] in agents()]

    def agents() -> set[int]:
        return {found[0] for found in map(_parent, _processes()) if found and found[1] == os.getpid()}

    assert await asyncio.to_thread(eventually, lambda: bool(nursery()))
    child, parent = nursery()[0]
    os.kill(parent if victim == "agent" else child, signal.SIGKILL)
    result = await task
    assert (result.outcome, result.stdout) == ("finished", "fine\n")


async def test_a_nursery_that_does_not_answer_is_replaced(crew: Crew) -> None:
    _, nursery = await family(crew)
    os.kill(nursery, signal.SIGSTOP)
    for _ in range(3):  # The first one may be carried out by what was forked before.
        assert (await execute("print('fine')", crew=crew)).stdout == "fine\n"
    assert (await family(crew))[1] != nursery


async def test_a_run_that_waits_for_a_nursery_can_be_cancelled(crew: Crew) -> None:
    _, nursery = await family(crew)
    os.kill(nursery, signal.SIGSTOP)
    await execute("print('fine')", crew=crew)
    task = asyncio.ensure_future(execute("print('never')", crew=crew))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await execute("print('fine')", crew=crew)).stdout == "fine\n"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_process_that_waits_for_its_order_may_die_or_be_stopped(
    number: signal.Signals, crew: Crew
) -> None:
    agent, nursery = await family(crew)

    def waiting() -> set[int]:
        return set(numbers_in(Path(f"/proc/{agent}/task/{agent}/children").read_text())) - {nursery}

    assert await asyncio.to_thread(eventually, lambda: bool(waiting()))
    for pid in waiting():
        os.kill(pid, number)
    assert (await execute("print('fine')", crew=crew)).stdout == "fine\n"
    assert await family(crew) == (agent, nursery)


async def test_nothing_that_waits_for_an_order_is_counted_to_a_run(crew: Crew) -> None:
    await family(crew)
    await asyncio.sleep(0.5)  # The next one is forked meanwhile.
    limits = Limits(seconds=20, processes=1)
    result = await execute("import time\ntime.sleep(0.3)\nprint('fine')", crew=crew, limits=limits)
    assert (result.outcome, result.stdout) == ("finished", "fine\n")


async def test_cancelling_a_run_keeps_the_agent(crew: Crew) -> None:
    before = await family(crew)
    task, pid = await running(crew, "import os, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gone([pid])
    assert await family(crew) == before


async def test_an_agent_goes_when_nobody_needs_it(nothing_left: Path) -> None:
    crew = Crew(idle_seconds=0.3)
    pids = await family(crew)
    while not gone(pids):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    while entries(nothing_left):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    assert (await execute("print('fine')", crew=crew)).stdout == "fine\n"
    await crew.close()


async def test_closing_ends_all(crew: Crew) -> None:
    pids = await family(crew)
    await crew.close()
    assert gone(pids)


async def test_dismissed_agents_clean_up_after_themselves(crew: Crew, nothing_left: Path) -> None:
    pids = await family(crew)
    crew.dismiss()
    assert await asyncio.to_thread(eventually, lambda: gone(pids) and not entries(nothing_left))


async def test_a_changed_environment_restarts_the_agent(crew: Crew, bare_environment: Path) -> None:
    packages = _packages(bare_environment)
    python = Interpreter(str(bare_environment / "bin" / "python"), "setting")
    where = "import os\nprint(os.getppid())"
    first, same = [(await execute(where, crew=crew, interpreter=python)).stdout for _ in range(2)]
    assert first == same
    (packages / "new_package").mkdir()
    assert (await execute(where, crew=crew, interpreter=python)).stdout != first


async def test_a_server_that_dies_takes_agents_at_rest_along(nothing_left: Path) -> None:
    server = (
        "import asyncio, sys, tempfile, time\n"
        f"tempfile.tempdir = {str(nothing_left)!r}\n"
        "from torchlore.device import *\n"
        "this = Interpreter(sys.executable, '')\n"
        "async def main():\n"
        f"    result = await run({FAMILY + 'print(agent, nursery)'!r}, name='x.py', interpreter=this,\n"
        "        trust=Trust.TRUSTED, crew=Crew())\n"
        "    print(result.stdout, flush=True)\n"
        "    time.sleep(60)\n"
        "asyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", server, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    pids = numbers_in((await process.stdout.readline()).decode())
    assert len(pids) == 2 and not gone(pids)
    process.kill()
    await process.wait()
    assert await asyncio.to_thread(eventually, lambda: gone(pids) and not entries(nothing_left))


async def test_many_runs_leave_nothing(crew: Crew, nothing_left: Path) -> None:
    count = (
        FAMILY
        + "print(len(os.listdir(f'/proc/{agent}/fd')), len(os.listdir(f'/proc/{nursery}/fd')), len(children))"
    )
    before = (await execute(count, crew=crew)).stdout
    [home] = entries(nothing_left)
    for _ in range(20):
        await execute("print(1)", crew=crew)
    assert (await execute(count, crew=crew)).stdout == before
    assert entries(nothing_left / home) == ["nursery"]


def _packages(environment: Path) -> Path:
    return next(environment.glob("lib/python*/site-packages"))


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _parent(pid: int) -> tuple[int, int] | None:
    try:
        return pid, int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None
