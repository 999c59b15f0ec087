"""Micro-batches that add up to the large batch, and the divisor that makes them do so."""

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
model = nn.Linear(8, 5).to(device)
tokens = torch.randn(4, 16, 8, device=device)  # four sequences of up to 16 tokens
targets = torch.randint(5, (4, 16), device=device)
for row, length in enumerate((2, 5, 16, 16)):
    targets[row, length:] = -100  # padding


def loss(rows, reduction="mean"):
    return F.cross_entropy(model(tokens[rows]).flatten(0, 1), targets[rows].flatten(), reduction=reduction)


def gradient(*losses):
    model.zero_grad()
    for part in losses:
        part.backward()  # adds to .grad
    return model.weight.grad.clone()


whole, count = gradient(loss(slice(0, 4))), (targets != -100).sum()
rows = [slice(i, i + 1) for i in range(4)]
ways = {
    "not divided": gradient(*(loss(r) for r in rows)),
    "mean of the means": gradient(*(loss(r) / 4 for r in rows)),
    "sums, by the tokens of all": gradient(*(loss(r, "sum") / count for r in rows)),
}
for name, found in ways.items():
    print(f"{name:27} differs from the large batch by {(found - whole).norm() / whole.norm():.1%}")
torch.testing.assert_close(ways["sums, by the tokens of all"], whole)
assert (ways["mean of the means"] - whole).norm() > 0.2 * whole.norm()
equal = gradient(*(loss(r) / 2 for r in rows[2:]))  # 16 tokens each: here the mean is right
torch.testing.assert_close(equal, gradient(loss(slice(2, 4))))
