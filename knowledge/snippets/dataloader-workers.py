"""What workers change: who loads what, their seeds, state that stays behind, and time."""

import time

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info


class Slow(Dataset):
    loaded = 0

    def __len__(self):
        return 16

    def __getitem__(self, index):
        time.sleep(0.05)  # as if it read and decoded a file
        self.loaded += 1
        return get_worker_info().id if get_worker_info() else -1, torch.rand(1)


class Stream(IterableDataset):
    def __init__(self, split):
        self.split = split

    def __iter__(self):
        info = get_worker_info()
        return iter(range(info.id, 4, info.num_workers) if self.split else range(4))


if __name__ == "__main__":  # where workers are spawned, each imports this file
    for workers in (0, 2):
        data, start = Slow(), time.perf_counter()
        by, noise = zip(*DataLoader(data, batch_size=4, num_workers=workers))
        print(f"{workers} workers: {time.perf_counter() - start:.2f} s, by", torch.stack(by)[:, 0].tolist())
        assert data.loaded == (0 if workers else 16)  # each worker has changed a copy of its own
    assert torch.stack(by).tolist() == [[0] * 4, [1] * 4] * 2 and torch.cat(noise).unique().numel() == 16
    repeated, split = (sorted(DataLoader(Stream(s), batch_size=None, num_workers=2)) for s in (False, True))
    print("a stream with two workers:", repeated, "| shared out:", split)
    assert repeated == [0, 0, 1, 1, 2, 2, 3, 3] and split == [0, 1, 2, 3]
