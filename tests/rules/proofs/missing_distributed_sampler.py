"""TL706: without a DistributedSampler every rank goes through all of the data."""

import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, Dataset

SAMPLES = 8


class Numbers(Dataset[torch.Tensor]):
    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, index: int) -> torch.Tensor:
        return torch.tensor([float(index)])


def train() -> list[int]:
    """The samples that a rank sees in an epoch."""
    torch.manual_seed(0)
    numbers = Numbers()
    loader = DataLoader(numbers, batch_size=2, shuffle=True)
    model = DistributedDataParallel(torch.nn.Linear(1, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    seen: list[int] = []
    for x in loader:
        seen += [int(value) for value in x.flatten().tolist()]
        optimizer.zero_grad()
        model(x).pow(2).mean().backward()
        optimizer.step()
    return seen


def run(rank: int, store: str) -> None:
    """One of two processes."""
    files = dist.FileStore(store, 2)
    dist.init_process_group("gloo", store=files, rank=rank, world_size=2)
    print(*train(), flush=True)
    dist.barrier()
    dist.destroy_process_group()


def seen_by_each(module: ModuleType) -> list[list[int]]:
    """The samples that each of two processes sees, in order."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(module.__file__)]
        processes = [
            subprocess.Popen([*command, str(rank), str(Path(folder) / "store")], stdout=subprocess.PIPE)
            for rank in (0, 1)
        ]
        outputs = [process.communicate(timeout=120)[0] for process in processes]
    return [[int(number) for number in output.split()] for output in outputs]


def prove(bad: ModuleType, good: ModuleType) -> None:
    first, second = seen_by_each(bad)
    assert first == second, "both ranks see the same batches in the same order"
    assert sorted(first) == list(range(SAMPLES)), "and each of them all of the data"
    first, second = seen_by_each(good)
    assert sorted(first + second) == list(range(SAMPLES)), "each sample is seen once, by one of them"
    assert len(first) == len(second)


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2])
