"""What is said about a GPU before anything runs on it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from device_support import THIS, execute
from torchlore.device import NotAllowed
from torchlore.device.agent import open_agent
from torchlore.device.choice import Choice, Use, choose
from torchlore_agent import gpus

GIB = 1 << 30


def gpu(free: float, *, busy: int | None = 0, name: str = "H200", uuid: str = "GPU-a") -> Use:
    return Use(name, uuid, 140 * GIB, int(free * GIB), busy)


FULL, IDLE = gpu(0.2), gpu(130, uuid="GPU-b")


@pytest.mark.parametrize("asked", [None, "cpu", "mps", "xpu:0", "cuda", "cuda:3"])
def test_where_nothing_is_known_nothing_is_said(asked: str | None) -> None:
    assert choose(asked, [], {}) == Choice(asked)


@pytest.mark.parametrize("asked", [None, "cuda", "cuda:0"])
def test_a_free_gpu_is_taken(asked: str | None) -> None:
    assert choose(asked, [IDLE, FULL], {}) == Choice(asked)


def test_a_full_gpu_is_told_before() -> None:
    with pytest.raises(NotAllowed, match=r"cuda:0 \(H200\) has 0\.2 of 140\.0 GiB free"):
        choose("cuda:0", [FULL, IDLE], {})
    with pytest.raises(NotAllowed, match=r"There is no cuda:2 here: 2 GPUs are visible"):
        choose("cuda:2", [FULL, IDLE], {})
    assert choose("cpu", [FULL], {}) == Choice("cpu")


def test_automatic_choice_goes_around_a_full_gpu() -> None:
    found = choose(None, [FULL, IDLE], {})
    assert found.device == "cuda:1" and "so this runs on cuda:1" in found.notices[0]
    found = choose(None, [FULL, FULL], {})
    assert found.device == "cpu" and "so this runs on the cpu" in found.notices[0]


def test_a_busy_gpu_is_told() -> None:
    [notice] = choose("cuda", [gpu(100, busy=97)], {}).notices
    assert notice == "cuda:0 (H200) is busy (97 %), so times say little."
    assert choose("cuda", [gpu(100, busy=None)], {}).notices == ()


def test_a_hidden_gpu_does_not_count() -> None:
    """`cuda:0` is then the first of those that are visible."""
    for shown in ("1", "GPU-b"):
        assert choose(None, [FULL, IDLE], {"CUDA_VISIBLE_DEVICES": shown}) == Choice(None)
    with pytest.raises(NotAllowed):
        choose("cuda:1", [FULL, IDLE], {"CUDA_VISIBLE_DEVICES": "1,0"})
    assert choose(None, [FULL], {"CUDA_VISIBLE_DEVICES": ""}) == Choice(None)


def test_where_the_order_is_not_certain_nothing_is_said() -> None:
    """CUDA counts the fastest first, and which is that?"""
    other = gpu(0.1, name="T4", uuid="GPU-c")
    assert choose("cuda:1", [IDLE, other], {}) == Choice("cuda:1")
    with pytest.raises(NotAllowed, match="T4"):
        choose("cuda:1", [IDLE, other], {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"})
    assert choose("cuda", [IDLE], {"CUDA_VISIBLE_DEVICES": "MIG-1"}) == Choice("cuda")


LIBRARY = """
#include <string.h>
struct memory { unsigned long long total, free, used; };
struct use { unsigned int gpu, memory; };
int nvmlInit_v2(void) { return INIT; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **handle) {
  *handle = (void *)(unsigned long)(index + 1); return 0;
}
int nvmlDeviceGetMemoryInfo(void *handle, struct memory *found) {
  found->total = 1000; found->free = 10 * (unsigned long)handle; found->used = 0; return 0;
}
int nvmlDeviceGetUtilizationRates(void *handle, struct use *found) {
  found->gpu = 97; found->memory = 1; return handle == (void *)1 ? 0 : 3;
}
int nvmlDeviceGetName(void *handle, char *name, unsigned int size) {
  strncpy(name, "NVIDIA H200", size); return 0;
}
int nvmlDeviceGetUUID(void *handle, char *name, unsigned int size) {
  strncpy(name, handle == (void *)1 ? "GPU-a" : "GPU-b", size); return 0;
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler to build a library that answers")
@pytest.mark.parametrize("init", [0, 9])
def test_the_management_library_is_asked_as_it_is_declared(init: int, tmp_path: Path) -> None:
    """A library with the declared functions stands in for NVIDIA's; there is no GPU here."""
    source, library = tmp_path / "nvml.c", tmp_path / "libnvml.so"
    source.write_text(LIBRARY)
    subprocess.run(["cc", "-shared", "-fPIC", f"-DINIT={init}", "-o", library, source], check=True)
    found = gpus.in_use(str(library), str(tmp_path / "none"))
    one = {"description": "NVIDIA H200", "uuid": "GPU-a", "memory_total": 1000, "memory_free": 10, "busy": 97}
    other = {**one, "uuid": "GPU-b", "memory_free": 20, "busy": None}
    assert found == ([] if init else [one, other])


def test_files_of_amd_are_read(tmp_path: Path) -> None:
    for name, files in {
        "card0": {"mem_info_vram_total": "1000\n", "mem_info_vram_used": "900\n", "device": "0x744c\n"},
        "card1": {"mem_info_vram_total": "nonsense"},
        "card2": {},
    }.items():
        (tmp_path / name / "device").mkdir(parents=True)
        for file, text in files.items():
            (tmp_path / name / "device" / file).write_text(text)
    [found] = gpus.in_use("no-such-library", str(tmp_path / "card[0-9]*" / "device"))
    assert found == {
        "description": "AMD GPU 0x744c",
        "uuid": None,
        "memory_total": 1000,
        "memory_free": 100,
        "busy": None,
    }


async def test_a_run_says_it_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(_agent: object) -> list[Use]:
        return [FULL]

    monkeypatch.setattr(sys.modules["torchlore.device.running"], "_look", look)
    seen: list[tuple[str, str]] = []
    code = "import os\nprint(repr(os.environ['CUDA_VISIBLE_DEVICES']))"
    result = await execute(code, on_output=lambda stream, text: seen.append((stream, text)))
    assert [stream for stream, _ in seen] == ["notice", "stdout"]
    assert result.notices == (seen[0][1],) and result.stdout == "''\n"
    with pytest.raises(NotAllowed, match="too little to start on"):
        await execute("print(1)", device="cuda")


async def test_what_the_agent_sees_reaches_the_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that hangs, or an answer that comes late, only means that nothing is known."""
    module = sys.modules["torchlore.device.running"]
    async with open_agent(THIS) as agent:
        assert await module._look(agent) == [Use(**gpu) for gpu in gpus.in_use()]
        with monkeypatch.context() as patch:
            patch.setattr(module, "_LOOK_SECONDS", 0.0)
            assert await module._look(agent) == []
        assert await module._look(agent) == [Use(**gpu) for gpu in gpus.in_use()]
        await agent.kill()
        assert await module._look(agent) == []
