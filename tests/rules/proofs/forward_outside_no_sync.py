"""TL703: a forward outside of `no_sync` has the gradients averaged all the same."""

import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

STEPS = 4


def averagings(rank: int = 0) -> int:
    """How often gradients are averaged in an accumulation over so many steps, in a process of its own."""
    counted: list[int] = []

    def hook(state: Any, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:
        counted.append(bucket.index())
        done: torch.futures.Future[torch.Tensor] = torch.futures.Future()
        done.set_result(bucket.buffer())
        return done

    with tempfile.TemporaryDirectory() as folder:
        store = dist.FileStore(str(Path(folder) / "store"), 1)
        dist.init_process_group("gloo", store=store, rank=rank, world_size=1)
        try:
            model = DistributedDataParallel(torch.nn.Linear(4, 1))
            model.register_comm_hook(None, hook)
            for x in torch.randn(STEPS, 8, 4):
                loss = model(x).pow(2).mean()
                with model.no_sync():
                    loss.backward()
            return len(counted)
        finally:
            dist.destroy_process_group()


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert bad.averagings() == STEPS, "in every step, in spite of `no_sync`"
    assert good.averagings() == 0
