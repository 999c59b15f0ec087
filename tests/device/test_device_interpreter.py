"""Interpreters that are not what they should be: one sentence each, in bounded time."""

from __future__ import annotations

import asyncio
import sys
import venv
from pathlib import Path

import pytest
from device_support import THIS, execute, gone, numbers_in, script
from torchlore.device import (
    Environment,
    Interpreter,
    NotAllowed,
    Trust,
    agent,
    describe,
    find_interpreter,
    torch_version,
)

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="the interpreters are shell scripts")


def one_sentence(text: str | None, interpreter: Interpreter) -> None:
    assert text is not None
    assert "\n" not in text
    assert interpreter.path in text
    assert interpreter.origin in text
    for way in ("`torchlore.interpreter`", "`[tool.torchlore]`", "`--interpreter`"):
        assert way in text
    assert text.endswith(".")


async def problem_of(interpreter: Interpreter) -> str:
    """The same sentence from `describe`, which does not raise, and from `run`, which does."""
    environment = await describe(interpreter, Trust.TRUSTED)
    one_sentence(environment.problem, interpreter)
    with pytest.raises(NotAllowed) as refusal:
        await execute("import torch", interpreter=interpreter)
    one_sentence(str(refusal.value), interpreter)
    return str(environment.problem)


async def test_this_interpreter() -> None:
    environment = await describe(THIS, Trust.TRUSTED)
    assert environment.problem is None
    assert environment.torch is not None
    assert environment.python == sys.version.split()[0]
    assert environment.executable == sys.executable
    cpu = environment.devices[-1]
    assert (cpu.name, cpu.kind) == ("cpu", "cpu")
    assert cpu.description
    if sys.platform == "linux":
        assert cpu.memory_total is not None and cpu.memory_free is not None
        assert 0 < cpu.memory_free <= cpu.memory_total


async def test_it_does_not_exist(tmp_path: Path) -> None:
    assert "does not exist" in await problem_of(Interpreter(str(tmp_path / "python"), "setting"))


async def test_it_is_a_folder(tmp_path: Path) -> None:
    assert "is a folder" in await problem_of(Interpreter(str(tmp_path), "setting"))


@posix_only
async def test_it_may_not_be_executed(tmp_path: Path) -> None:
    interpreter = script(tmp_path / "python", "#!/bin/sh\n")
    (tmp_path / "python").chmod(0o644)
    assert "may not be executed" in await problem_of(interpreter)


@posix_only
async def test_it_is_no_program(tmp_path: Path) -> None:
    interpreter = script(tmp_path / "python", "\x7fELF nothing")
    assert "cannot be started" in await problem_of(interpreter)


@posix_only
async def test_it_is_another_program(tmp_path: Path) -> None:
    interpreter = script(
        tmp_path / "python", '#!/bin/sh\necho usage: >&2\necho "sh: bad \x1b[1moption" >&2\nexit 2\n'
    )
    assert "did not start as a Python 3 would (it said: sh: bad [1moption)" in await problem_of(interpreter)


@posix_only
async def test_it_floods_and_is_no_python(tmp_path: Path) -> None:
    interpreter = script(tmp_path / "python", "#!/bin/sh\nyes | head -c 30000000 | tr -d '\\n'\n")
    assert "did not start as a Python 3 would" in await problem_of(interpreter)


@posix_only
@pytest.mark.parametrize("version", ["2.7.18", "3.8.20"])
async def test_it_is_too_old(version: str, tmp_path: Path) -> None:
    """What `__main__.py` says under an old Python; none is needed to be installed for this test."""
    hello = f'{{"type": "hello", "protocol": 0, "python": "{version}"}}'
    interpreter = script(tmp_path / "python", f"#!/bin/sh\necho '{hello}'\n")
    assert f"is Python {version}, and 3.9 or newer is needed" in await problem_of(interpreter)


@posix_only
async def test_it_speaks_another_version(tmp_path: Path) -> None:
    hello = '{"type": "hello", "protocol": 99, "python": "3.12.1"}'
    interpreter = script(tmp_path / "python", f"#!/bin/sh\necho '{hello}'\n")
    assert "version 99 of the agent's protocol" in await problem_of(interpreter)


