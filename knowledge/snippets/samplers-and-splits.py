"""Splits that repeat, weights that balance, batches by length, and shares for processes."""

import torch
from torch.utils import data as D

torch.manual_seed(0)
labels = torch.tensor([0] * 900 + [1] * 100)
data = D.TensorDataset(torch.arange(1000), labels)
train, test = D.random_split(data, [0.8, 0.2], generator=torch.Generator().manual_seed(7))
again, _ = D.random_split(data, [0.8, 0.2], generator=torch.Generator().manual_seed(7))
assert train.indices == again.indices and not set(train.indices) & set(test.indices)
assert train.dataset is test.dataset is data  # indices into the same data

weights = (1 / torch.bincount(labels))[labels]  # one weight for each sample, not for each class
balanced = D.DataLoader(data, batch_size=100, sampler=D.WeightedRandomSampler(weights, 1000))
index, drawn = (torch.cat(part) for part in zip(*balanced))
seen = index.bincount(minlength=1000) > 0
print(
    f"share of the rare class: {labels.float().mean():.2f} in the data, {drawn.float().mean():.2f} as drawn"
)
print(f"drawn at least once: {seen[:900].sum()} of 900 frequent samples, {seen[900:].sum()} of 100 rare ones")
assert 0.45 < drawn.float().mean() < 0.55 and seen[:900].sum() < 450


class ByLength(D.Sampler):  # a batch sampler: it yields lists of indices
    def __init__(self, lengths, size):
        self.batches = torch.tensor(lengths).argsort().split(size)

    def __iter__(self):
        return (self.batches[i].tolist() for i in torch.randperm(len(self.batches)))


lengths = [5, 1, 4, 2, 6, 3]
batches = D.DataLoader(lengths, batch_sampler=ByLength(lengths, 2))
assert sorted(b.tolist() for b in batches) == [[1, 2], [3, 4], [5, 6]]
shares = [list(D.DistributedSampler(range(10), num_replicas=4, rank=r, shuffle=False)) for r in range(4)]
assert shares == [[0, 4, 8], [1, 5, 9], [2, 6, 0], [3, 7, 1]]  # filled up from the start
shuffled = D.DistributedSampler(range(10), num_replicas=2, rank=0)
assert (before := list(shuffled)) == list(shuffled) and (shuffled.set_epoch(1), list(shuffled))[1] != before
