"""The agent's own parts, and what it must keep to because it runs under any Python of the user."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torchlore_agent
from hypothesis import given
from hypothesis import strategies as st
from torchlore.device import agent
from torchlore_agent import probe, processes
from torchlore_agent.output import Cleaner

FILES = sorted(Path(torchlore_agent.__file__).parent.glob("*.py"))


def clean(*chunks: bytes) -> str:
    cleaner = Cleaner()
    return "".join(cleaner.clean(chunk) for chunk in chunks) + cleaner.clean(b"", last=True)


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("plain\ttext\n", "plain\ttext\n"),
        ("\x1b[1;38;5;208mcolour\x1b[0m", "colour"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r0m\x1b\\text", "text"),
        ("\x1b(Btext\x1b7\x1b8\x1bc", "text"),
        ("\x9b31mtext\x9dtitle\x9c.", "text."),
        ("a\x00\x08\x0c\x7fb", "ab"),
        ("one\r\ntwo\r\n", "one\ntwo\n"),
        ("10%\r20%\r", "10%\r20%\r"),
        ("unfinished \x1b[12", "unfinished [12"),
        ("unfinished \x1b", "unfinished "),
        ("ünïcödé 日本 🔥", "ünïcödé 日本 🔥"),
    ],
)
def test_cleaning(printed: str, shown: str) -> None:
    assert clean(printed.encode()) == shown


PIECES = [
    "\x1b[1m",
    "\x1b]0;t\x07",
    "\x1b",
    "[",
    "\r",
    "\n",
    "\r\n",
    "é",
    "🔥",
    "a",
    "\x9b",
    "1",
    "m",
    "\x1b(",
    "\x07",
    "\\",
]


@pytest.mark.parametrize(
    "chunks", [(b"\r\x1b[", b"1m\n"), (b"\r\x07", b"\n"), (b"\r", b"\n"), (b"\r\x1b[1m\n",)]
)
def test_a_newline_is_one_whatever_stands_in_it(chunks: tuple[bytes, ...]) -> None:
    assert clean(*chunks) == "\n"


@given(st.lists(st.sampled_from(PIECES), max_size=30), st.data())
def test_where_output_is_cut_does_not_matter(pieces: list[str], data: st.DataObject) -> None:
    printed = "".join(pieces).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(printed)), max_size=6)))
    chunks = [printed[start:end] for start, end in zip([0, *cuts], [*cuts, len(printed)], strict=True)]
    assert clean(*chunks) == clean(printed)


@given(st.binary(max_size=200))
def test_no_control_character_gets_through(printed: bytes) -> None:
    assert not set(clean(printed)) & {
        chr(code) for code in [*range(9), 11, 12, *range(14, 32), *range(127, 160)]
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_agent_keeps_to_python_3_9_and_the_standard_library(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.partition(".")[0] in {*sys.stdlib_module_names, "torchlore_agent"}


def test_the_entry_stays_readable_for_python_2() -> None:
    """So that it can say that it is Python 2. There is none here, so this looks for what none can read."""
    tree = ast.parse((Path(torchlore_agent.__file__).parent / "__main__.py").read_bytes())
    for node in ast.walk(tree):
        assert not isinstance(
            node, (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.AsyncFunctionDef)
        )
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None
        if isinstance(node, ast.ImportFrom):
            assert node.module != "__future__"
    assert (Path(torchlore_agent.__file__).parent / "__main__.py").read_bytes().isascii()


def test_both_sides_speak_the_same_version() -> None:
    assert agent.PROTOCOL == torchlore_agent.PROTOCOL


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_everything_imports_elsewhere(platform: str) -> None:
    """Without the modules, functions and signals that those systems lack. This shows no more than that."""
    hide = {
        "win32": "os.name = 'nt'; missing = ['resource', 'fcntl', 'pwd', 'grp']\n"
        "for name in 'wait4 fork killpg getuid setsid WNOHANG sysconf'.split(): delattr(os, name)\n"
        "for name in 'SIGKILL SIGSTOP SIGUSR1 SIGXCPU SIGBUS SIGSYS'.split(): delattr(signal, name)\n",
        "darwin": "missing = []\n",
    }[platform]
    names = [f"torchlore_agent.{path.stem}" for path in FILES if not path.stem.startswith("__")]
    code = (
        "import asyncio, ctypes, importlib, logging, multiprocessing, os, pathlib, platform, shutil, signal\n"
        f"import subprocess, sys, tempfile, threading\nsys.platform = {platform!r}\n"
        + hide
        + "for name in missing: sys.modules[name] = None\n"
        + f"for name in {names!r}: importlib.import_module(name)\n"
        "from torchlore_agent import processes, limits\n"
        "assert processes.LINUX is False\n"
        "assert processes.descendants() == [] and processes.become_subreaper() is False\n"
        "assert processes.die_with_parent(os.getppid()) is False and processes.resident_memory([]) == 0\n"
        + ("limits.apply({}, None)\n" if platform == "win32" else "")
        + "os.name = 'posix'  # Otherwise pathlib makes paths of Windows, which it refuses here.\n"
        "import torchlore.device\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_descendants_are_found_both_ways() -> None:
    code = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        while len(processes.descendants()) < 2:
            pass
        assert process.pid in processes.descendants()
        assert set(processes.descendants()) == set(processes._descendants_by_parent())
        assert processes.own_memory([process.pid]) <= processes.resident_memory([process.pid])
        process.communicate(b"\n")


def test_what_has_no_variable_is_hidden_within_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """MPS and XPU, where the CPU is asked for. A module that answers as torch does stands in for it."""
    yes = SimpleNamespace(
        is_available=lambda: True, device_count=lambda: 1, current_accelerator=lambda: "mps"
    )
    torch = ModuleType("torch")
    torch.__dict__.update(backends=SimpleNamespace(mps=yes), xpu=yes, accelerator=yes)
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(probe.sys, "platform", "darwin")
    probe.hide_accelerators()
    assert not torch.backends.mps.is_available()
    assert (torch.xpu.is_available(), torch.xpu.device_count()) == (False, 0)
    assert torch.accelerator.current_accelerator(check_available=True) is None
