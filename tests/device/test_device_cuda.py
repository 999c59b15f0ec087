"""What only a machine with a GPU can tell; `tests/device/on_gpu.sh` runs it there and prints figures, too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from device_support import PATIENCE, THIS, execute, gone, numbers_in
from torchlore.device import Crew, Input, Limits, MemoryNeed, Optimizer, Question, Trust, describe
from torchlore.device.gpus import in_use

torch = pytest.importorskip("torch", reason="asks torch whether there is a GPU")

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device here")

LIMITS = Limits(seconds=120)
"""Of host memory a CUDA context takes more than the small snippets of other tests."""


@pytest_asyncio.fixture(params=["forked", "spawned"])
async def crew(
    request: pytest.FixtureRequest, nothing_left: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Crew]:
    if request.param == "spawned":
        monkeypatch.setenv("TORCHLORE_NO_FORK", "1")
    crew = Crew()
    yield crew
    await crew.close()


async def test_the_devices_are_told_as_torch_and_the_driver_name_them() -> None:
    found = await describe(THIS, Trust.TRUSTED)
    names = [device.name for device in found.devices]
    assert names == [*(f"cuda:{index}" for index in range(torch.cuda.device_count())), "cpu"]
    first, seen = found.devices[0], in_use({})
    assert first.description == torch.cuda.get_device_name(0)
    assert first.memory_total is not None and first.memory_free is not None
    if seen:  # Else the driver's library is not to be had, or the order is not certain.
        assert seen["cuda:0"].description == first.description
        assert 0 < seen["cuda:0"].memory_free <= seen["cuda:0"].memory_total


async def test_a_snippet_on_the_gpu(crew: Crew) -> None:
    code = "import torch\nx = torch.ones(1024, 1024, device='cuda')\n(x @ x).sum() / 1024**3"
    for _ in range(2):  # In a process that was there before, too.
        result = await execute(code, crew=crew, limits=LIMITS)
        assert result.ok, result.stderr
        assert (result.device, result.peak_device_memory is not None) == ("cuda:0", True)
        assert result.peak_device_memory is not None and result.peak_device_memory >= 2 * 4 << 20
        assert result.value is not None and result.value.device == "cuda:0" and result.value.first == (1.0,)


async def test_no_process_that_waits_has_a_context(crew: Crew) -> None:
    """A process that is forked from one that has could not use CUDA, and it would hold memory for nothing."""
    code = (
        "import os, torch\n"
        "torch.ones(1, device='cuda')\n"
        "agent = os.getppid()\n"
        "others = open(f'/proc/{agent}/task/{agent}/children').read().split()\n"
        "for pid in [str(agent), *others]:\n"
        "    if int(pid) != os.getpid():\n"
        "        links = [os.readlink(f'/proc/{pid}/fd/{fd}') for fd in os.listdir(f'/proc/{pid}/fd')]\n"
        "        print([link for link in links if '/dev/nvidia' in link])\n"
    )
    await execute("pass", crew=crew, limits=LIMITS)
    result = await execute(code, crew=crew, limits=LIMITS)
    assert result.ok, result.stderr
    assert set(result.stdout.splitlines()) == {"[]"}


async def test_a_gpu_is_hidden_from_what_shall_run_on_the_cpu(crew: Crew) -> None:
    code = "import torch\nprint(torch.cuda.is_available(), torch.accelerator.is_available())"
    result = await execute(code, crew=crew, limits=LIMITS, device="cpu")
    assert (result.stdout, result.device) == ("False False\n", "cpu"), result.stderr
    seen = await execute(
        "import torch\nprint(torch.cuda.device_count())", crew=crew, device="cuda:0", limits=LIMITS
    )
    assert seen.stdout == "1\n", seen.stderr


async def test_too_little_memory_is_told_with_what_was_free(crew: Crew) -> None:
    code = "import torch\nx = torch.ones(4, device='cuda')\ny = torch.empty(1 << 42, device='cuda')"
    result = await execute(code, crew=crew, limits=LIMITS)
    assert result.error is not None, result.outcome
    assert (result.error.type, result.error.line) == ("OutOfMemoryError", 3)
    assert "GiB is free" in result.error.message or "GiB free" in result.error.message, result.error.message
    assert (await execute(code.replace("42", "2"), crew=crew, limits=LIMITS)).ok, "the next one has all of it"


async def test_cancelling_a_kernel_that_runs(crew: Crew) -> None:
    printed: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def listen(_stream: str, text: str) -> None:
        if not printed.done():
            printed.set_result(text)

    code = (
        "import os, torch\n"
        "torch.cuda._sleep(1)\n"
        "torch.cuda.synchronize()\n"
        "print(os.getpid(), flush=True)\n"
        "torch.cuda._sleep(1 << 40)\n"
        "torch.cuda.synchronize()\n"
    )
    task = asyncio.ensure_future(execute(code, crew=crew, limits=LIMITS, on_output=listen))
    [pid] = numbers_in(await asyncio.wait_for(printed, 6 * PATIENCE))
    await asyncio.sleep(0.3)
    task.cancel()
    began = time.perf_counter()
    with pytest.raises(asyncio.CancelledError):
        await task
    print(f"cancelling a kernel took {1000 * (time.perf_counter() - began):.0f} ms")
    assert gone([pid])
    assert (
        await execute("import torch\nprint(torch.ones(2, device='cuda').sum())", crew=crew, limits=LIMITS)
    ).ok


async def test_a_duration_is_that_of_the_device(crew: Crew) -> None:
    """Kernels run on when the line that starts them is over."""
    code = "import torch\ntorch.cuda._sleep(1)\ntorch.cuda._sleep(1_000_000_000)\n"
    result = await execute(code, crew=crew, limits=LIMITS)
    assert result.own_seconds is not None and result.own_seconds > 0.3, "a clock of at most 3.3 GHz"


async def test_whether_a_model_fits_is_told_of_the_gpu(crew: Crew) -> None:
    question = Question("fit", (Input((8, 1000)),), Optimizer("Adam"))
    code = "from torch import nn\nlambda: nn.Linear(1000, 1000)"
    result = await execute(code, crew=crew, limits=LIMITS, question=question)
    assert isinstance(result.measured, MemoryNeed), result.stderr
    gpu = result.measured.devices[0]
    assert gpu.name == "cuda:0" and gpu.free is not None and result.measured.peak < gpu.free
