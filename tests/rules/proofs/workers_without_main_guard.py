"""TL506: a worker that is spawned comes to the loop that starts it, and both fail."""

import subprocess
import sys
from types import ModuleType

import torch
from torch.utils.data import DataLoader, TensorDataset

SPAWNING = """
import multiprocessing, runpy, sys
multiprocessing.set_start_method("spawn")
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""Runs a program as Windows and macOS do."""


def run(module: ModuleType) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", SPAWNING, str(module.__file__)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def prove(bad: ModuleType, good: ModuleType) -> None:
    failed = run(bad)
    assert failed.returncode != 0
    assert "before the\n        current process has finished its bootstrapping phase" in failed.stderr
    assert "exited unexpectedly" in failed.stderr
    mended = run(good)
    assert mended.returncode == 0, mended.stderr
    assert mended.stdout.split() == ["6.0", "22.0"]


loader = DataLoader(TensorDataset(torch.arange(8.0)), batch_size=4, num_workers=1)
for (x,) in loader:
    print(x.sum().item(), flush=True)
