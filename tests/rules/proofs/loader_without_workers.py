"""TL509: without workers the process that trains reads every file; with them it reads none."""

import os
import tempfile
from pathlib import Path
from types import ModuleType

import torch
from torch.utils.data import DataLoader, Dataset


class Files(Dataset[int]):
    """Gives the process that read each file."""

    def __init__(self, folder: Path) -> None:
        self.paths = sorted(folder.iterdir())

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> int:
        assert torch.load(self.paths[index]).sum() == 3
        return os.getpid()


def readers(folder: Path) -> set[int]:
    """The processes that read the files of one epoch."""
    found: set[int] = set()
    for batch in DataLoader(Files(folder), batch_size=2):
        found.update(batch.tolist())
    return found


def prove(bad: ModuleType, good: ModuleType) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for index in range(8):
            torch.save(torch.ones(3), Path(folder) / f"{index}.pt")
        assert bad.readers(Path(folder)) == {os.getpid()}
        others = good.readers(Path(folder))
        assert len(others) == 2 and os.getpid() not in others
