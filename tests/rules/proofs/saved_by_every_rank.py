"""TL705: the second of two ranks writes over the checkpoint of the first."""

import tempfile
from pathlib import Path
from types import ModuleType

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.testing._internal.distributed.fake_pg import FakeStore

RANK = 0


def train() -> None:
    """One of two processes. The ranks only pretend to communicate: each is run alone here."""
    dist.init_process_group("fake", rank=RANK, world_size=2, store=FakeStore())
    try:
        model = DistributedDataParallel(torch.nn.Linear(4, 1))
        torch.save(model.module.state_dict(), "model.pt")
    finally:
        dist.destroy_process_group()


def written_by(module: ModuleType, rank: int) -> list[str]:
    """The files that a rank writes."""
    with tempfile.TemporaryDirectory() as folder:
        real = torch.save
        names: list[str] = []

        def save(saved: object, path: str) -> None:
            names.append(path)
            real(saved, Path(folder) / path)

        torch.save = save
        try:
            module.RANK = rank
            module.train()
        finally:
            torch.save = real
        assert sorted(path.name for path in Path(folder).iterdir()) == sorted(names)
    return names


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert written_by(bad, 0) == written_by(bad, 1) == ["model.pt"], "both write the same file"
    assert written_by(good, 0) == ["model.pt"]
    assert written_by(good, 1) == []


if __name__ == "__main__":
    train()
