"""The wheel as a user gets it: in an empty environment, without torch, knowledge included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli_support import MISTAKE
from torchlore.lsp.editor import editing

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Installed:
    wheel: Path
    bin: Path

    def torchlore(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        command = [str(self.bin / "torchlore"), *arguments]
        return subprocess.run(
            command,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=_clean_environment(),
        )


def _clean_environment() -> dict[str, str]:
    """Without what would let the checkout or this environment show through."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "FORCE_COLOR")
    return {name: value for name, value in os.environ.items() if name not in hidden}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("torchlore-*.whl")
    environment = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [str(scripts / "python"), "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt")]
    subprocess.run([*pip, str(wheel)], check=True, env=_clean_environment())
    yield Installed(wheel, scripts)


def test_torch_is_not_installed(installed: Installed) -> None:
    done = subprocess.run(
        [str(installed.bin / "python"), "-c", "import torch"],
        capture_output=True,
        check=False,
        env=_clean_environment(),
    )
    assert b"ModuleNotFoundError" in done.stderr


def test_the_wheel_holds_the_content_and_nothing_else(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"torchlore", "torchlore_agent"}
    for needed in (
        "torchlore/py.typed",
        "torchlore/_knowledge/cards/index.json",
        "torchlore/_knowledge/cards/training/zero-grad.md",
        "torchlore/_knowledge/snippets/zero-grad.py",
        "torchlore/_knowledge/inserts/training-loop.py",
        "torchlore/_knowledge/pictures/lr-schedules.svg",
        "torchlore/analysis/library_facts/accelerate.toml",
    ):
        assert needed in names
    assert any(name.startswith("torchlore/_knowledge/symbols/") for name in names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_check(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(MISTAKE, encoding="utf-8")
    done = installed.torchlore("check", "--output-format", "json", cwd=tmp_path)
    assert done.returncode == 1
    assert [record["code"] for record in json.loads(done.stdout)] == ["TL301"]


def test_a_card_is_found(installed: Installed, tmp_path: Path) -> None:
    done = installed.torchlore("explain", "zero-grad", "--output-format", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["slug"] == "zero-grad"


def test_the_book_has_what_it_needs(installed: Installed, tmp_path: Path) -> None:
    assert installed.torchlore("book", str(tmp_path / "book"), cwd=tmp_path).returncode == 0
    assert (tmp_path / "book" / "assets" / "book.js").is_file()
    assert (tmp_path / "book" / "cards" / "zero-grad.html").is_file()


def test_doctor_says_that_torch_is_missing(installed: Installed, tmp_path: Path) -> None:
    python = str(installed.bin / "python")
    done = installed.torchlore("doctor", "--interpreter", python, cwd=tmp_path)
    assert done.returncode == 1
    assert python in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


async def test_serve(installed: Installed, tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    async with editing([str(installed.bin / "torchlore"), "serve"], path, MISTAKE) as editor:
        hover = await editor.hover(MISTAKE.index("Linear"))
        assert "torch.nn.Linear" in hover
        assert [item.code for item in await editor.diagnostics()] == ["TL301"]
    assert editor.messages == []
