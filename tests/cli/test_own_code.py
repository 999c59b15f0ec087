"""Code of the user's own on the command line: `run FILE:PLACE`, `shapes`, `fit`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from cli_support import torchlore
from torchlore.cli.pictures import drawn, protocol

FILE = """\
import torch
from torch import nn
print("not asked for")


class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc = nn.Linear(width, 2)

    def forward(self, x):
        return self.fc(x)


def train():
    net = Net(4)
    print(net(torch.zeros(3, 4)).shape)


x = torch.full((2,), 3.0)
y = x * 2
"""
HERE = ("--interpreter", sys.executable)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net.py").write_text(FILE)
    return tmp_path


def test_a_line_and_what_it_gives(folder: Path) -> None:
    done = torchlore("run", "net.py:21", *HERE, cwd=folder)
    assert done.stdout == "21: y = Tensor of shape (2,), float32, on cpu, from 6 to 6, mean 6\n", done.stderr


def test_a_function(folder: Path) -> None:
    done = torchlore("run", "net.py:train", *HERE, cwd=folder)
    assert (done.returncode, done.stdout) == (0, "torch.Size([3, 2])\n"), done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "net.py:99"], "no line 99"),
        (["run", "net.py:0"], "no line 0"),
        (["run", "net.py:nothing"], "no function `nothing`"),
        (["run", "net.py:12"], "it needs `self` (a parameter of `forward`)"),
        (["run", "missing.py"], "missing.py: No such file"),
        (["shapes", "net.py"], "names no class"),
        (["shapes", "net.py:train"], "no class `train`"),
        (["shapes", "net.py:Net", "--input", "3,x"], "`3,x` is no input"),
        (["fit", "net.py:Net", "--arguments", "("], "no call that Python can read"),
    ],
)
def test_what_cannot_be(folder: Path, arguments: list[str], says: str) -> None:
    done = torchlore(*arguments, cwd=folder)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert says in done.stderr


def test_the_layers_of_a_model(folder: Path) -> None:
    done = torchlore("shapes", "net.py:Net", *HERE, cwd=folder)
    assert done.stdout.splitlines()[0] == "Net(4) on 3,4", done.stderr
    assert done.stdout.splitlines()[2].split() == ["fc", "Linear", "3", "×", "2", "10", "64", "B", "48"]


def test_a_model_that_does_not_fit(folder: Path) -> None:
    arguments = ("--arguments", "10**9", "--input", "8,1000000000", "--optimizer", "Adam")
    done = torchlore("fit", "net.py:Net", *arguments, *HERE, cwd=folder)
    rows = dict(line.rsplit("  ", 1) for line in done.stdout.splitlines()[1:7])
    sizes = {name.strip(): size.strip() for name, size in rows.items()}
    assert (sizes["weights"], sizes["optimizer"]) == ("7.5 GiB", "14.9 GiB"), done.stderr
    assert "It " in done.stdout and done.returncode in (0, 1)


def test_torchrun(tmp_path: Path) -> None:
    code = "import os\nprint('rank', os.environ['RANK'], 'of', os.environ['WORLD_SIZE'])\n"
    (tmp_path / "ranks.py").write_text(code)
    done = torchlore("run", "ranks.py", "--nproc", "2", *HERE, cwd=tmp_path)
    assert sorted(done.stdout.splitlines()) == ["rank 0 of 2", "rank 1 of 2"], done.stderr
    assert done.returncode == 0 and "c10d" not in done.stderr


def test_the_lines_of_processes_do_not_run_into_each_other(tmp_path: Path) -> None:
    code = "import os\nfor step in range(300):\n    print('rank', os.environ['RANK'], 'step', step)\n"
    (tmp_path / "ranks.py").write_text(code)
    done = torchlore("run", "ranks.py", "--nproc", "2", *HERE, cwd=tmp_path)
    told = {f"rank {rank} step {step}" for rank in range(2) for step in range(300)}
    assert set(done.stdout.splitlines()) == told


def test_torchrun_says_which_process_failed(tmp_path: Path) -> None:
    (tmp_path / "fails.py").write_text("import os\nif os.environ['RANK'] == '1':\n    raise SystemExit(3)\n")
    done = torchlore("run", "fails.py", "--nproc", "2", *HERE, cwd=tmp_path)
    assert done.returncode == 1 and "rank 1 failed with exit code 3" in done.stderr


def test_an_error_of_one_process_is_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "fails.py").write_text("import os\nif os.environ['RANK'] == '1':\n    1 / 0\n")
    done = torchlore("run", "fails.py", "--nproc", "2", *HERE, cwd=tmp_path)
    assert 'File "fails.py", line 3' in done.stderr and "torchlore_agent" not in done.stderr


def test_pictures_are_kept(tmp_path: Path) -> None:
    (tmp_path / "draws.py").write_text("import torch\ntorch.linspace(0, 1, 256).reshape(16, 16)\n")
    done = torchlore("run", "draws.py", "--pictures", "drawn", *HERE, cwd=tmp_path)
    assert (tmp_path / "drawn" / "value.png").read_bytes().startswith(b"\x89PNG"), done.stderr
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "tmux-256color", "TERM_PROGRAM": "iTerm.app"}, None),
        ({"TERM": "xterm-kitty", "TMUX": "1"}, None),
    ],
)
def test_terminals_that_show_pictures(environ: dict[str, str], shown: str | None) -> None:
    assert protocol(environ) == shown


def test_a_picture_comes_whole_through_a_terminal() -> None:
    pieces = list(drawn(b"x" * 10_000, "kitty"))
    assert [piece.partition(";")[0] for piece in pieces] == [
        "\x1b_Ga=T,f=100,m=1",
        *["\x1b_Gm=1"] * 2,
        "\x1b_Gm=0",
    ]
    assert "".join(piece.partition(";")[2].removesuffix("\x1b\\") for piece in pieces).startswith("eHh4")
