"""Classes and functions of installed packages: jedi finds them, nothing of theirs is run."""

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from torchlore.analysis import analyze
from torchlore.analysis.inquiry import Inquiry
from torchlore.analysis.installed import package_folders, torch_made
from torchlore.analysis.lookup import MAX_FOREIGN
from torchlore.text import Source

FILES = {
    "zoo/__init__.py": (
        "from zoo.nets import Net as Net, Plain as Plain\nfrom .steps import Sam\nfrom . import deep\n"
        "from .deep.er import build_deep as build_it\nfrom .builders import *\n"
        "try:\n    from .fast import Quick\nexcept ImportError:\n    from .nets import Net as Quick\n"
    ),
    "zoo/nets.py": """
        import torch.nn as nn
        raise SystemExit('nobody runs this')
        class Base(nn.Module):
            @classmethod
            def from_pretrained(cls, name, *args):
                model = cls(*args)
                return model
            @classmethod
            def typed(cls) -> "Self": ...
            def copy(self): return self
        class Net(Base):
            pass
        class Plain:
            @classmethod
            def make(cls): return cls()
        Alias = Net
    """,
    "zoo/steps.py": "from torch.optim import Optimizer\n@object\nclass Sam(Optimizer):\n    pass\n",
    "zoo/deep/__init__.py": "from .er import *\n",
    "zoo/deep/er.py": "from ..nets import Net as N\ndef build_deep(): return N()\n",
    "zoo/builders.py": """
        from typing import Optional
        import torch
        from torch import nn, optim
        from .nets import Net, Plain
        def annotated(n: int) -> nn.Module: ...
        def quoted() -> "Net": ...
        def optional() -> Optional[Net]: ...
        def optional_too() -> Net | None: ...
        def optimizer(params) -> optim.Optimizer: ...
        def plain() -> Plain: ...
        def number() -> int: ...
        def obvious(width):
            net = Net(width)
            net.eval()
            return net
        def either(flag):
            if flag:
                return Net()
            return Net(2)
        def one_of_two(flag):
            if flag:
                return Net()
            return Plain()
        def rebound():
            net = Net()
            net = wrap(net)
            return net
        def inner():
            def helper():
                return Net()
            return 3
        def by_another(): return obvious(3)
        def endless(): return endless_too()
        def endless_too(): return endless()
        def given(net): return net
        def argument(Net): return Net()
    """,
    "other/__init__.py": "import zoo\nclass Wide(zoo.Net):\n    pass\nclass Round(Round): pass\n",
    "broken/__init__.py": "class Half(\n",
    "typed/__init__.pyi": (
        "from torch.nn import Module\nclass Stub(Module):\n    def __init__(self) -> None: ...\n"
        "def make(name: str) -> Stub: ...\n"
    ),
    "both/__init__.py": "def make(name):\n    return globals()[name]()\n",
    "both/__init__.pyi": "import torch\ndef make(name: str) -> torch.nn.Module: ...\n",
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("site-packages")
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text), encoding="utf-8")
    return str(root)


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("zoo.Net", "torch.nn.Module"),
        ("zoo.nets.Net", "torch.nn.Module"),
        ("zoo.nets.Alias", "torch.nn.Module"),
        ("zoo.Quick", "torch.nn.Module"),
        ("other.Wide", "torch.nn.Module"),
        ("other.Round", None),
        ("zoo.Sam", "torch.optim.Optimizer"),
        ("zoo.Plain", None),
        ("zoo.Missing", None),
        ("broken.Half", None),
        ("nowhere.Net", None),
        ("Net", None),
        ("typed.Stub", "torch.nn.Module"),
        ("typed.make", "torch.nn.Module"),
        ("both.make", "torch.nn.Module"),
        ("zoo.build_it", "torch.nn.Module"),
        ("zoo.deep.build_deep", "torch.nn.Module"),
        ("zoo.Net.from_pretrained", "torch.nn.Module"),
        ("zoo.Net.typed", "torch.nn.Module"),
        ("zoo.Plain.make", None),
        ("zoo.annotated", "torch.nn.Module"),
        ("zoo.builders.quoted", "torch.nn.Module"),
        ("zoo.builders.optional", "torch.nn.Module"),
        ("zoo.builders.optional_too", "torch.nn.Module"),
        ("zoo.builders.optimizer", "torch.optim.Optimizer"),
        ("zoo.builders.plain", None),
        ("zoo.builders.number", None),
        ("zoo.builders.obvious", "torch.nn.Module"),
        ("zoo.builders.either", "torch.nn.Module"),
        ("zoo.builders.one_of_two", None),
        ("zoo.builders.rebound", None),
        ("zoo.builders.inner", None),
        ("zoo.builders.by_another", "torch.nn.Module"),
        ("zoo.builders.endless", None),
        ("zoo.builders.given", None),
        ("zoo.builders.argument", None),
    ],
)
def test_torch_made(packages: str, name: str, made: str | None) -> None:
    assert torch_made(name, [packages]) == made


