"""Well-behaved snippets, and what comes back from them."""

from __future__ import annotations

from pathlib import Path

import pytest
from device_support import SMALL, execute
from torchlore.device import Limits, RunError


def real(path: Path) -> str:
    return str(path.resolve())


async def test_real_torch_runs_and_reports() -> None:
    result = await execute("import torch\nprint(torch.ones(3).sum().item())", limits=Limits(), device="cpu")
    assert (result.ok, result.outcome, result.exit_code) == (True, "finished", 0)
    assert result.stdout == "3.0\n"
    assert result.device == "cpu"
    assert result.error is None
    assert result.peak_memory is not None and result.peak_memory > 50_000_000
    assert result.summary() == f"Finished in {result.seconds:.1f} s on cpu."


async def test_empty_torch_logs_do_not_break_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_LOGS", "")
    assert (await execute("import torch", limits=Limits())).outcome == "finished"


async def test_output_is_streamed_as_it_comes() -> None:
    seen: list[tuple[str, str]] = []
    result = await execute(
        "import sys, time\nprint('one')\ntime.sleep(0.3)\nprint('two', file=sys.stderr)",
        on_output=lambda stream, text: seen.append((stream, text)),
    )
    assert seen == [("stdout", "one\n"), ("stderr", "two\n")]
    assert (result.stdout, result.stderr) == ("one\n", "two\n")


async def test_a_failing_listener_does_not_fail_the_run() -> None:
    def broken(stream: str, text: str) -> None:
        raise RuntimeError("no window")

    assert (await execute("print(1)\nprint(2)", on_output=broken)).stdout == "1\n2\n"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("x = 1\n1 / 0", RunError("ZeroDivisionError", "division by zero", 2)),
        # The innermost line of the snippet, though the error arises in the standard library.
        ("import json\n\ndef load():\n    json.loads('{')\n\nload()", 4),
        # The line where it was handled badly, not the one where it began.
        (
            "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise KeyError('b')",
            RunError("KeyError", "'b'", 4),
        ),
        ("x = 1\ny = (\n", 2),
        ("class E(Exception):\n    def __str__(self): raise OSError\nraise E", RunError("E", "", 3)),
        ("def f():\n    f()\nf()", 2),
        ("raise KeyboardInterrupt", RunError("KeyboardInterrupt", "", 1)),
        ("print('é')\r\nraise ValueError('ü\\nzwei')\r\n", RunError("ValueError", "ü\nzwei", 2)),
        ("input()", RunError("EOFError", "EOF when reading a line", 1)),
        (
            "import sys\nsys.excepthook = lambda *a: print('own hook')\nassert 0, 'x'",
            RunError("AssertionError", "x", 3),
        ),
    ],
)
async def test_errors_are_mapped_to_a_line(code: str, error: RunError | int) -> None:
    result = await execute(code)
    assert (result.ok, result.outcome, result.exit_code) == (False, "error", 1)
    assert result.error is not None
    assert error in (result.error, result.error.line)


async def test_the_traceback_shows_the_snippet_and_nothing_of_ours() -> None:
    result = await execute("def half(x):\n    return x / 0\n\nhalf(1)")
    assert result.stderr.startswith(
        'Traceback (most recent call last):\n  File "snippet.py", line 4, in <module>\n'
    )
    assert "    return x / 0\n" in result.stderr
    assert "torchlore" not in result.stderr
    assert "line 2: ZeroDivisionError: division by zero" in result.summary()


@pytest.mark.parametrize(
    ("code", "exit_code", "outcome", "stderr"),
    [
        ("import sys; sys.exit()", 0, "finished", ""),
        ("import sys; sys.exit(0)", 0, "finished", ""),
        ("import sys; sys.exit(3)", 3, "error", ""),
        ("import sys; sys.exit('no')", 1, "error", "no\n"),
    ],
)
async def test_exit_codes(code: str, exit_code: int, outcome: str, stderr: str) -> None:
    result = await execute(code)
    assert (result.exit_code, result.outcome, result.stderr) == (exit_code, outcome, stderr)


async def test_output_is_clean_text() -> None:
    result = await execute(
        "import os\n"
        "os.write(1, b'\\xff\\xc3\\xa9 \\x1b[1;31mred\\x1b[0m ')\n"
        "os.write(1, b'\\x1b]8;;http://x\\x07link\\x1b]8;;\\x07 \\x00\\x08\\x9b.\\r\\n')\n"
        "print('\\ud800')\n"
        "for i in range(4): print(f'\\r{i} of 3', end='', flush=True)\n"
        "print()"
    )
    assert result.stdout == "\ufffdé red link \ufffd.\n\\ud800\n3 of 3\n"