@posix_only
async def test_it_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent, "HELLO_SECONDS", 0.5)
    pids = tmp_path / "pids"
    interpreter = script(tmp_path / "python", f"#!/bin/sh\nsleep 60 &\necho $! $$ >> {pids}\nwait\n")
    assert "did not answer within 0.5 seconds" in await problem_of(interpreter)
    started = numbers_in(pids.read_text())
    assert len(started) == 4
    assert gone(started)


async def test_it_has_no_torch(bare_environment: Path) -> None:
    interpreter = find_interpreter(None, str(bare_environment))
    assert interpreter.path.startswith(str(bare_environment))
    assert "has no torch" in await problem_of(interpreter)
    described = await describe(interpreter, Trust.TRUSTED)
    assert described.torch is None
    assert described.python
    assert (await execute("print('plain Python')", interpreter=interpreter)).ok


def site_packages(folder: Path) -> Path:
    return next(folder.glob("lib/python*/site-packages"), folder / "Lib" / "site-packages")


async def with_torch(folder: Path, text: str, *, sitecustomize: str = "") -> Interpreter:
    """A virtual environment whose torch, and whose `sitecustomize`, is the given module."""
    await asyncio.to_thread(venv.create, folder, with_pip=False, symlinks=True)
    packages = site_packages(folder)
    (packages / "torch").mkdir()
    (packages / "torch" / "__init__.py").write_text(text)
    if sitecustomize:
        (packages / "sitecustomize.py").write_text(sitecustomize)
    return find_interpreter(None, str(folder))


async def describe_with(folder: Path, text: str, *, sitecustomize: str = "") -> Environment:
    interpreter = await with_torch(folder, text, sitecustomize=sitecustomize)
    environment = await describe(interpreter, Trust.TRUSTED)
    if environment.problem is not None:
        one_sentence(environment.problem, interpreter)
    return environment


async def test_its_torch_cannot_be_imported(tmp_path: Path) -> None:
    found = await describe_with(tmp_path / "env", "raise OSError('libcudart.so.12:\\n cannot open')")
    assert found.problem is not None
    assert "cannot import its torch (OSError: libcudart.so.12: cannot open)" in found.problem


@posix_only
async def test_its_torch_crashes(tmp_path: Path) -> None:
    found = await describe_with(tmp_path / "env", "import os\nprint('x' * 100000)\nos.abort()")
    assert found.problem is not None
    assert "ended while torch was imported (crashed)" in found.problem


async def test_its_torch_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["torchlore.device.running"], "DESCRIBE_SECONDS", 1.0)
    found = await describe_with(tmp_path / "env", "import time\ntime.sleep(60)")
    assert found.problem is not None
    assert "(timeout)" in found.problem


async def test_what_prints_at_the_start_does_not_disturb(tmp_path: Path) -> None:
    noise = "import sys\nprint('hello')\nprint('{\"type\": \"note\"}')\nprint('[1]', file=sys.stderr)\n"
    found = await describe_with(tmp_path / "env", FAKE_TORCH, sitecustomize=noise)
    assert (found.torch, found.problem) == ("9.9.9", None)


FAKE_TORCH = """
class accelerator:
    is_available = staticmethod(lambda: True)
    current_accelerator = staticmethod(lambda: type("device", (), {"type": "cuda"}))
__version__ = "9.9.9"
class version: hip = None
class Properties:
    def __init__(self, name): self.name, self.total_memory = name, 80 * 2**30
class cuda:
    is_available = is_initialized = staticmethod(lambda: True)
    device_count = staticmethod(lambda: 2)
    get_device_properties = staticmethod(lambda i: Properties(f"Fast Card {i}"))
    mem_get_info = staticmethod(lambda i: (2**30 * (i + 1), 80 * 2**30))
    max_memory_allocated = staticmethod(lambda i: 1000 * i)
    synchronize = staticmethod(lambda: print("synchronized"))
class xpu:
    is_available = staticmethod(lambda: 1 / 0)
class backends:
    class mps: is_available = staticmethod(lambda: True)
class mps:
    recommended_max_memory = staticmethod(lambda: 16 * 2**30)
    driver_allocated_memory = staticmethod(lambda: 2**30)
"""


