"""What default_collate does to each type, and a collate_fn for samples of different length."""

import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, default_collate

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
samples = [
    {"image": torch.zeros(3, 8, 8), "label": 1, "weight": 0.5, "name": "a", "box": [1, 2, 3]},
    {"image": torch.ones(3, 8, 8), "label": 0, "weight": 1.0, "name": "b", "box": [5, 6, 7]},
]
batch = default_collate(samples)
for key, value in batch.items():
    shown = f"tensor {tuple(value.shape)} {value.dtype}" if torch.is_tensor(value) else value
    print(f"{key:7} {type(samples[0][key]).__name__:7} -> {shown}")
assert batch["image"].shape == (2, 3, 8, 8) and batch["label"].dtype == torch.int64
assert batch["weight"].dtype == torch.float64 and batch["name"] == ["a", "b"]
assert [column.tolist() for column in batch["box"]] == [[1, 5], [2, 6], [3, 7]]  # turned on its side


def pad(batch):
    """Sequences to a rectangle, with the mask that tells what is padding."""
    tokens, labels = zip(*batch)
    lengths, padded = torch.tensor([len(t) for t in tokens]), pad_sequence(tokens, batch_first=True)
    return padded, torch.arange(padded.shape[1]) < lengths[:, None], torch.tensor(labels)


sentences = [(torch.arange(1, n + 1), n % 2) for n in (2, 5, 3)]
try:
    next(iter(DataLoader(sentences, batch_size=3)))
except RuntimeError as error:
    print("without a collate_fn:", error)
else:
    raise AssertionError("sequences of different length were stacked")
tokens, mask, labels = (t.to(device) for t in next(iter(DataLoader(sentences, batch_size=3, collate_fn=pad))))
assert tokens.shape == (3, 5) and mask.sum(1).tolist() == [2, 5, 3] and labels.tolist() == [0, 1, 1]
