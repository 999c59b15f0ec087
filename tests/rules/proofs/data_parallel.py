"""TL707: what `forward` counts is counted on copies, and lost; each process of DDP has the model itself."""

import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import torch
import torch.distributed as dist

STEPS = 3
REPAIRS = [("torch.nn.DataParallel(model)", "torch.nn.parallel.DistributedDataParallel(model)")]


class Counting(torch.nn.Module):
    """Counts how often it ran."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
        self.ran = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.ran += 1
        out: torch.Tensor = self.layer(x)
        return out


def train() -> int:
    """How often the model thinks that it ran."""
    model = Counting()
    parallel = torch.nn.DataParallel(model)
    optimizer = torch.optim.SGD(parallel.parameters(), lr=0.1)
    on_two_devices(parallel)
    for x in torch.randn(STEPS, 8, 4):
        optimizer.zero_grad()
        parallel(x).pow(2).mean().backward()
        optimizer.step()
    return model.ran


def on_two_devices(parallel: Any) -> None:
    """Lets DataParallel make its copies, as if the CPU were two GPUs. DDP has a process for each instead."""
    if isinstance(parallel, torch.nn.DataParallel):
        parallel.device_ids = [0, 1]
        parallel.output_device, parallel.src_device_obj = 0, torch.device("cpu")
        for name, stand_in in (("scatter", halves), ("parallel_apply", applied), ("gather", gathered)):
            setattr(parallel, name, stand_in)


def halves(inputs: Any, kwargs: Any, devices: Any) -> Any:
    return [(half,) for half in inputs[0].chunk(2)], [{}, {}]


def applied(copies: Any, inputs: Any, kwargs: Any) -> Any:
    return [copy(*given) for copy, given in zip(copies, inputs, strict=True)]


def gathered(outputs: Any, device: Any) -> torch.Tensor:
    return torch.cat(outputs)


def prove(bad: ModuleType, good: ModuleType) -> None:
    def broadcast(tensors: Any, devices: Any, detach: bool = False) -> Any:
        return [list(tensors) for _ in devices]

    with mock.patch("torch.nn.parallel.replicate._broadcast_coalesced_reshape", broadcast):
        assert bad.train() == 0, "the copies are gone, and what they counted"
    with tempfile.TemporaryDirectory() as folder:
        store = dist.FileStore(str(Path(folder) / "store"), 1)
        dist.init_process_group("gloo", store=store, rank=0, world_size=1)
        try:
            assert good.train() == STEPS
        finally:
            dist.destroy_process_group()