@pytest.mark.parametrize("made_by", ["Net", "build", "Net.load"])
def test_what_jedi_found_answers_the_next_hover(made_by: str) -> None:
    code = f"import torch\nfrom zoo import {made_by.partition('.')[0]}\nnet = {made_by}()\nnet.train()\n"
    before = analyze(Source(code))
    assert before.foreign_classes == {f"zoo.{made_by}"}
    assert before.symbol_at(code.index("train")) is None
    after = analyze(Source(code), {f"zoo.{made_by}": "torch.nn.Module"})
    found = after.symbol_at(code.index("train"))
    assert found is not None
    assert found.candidates == ("torch.nn.Module.train",)
    assert ("net", "Module") in [(name.name, name.kind) for name in after.names_at(len(code))]


def test_what_a_method_of_it_gives_is_something_else() -> None:
    code = "import torch\nfrom zoo import Net\nnet = Net()\nother = net.export()\nother.train()\n"
    after = analyze(Source(code), {"zoo.Net": "torch.nn.Module"})
    assert after.symbol_at(code.index("train")) is None
    assert ("other", "Module") not in [(name.name, name.kind) for name in after.names_at(len(code))]


def test_only_what_may_be_torchs_is_asked_about() -> None:
    code = (
        "import torch, os, json\nfrom zoo import build, log, Net\nfrom .near import Own\n"
        "log(1)\nbuild().train()\nOwn().train()\njson.loads('1').train()\nos.getcwd().split()\nx = Net()\n"
    )
    assert analyze(Source(code)).foreign_classes == {"zoo.build", "zoo.Net"}


def test_the_number_of_questions_is_bounded() -> None:
    code = "import torch, zoo\n" + "".join(f"zoo.Net{n}()\n" for n in range(3 * MAX_FOREIGN))
    assert len(analyze(Source(code)).foreign_classes) == MAX_FOREIGN


