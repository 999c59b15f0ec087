"""Which torch a project is for, read off the files in which projects say so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from torchlore.analysis.requirements import UNCLEAR, Supported, supported, version

NOTHING = Supported()


@pytest.mark.parametrize(
    ("demand", "expected"),
    [
        ("torch", NOTHING),
        ("torch>=2.1,<2.5", Supported((2, 1), (2, 4))),
        ("torch >= 1.13 , <= 2.2  # as in the paper", Supported((1, 13), (2, 2))),
        ("torch==2.3.*", Supported((2, 3), (2, 3))),
        ("torch==2.*", Supported((2, 0), (2, 99))),
        ("torch==2.1.0+cu118", Supported((2, 1), (2, 1))),
        ("torch~=2.1", Supported((2, 1), None)),
        ("torch~=2.1.0", Supported((2, 1), (2, 1))),
        ("torch<2.3", Supported(None, (2, 2))),
        ("torch<2.3.1", Supported(None, (2, 3))),
        ("torch<3", Supported(None, (2, 99))),
        ("torch>=1.8,!=2.0; python_version < '3.12'", Supported((1, 8), None)),
        ("torch==1.7.1\ntorch>=2", Supported((1, 7), None)),
        ("torch @ https://example.org/torch.whl", NOTHING),
        ("torchvision==0.3\ntorch-geometric==1.0\nnumpy", NOTHING),
        ("torch=", UNCLEAR),
    ],
)
def test_requirements(tmp_path: Path, demand: str, expected: Supported) -> None:
    (tmp_path / "requirements.txt").write_text(f"numpy\n{demand}\n")
    assert supported(str(tmp_path / "train.py")) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("pyproject.toml", '[project]\ndependencies = ["numpy", "torch>=2.2"]\n', Supported((2, 2), None)),
        ("pyproject.toml", '[project.optional-dependencies]\nall = ["torch==2.2"]\n', Supported((2, 2), (2, 2))),
        ("pyproject.toml", '[dependency-groups]\ndev = ["torch<2.2", {include-group = "x"}]\n', Supported(None, (2, 1))),
        ("pyproject.toml", '[tool.poetry.dependencies]\ntorch = "^2.1"\n', Supported((2, 1), None)),
        ("pyproject.toml", '[tool.poetry.group.gpu.dependencies]\ntorch = {version = "2.1"}\n', Supported((2, 1), (2, 1))),
        ("pyproject.toml", "[project]\nname = 'torch'\n", NOTHING),
        ("pyproject.toml", "[project\n", UNCLEAR),
        ("setup.py", "setup(install_requires=['torch>=1.8', 'torchvision'])\n", Supported((1, 8), None)),
        ("setup.py", "deps = {'torch': 'torch>=1.8'}\nextras['torch'] = deps['torch']\n", Supported((1, 8), None)),
        ("setup.py", "setup(install_", UNCLEAR),
        ("setup.cfg", "[options]\ninstall_requires =\n    numpy\n    torch>=1.9\n", Supported((1, 9), None)),
        ("environment.yml", "dependencies:\n  - pytorch::pytorch=1.13\n  - numpy\n", Supported((1, 13), (1, 13))),
        ("requirements-dev.txt", "torch==2.4.0\n", Supported((2, 4), (2, 4))),
        ("notes.txt", "torch==1.0\n", NOTHING),
    ],
)  # fmt: skip
def test_other_files(tmp_path: Path, name: str, text: str, expected: Supported) -> None:
    (tmp_path / name).write_text(text)
    assert supported(str(tmp_path / "pkg" / "deep" / "net.py")) == NOTHING  # the folder is not there
    (tmp_path / "pkg" / "deep").mkdir(parents=True)
    assert supported(str(tmp_path / "pkg" / "deep" / "net.py")) == expected


def test_the_nearest_declaration_counts_and_the_project_is_the_last_to_be_asked(tmp_path: Path) -> None:
    inner = tmp_path / "project" / "example"
    inner.mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text("torch==1.0\n")
    (tmp_path / "project" / ".git").mkdir()
    assert supported(str(inner / "main.py")) == NOTHING
    (tmp_path / "project" / "requirements.txt").write_text("torch==2.1\n")
    assert supported(str(inner / "main.py")) == Supported((2, 1), (2, 1))
    (inner / "requirements.txt").write_text("torch>=2.6\n")
    assert supported(str(inner / "main.py")) == Supported((2, 6), None)


def test_a_declaration_that_changes_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    for at, (text, oldest) in enumerate([("torch>=2.1\n", (2, 1)), ("torch>=2.2\n", (2, 2))]):
        file.write_text(text)
        os.utime(file, ns=(at, at))
        assert supported(str(tmp_path / "main.py")).oldest == oldest


@pytest.mark.parametrize("path", ["<text>", "train.py", "/no/such/folder/train.py", ""])
def test_what_lies_nowhere_declares_nothing(path: str) -> None:
    assert supported(path) == NOTHING


def test_what_cannot_be_read_declares_nothing(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").mkdir()
    (tmp_path / "setup.cfg").write_bytes(b"\xff\xfe torch\n")
    assert supported(str(tmp_path / "main.py")) == NOTHING


@pytest.mark.parametrize(
    ("text", "expected"), [("2.4.1+cpu", (2, 4)), ("v2.15", (2, 15)), ("2", (2, 0)), ("nightly", None)]
)
def test_versions(text: str, expected: tuple[int, int] | None) -> None:
    assert version(text) == expected
