"""A Dataset for a CSV file, what DataLoader makes of it, and the two kinds of dataset."""

import csv
import io

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


class Table(Dataset):  # map-style: a length, and a sample for an index
    def __init__(self, file):
        self.rows = list(csv.DictReader(file))  # what is expensive belongs into __getitem__

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        row = self.rows[index]
        return torch.tensor([float(row["a"]), float(row["b"])]), int(row["label"])


class Stream(IterableDataset):  # iterable-style: samples in the order in which they come
    def __iter__(self):
        yield from ({"x": float(i), "name": f"s{i}"} for i in range(5))


table = Table(io.StringIO("a,b,label\n1,2,0\n3,4,1\n5,6,1\n"))
for inputs, labels in DataLoader(table, batch_size=2):  # indices, samples, default_collate
    inputs, labels = inputs.to(device), labels.to(device)
    print("inputs", tuple(inputs.shape), inputs.dtype, "| labels", labels.tolist(), labels.dtype)
assert len(DataLoader(table, batch_size=2)) == 2 and len(DataLoader(table, batch_size=2, drop_last=True)) == 1
assert [batch["name"] for batch in DataLoader(Stream(), batch_size=2)] == [["s0", "s1"], ["s2", "s3"], ["s4"]]
torch.manual_seed(0)
loader = DataLoader(TensorDataset(torch.arange(6)), batch_size=6, shuffle=True)
first, second = (next(iter(loader))[0].tolist() for _ in range(2))
assert first != second and sorted(first) == list(range(6))  # every new iterator is another order
