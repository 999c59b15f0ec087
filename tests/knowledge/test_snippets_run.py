"""Every snippet proves its card's claims: it runs on a CPU, in a fresh process, and exits 0."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from pathlib import Path

import pytest
from gloo_support import run_with_gloo
from torchlore.knowledge import data_root

PATHS = sorted((data_root() / "snippets").glob("*.py"))
SLUGS = {path.stem for path in (data_root() / "cards").glob("*/*.md")}

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="torch is not installed beside this interpreter"
)


@needs_torch
@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_snippet_runs_on_cpu(path: Path, tmp_path: Path) -> None:
    # One thread each: several run at the same time, and would push one another aside.
    environment = {
        **os.environ,
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONWARNINGS": "default",
        "OMP_NUM_THREADS": "1",
    }
    environment.pop("TORCH_LOGS", None)
    done = run_with_gloo([sys.executable, str(path)], tmp_path, environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "a snippet prints what is worth seeing"
    assert not list(tmp_path.iterdir()), "a snippet leaves nothing behind"


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_snippet_belongs_to_a_card(path: Path) -> None:
    assert path.stem in SLUGS


@pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])
def test_snippet_names_no_device_of_its_own(path: Path) -> None:
    assert not re.search(r"\.cuda\(\)|device=[\"']cuda[\"']\)$", path.read_text(encoding="utf-8"))