async def test_devices_of_every_kind(tmp_path: Path) -> None:
    """No machine has them all: a module that answers as torch does stands in for it. XPU is broken there."""
    found = await describe_with(tmp_path / "env", FAKE_TORCH)
    assert found.problem is None
    assert [device.name for device in found.devices] == ["cuda:0", "cuda:1", "mps:0", "cpu"]
    first, second, apple, _ = found.devices
    assert (first.kind, first.description, first.memory_total) == ("cuda", "Fast Card 0", 80 * 2**30)
    assert (first.memory_free, second.memory_free) == (2**30, 2 * 2**30)
    assert (apple.memory_total, apple.memory_free) == (16 * 2**30, 15 * 2**30)


async def test_the_device_that_was_used(tmp_path: Path) -> None:
    interpreter = await with_torch(tmp_path / "env", FAKE_TORCH)
    result = await execute("import torch", interpreter=interpreter)
    assert (result.device, result.stdout) == ("cuda:1", "synchronized\n")
    assert (await execute("x = 1", interpreter=interpreter)).device == "cpu"


@pytest.mark.parametrize("device", ["", "CUDA", "cuda:", "cuda:x", "cpu; rm", "cuda:0\n"])
async def test_a_device_that_is_none(device: str) -> None:
    with pytest.raises(NotAllowed, match="is not a device"):
        await execute("print(1)", device=device)


def environment_in(folder: Path) -> Path:
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return python


class TestFinding:
    """`find_interpreter` looks and starts nothing."""

    def test_the_order(self, tmp_path: Path) -> None:
        own, active, conda = (environment_in(tmp_path / name) for name in ("work/.venv", "active", "conda"))
        environ = {"VIRTUAL_ENV": str(tmp_path / "active"), "CONDA_PREFIX": str(tmp_path / "conda")}
        root = str(tmp_path / "work")
        ways = [
            (
                find_interpreter(root, "/a/python", project="b/python", environ=environ),
                "/a/python",
                "setting",
            ),
            (
                find_interpreter(root, None, project="b/python", environ=environ),
                root + "/b/python",
                "pyproject.toml",
            ),
            (find_interpreter(root, None, environ=environ), str(own), "workspace .venv"),
            (find_interpreter(str(tmp_path), None, environ=environ), str(active), "VIRTUAL_ENV"),
            (
                find_interpreter(None, None, environ={"CONDA_PREFIX": str(tmp_path / "conda")}),
                str(conda),
                "CONDA_PREFIX",
            ),
            (find_interpreter(None, "", environ={}), sys.executable, "the one that runs torchlore"),
        ]
        for found, path, origin in ways:
            assert (found.path, found.origin) == (path, origin)

    def test_files_of_an_untrusted_workspace_have_no_say(self, tmp_path: Path) -> None:
        environment_in(tmp_path / ".venv")
        found = find_interpreter(str(tmp_path), None, project="evil", trust=Trust.UNTRUSTED, environ={})
        assert found.path == sys.executable

    def test_ways_to_name_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        python = environment_in(tmp_path / "env")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("PATH", str(python.parent))
        for named in ("env", "./env", "env/bin/python", str(python), "~/env", " env "):
            assert find_interpreter(str(tmp_path), named).path == str(python)
        assert find_interpreter(None, "python").path == str(python)
        assert find_interpreter(None, "no-such-python").path == "no-such-python"

    def test_links_are_not_followed(self, tmp_path: Path) -> None:
        python = environment_in(tmp_path / ".venv")
        assert find_interpreter(str(tmp_path), None, environ={}).path == str(python)

    def test_an_environment_that_is_gone_is_passed_over(self, tmp_path: Path) -> None:
        found = find_interpreter(None, None, environ={"VIRTUAL_ENV": str(tmp_path / "gone")})
        assert found.path == sys.executable


def test_the_version_of_torch_is_read_off_its_files(tmp_path: Path) -> None:
    for name in ("torch-2.6.0+cu124.dist-info", "torchvision-0.21.0.dist-info", "torch"):
        (tmp_path / "site" / name).mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    assert torch_version([str(tmp_path / "empty"), str(tmp_path / "site")]) == "2.6.0"
    assert torch_version([str(tmp_path / "empty"), str(tmp_path / "missing")]) is None
    assert torch_version([]) is None
