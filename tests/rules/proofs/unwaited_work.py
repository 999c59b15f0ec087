"""TL704: before the handle is waited for, what is to be received is not there."""

import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import torch
import torch.distributed as dist

DELAY = 0.5
"""Seconds after which the sender sends."""


def received(x: torch.Tensor) -> float:
    """What a process computes with what the other one sends."""
    dist.irecv(x, src=0)
    return float((x * 2).item())


def run(rank: int, store: str) -> None:
    """One of two processes."""
    files = dist.FileStore(store, 2)
    dist.init_process_group("gloo", store=files, rank=rank, world_size=2, timeout=timedelta(seconds=60))
    dist.barrier()
    if rank == 0:
        time.sleep(DELAY)
        dist.send(torch.tensor([7.0]), dst=1)
    else:
        x = torch.zeros(1)
        print(received(x), flush=True)
        files.wait(["sent"])  # leave together, whatever was not waited for
        return
    files.set("sent", "")
    dist.destroy_process_group()


def result_of(module: ModuleType) -> float:
    """What the second of two processes prints that run a module."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(module.__file__)]
        processes = [
            subprocess.Popen([*command, str(rank), str(Path(folder) / "store")], stdout=subprocess.PIPE)
            for rank in (0, 1)
        ]
        outputs = [process.communicate(timeout=120)[0] for process in processes]
    return float(outputs[1])


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert result_of(bad) == 0.0, "it goes on with what was in the tensor before"
    assert result_of(good) == 14.0


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2])