def test_package_folders(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib/python3.11/site-packages").mkdir(parents=True)
    assert package_folders(str(tmp_path / "bin/python")) == [str(tmp_path / "lib/python3.11/site-packages")]


@pytest.fixture
def inquiry() -> Iterator[Inquiry]:
    asking = Inquiry(60)
    yield asking
    asking.close()


def test_a_process_is_started_with_the_first_question_and_kept(packages: str, inquiry: Inquiry) -> None:
    assert inquiry.process is None
    assert inquiry.ask("zoo.Net", [packages]) == "torch.nn.Module"
    first = inquiry.process
    assert inquiry.ask("zoo.obvious", [packages]) == "torch.nn.Module"
    assert inquiry.ask("zoo.Plain", [packages]) is None
    assert first is not None and inquiry.process == first


def test_a_question_that_takes_too_long_ends_the_process_and_the_next_starts_one(tmp_path: Path) -> None:
    """A module so large that reading it takes far longer than the limit."""
    (tmp_path / "large.py").write_text("def build():\n    pass\n" + "x = [1, 2, (3, 4)]\n" * 600_000)
    (tmp_path / "small.py").write_text("import torch\nclass Net(torch.nn.Module): pass\n")
    inquiry = Inquiry(4)
    try:
        assert inquiry.ask("large.build", [str(tmp_path)]) is None
        assert inquiry.process is None
        assert inquiry.ask("small.Net", [str(tmp_path)]) == "torch.nn.Module"
    finally:
        inquiry.close()


@pytest.mark.parametrize(
    "program",
    [
        "import os; input(); os._exit(3)",
        "import os, signal; input(); os.kill(os.getpid(), signal.SIGKILL if os.name != 'nt' else 9)",
        "input(); print('no JSON', flush=True); input()",
        "input(); print('[1]', flush=True); input()",
        "input(); print('{\"made\": 3}', flush=True); input()",
        "import sys; sys.stdin.close(); sys.stdout.close()",
        "raise SystemExit",
    ],
)
def test_a_process_that_fails_is_no_answer(program: str) -> None:
    inquiry = Inquiry(30, [sys.executable, "-c", program])
    for _ in range(20):
        assert inquiry.ask("zoo.Net", []) is None
    inquiry.close()


def test_a_process_that_cannot_be_started_is_no_answer(tmp_path: Path) -> None:
    assert Inquiry(5, [str(tmp_path / "missing")]).ask("zoo.Net", []) is None
    assert Inquiry(5, []).ask("zoo.Net", []) is None


def test_processes_that_always_fail_are_not_started_for_ever(tmp_path: Path) -> None:
    program = f"open({str(tmp_path / 'starts')!r}, 'a').write('x')"
    inquiry = Inquiry(30, [sys.executable, "-c", program])
    for _ in range(12):
        inquiry.ask("zoo.Net", [])
    inquiry.close()
    assert (tmp_path / "starts").read_text() == "x" * 5


def test_closing_ends_a_question_at_once_and_for_good(tmp_path: Path) -> None:
    started = tmp_path / "started"
    program = f"import time; input(); open({str(started)!r}, 'w').close(); time.sleep(600)"
    inquiry = Inquiry(600, [sys.executable, "-c", program])
    answers: list[str | None] = []
    asking = threading.Thread(target=lambda: answers.append(inquiry.ask("zoo.Net", [])))
    asking.start()
    while not started.exists():
        time.sleep(0.01)
    inquiry.close()
    asking.join(60)
    assert answers == [None]
    assert inquiry.ask("zoo.Net", []) is None
    assert inquiry.process is None


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are looked up in /proc")
def test_the_process_ends_with_whoever_started_it(packages: str, tmp_path: Path) -> None:
    """Also when that is killed, and in the middle of a question."""
    (tmp_path / "large.py").write_text("def build():\n    pass\n" + "x = [1, 2, (3, 4)]\n" * 600_000)
    program = (
        "import os, sys, threading, time\nfrom torchlore.analysis.inquiry import Inquiry\n"
        "asking = Inquiry(120)\nasking.ask('zoo.Net', sys.argv[1:2])\nprint(asking.process, flush=True)\n"
        "threading.Thread(target=asking.ask, args=('large.build', sys.argv[2:])).start()\n"
        "time.sleep(1)\nos.kill(os.getpid(), 9)\n"
    )
    arguments = [sys.executable, "-c", program, packages, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        arguments, stdout=subprocess.PIPE, text=True, timeout=120, env=environment, check=False
    )
    child = Path("/proc") / done.stdout.strip()
    deadline = time.monotonic() + 60
    while _lives(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert done.stdout.strip().isdigit()
    assert not _lives(child)


def _lives(process: Path) -> bool:
    try:
        return "\nState:\tZ" not in (process / "status").read_text()
    except OSError:
        return False


def test_nothing_is_imported_from_the_folder_it_is_started_in(
    packages: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server may run in the user's project, whose files are not ours to run."""
    for name in ("jedi", "json", "torchlore", "ast", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    inquiry = Inquiry(60)
    try:
        assert inquiry.ask("zoo.Net", [packages]) == "torch.nn.Module"
    finally:
        inquiry.close()
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only here a process is held to its memory")
def test_memory_is_bounded() -> None:
    program = (
        "import sys; sys.path[:] = sys.argv[1:]\n"
        "from torchlore.analysis import installed\n"
        "installed.torch_made = lambda name, _: len(bytearray(int(name))) and 'torch.nn.Module'\n"
        "installed.serve(60)\n"
    )
    inquiry = Inquiry(60, [sys.executable, "-c", program, *sys.path])
    assert inquiry.ask(str(1 << 20), []) == "torch.nn.Module"
    assert inquiry.ask(str(3 << 30), []) is None
    inquiry.close()