async def test_a_snippet_has_a_directory_of_its_own(nothing_left: Path) -> None:
    result = await execute(
        "import os, sys, tempfile\n"
        "print(os.listdir('.'), os.path.realpath(tempfile.gettempdir()))\n"
        "print('' in sys.path, os.getcwd() in sys.path)\n"
        "os.makedirs('sealed/inner'); open('sealed/inner/file', 'w').close(); os.chmod('sealed', 0o500)"
    )
    first, second = result.stdout.splitlines()
    assert first.startswith("[] " + real(nothing_left))
    assert second == "False False"


async def test_files_of_the_working_directory_shadow_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("random.py", "json.py", "torch.py", "sitecustomize.py"):
        (tmp_path / name).write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "random.py"))
    result = await execute("import random, json, limits_of_the_agent_are_no_module", name="random.py")
    assert result.error is not None
    assert result.error.message == "No module named 'limits_of_the_agent_are_no_module'"


@pytest.mark.parametrize("module", ["limits", "child", "wire", "probe", "torchlore"])
async def test_our_modules_are_not_on_its_path(module: str, bare_environment: Path) -> None:
    result = await execute(f"import importlib.util\nprint(importlib.util.find_spec({module!r}))")
    installed = module == "torchlore" and "torchlore" in result.stdout
    assert installed or result.stdout == "None\n"


async def test_it_is_the_module_main() -> None:
    result = await execute(
        "import inspect, pickle, dataclasses, sys\n"
        "@dataclasses.dataclass\n"
        "class Point:\n"
        "    x: int\n"
        "print(__name__, pickle.loads(pickle.dumps(Point(3))), sys.argv[1:])\n"
        "print(inspect.getsource(Point))\n"
        "if __name__ == '__main__': print('entered')\n"
    )
    assert result.stdout == (
        "__main__ Point(x=3) []\n@dataclasses.dataclass\nclass Point:\n    x: int\n\nentered\n"
    ), result.stderr


@pytest.mark.parametrize("method", ["fork", "spawn"])
async def test_worker_processes_work(method: str) -> None:
    result = await execute(
        "import multiprocessing\n"
        "def square(x): return x * x\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context({method!r}).Pool(2) as pool:\n"
        "        print(pool.map(square, [1, 2, 3]))\n"
    )
    assert result.stdout == "[1, 4, 9]\n", result.stderr


async def test_threads_are_waited_for() -> None:
    result = await execute(
        "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.2), print('late'))).start()"
    )
    assert result.stdout == "late\n"


async def test_what_it_prints_cannot_pass_for_a_message_of_the_agent() -> None:
    forged = '{"type":"result","outcome":"finished","exit_code":0,"seconds":0}'
    result = await execute(
        f"import os\nforged = '{forged}\\n'\n"
        "for fd in range(3, 64):\n    try: os.write(fd, forged.encode())\n    except OSError: pass\n"
        "print(forged, end='')\n1 / 0"
    )
    assert result.outcome == "error"
    assert result.stdout == forged + "\n"


async def test_it_inherits_no_descriptor() -> None:
    result = await execute(
        "import os\nprint(sorted(fd for fd in map(int, os.listdir('/proc/self/fd')) if fd > 2)[1:])"
    )
    assert result.stdout == "[]\n"


async def test_runs_beside_each_other_do_not_mix() -> None:
    import asyncio

    codes = [f"import time\nfor _ in range(3):\n    print({i})\n    time.sleep(0.05)" for i in range(4)]
    results = await asyncio.gather(*(execute(code) for code in codes))
    assert [result.stdout for result in results] == [f"{i}\n" * 3 for i in range(4)]


@pytest.mark.parametrize(
    "name", ["../../escape.py", "/etc/passwd", "a\nb", "", "x" * 500, "zero grad.py", "-c"]
)
async def test_any_name_will_do(name: str, nothing_left: Path) -> None:
    result = await execute("raise ValueError", name=name, limits=SMALL)
    assert result.error == RunError("ValueError", "", 1)


async def test_secrets_do_not_reach_the_snippet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MY_TOKEN", "OPENAI_API_KEY", "AWS_PROFILE", "HF_TOKEN"):
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2@proxy")
    result = await execute(
        "import os\nprint([k for k, v in os.environ.items() if 'hunter2' in v], 'PATH' in os.environ)"
    )
    assert result.stdout == "[] True\n"


async def test_a_device_is_chosen_by_hiding_the_others() -> None:
    code = "import os\nprint(repr(os.environ.get('CUDA_VISIBLE_DEVICES')))"
    assert (await execute(code, device="cpu")).stdout == "''\n"
    assert (await execute(code, device="cuda:1")).stdout == "'1'\n"
