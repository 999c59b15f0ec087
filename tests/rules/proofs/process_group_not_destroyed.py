"""TL708: when the main function has come to its end, the group is still there, with all that it holds.

What NCCL says of that at exit can be seen with GPUs only; that it is left to the end of the process can be
seen everywhere.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import torch
import torch.distributed as dist


def main(store: dist.Store) -> None:
    dist.init_process_group(store=store, rank=0, world_size=1)
    x = torch.ones(1)
    dist.all_reduce(x)


def left_by(module: ModuleType) -> str:
    """Whether the group is there after `main`, as a program says that is run by itself."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(module.__file__), str(Path(folder) / "store")]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return done.stdout.strip()


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert left_by(bad) == "True"
    assert left_by(good) == "False"


if __name__ == "__main__":
    main(dist.FileStore(sys.argv[1], 1))
    print(dist.is_initialized())
