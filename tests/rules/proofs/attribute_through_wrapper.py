"""TL702: a wrapper has none of the attributes of the model in it."""

import tempfile
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torchlore.rules.distributed.attribute_through_wrapper import OF_WRAPPERS


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x) * 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(x)


def with_ddp() -> int:
    """The number of outputs, asked of a model in one process of one."""
    with tempfile.TemporaryDirectory() as folder:
        dist.init_process_group(
            "gloo", store=dist.FileStore(str(Path(folder) / "store"), 1), rank=0, world_size=1
        )
        try:
            return outputs()
        finally:
            dist.destroy_process_group()


def outputs() -> int:
    model = DistributedDataParallel(Net())
    return int(model.fc.out_features)


def own_names() -> set[str]:
    """What the wrappers have that is no model's."""
    with tempfile.TemporaryDirectory() as folder:
        store = dist.FileStore(str(Path(folder) / "store"), 1)
        dist.init_process_group("gloo", store=store, rank=0, world_size=1)
        try:
            found = {*dir(DistributedDataParallel(nn.Linear(2, 2))), *dir(DataParallel(nn.Linear(2, 2)))}
        finally:
            dist.destroy_process_group()
    return {name for name in found if not name.startswith("_")}


def with_data_parallel() -> torch.Tensor:
    model = DataParallel(Net())
    return model.encode(torch.ones(3, 4))


def prove(bad: ModuleType, good: ModuleType) -> None:
    with pytest.raises(AttributeError, match="'DistributedDataParallel' object has no attribute 'fc'"):
        bad.with_ddp()
    assert good.with_ddp() == 2
    with pytest.raises(AttributeError, match="'DataParallel' object has no attribute 'encode'"):
        bad.with_data_parallel()
    assert good.with_data_parallel().shape == (3, 2)
    assert own_names() <= OF_WRAPPERS, "of these names the rule says nothing"
