"""A jagged batch: one buffer and offsets, equal to the padded computation without the padding."""

import logging

import torch
from torch import nn

logging.getLogger("torch.fx").setLevel(logging.ERROR)  # 2.13 logs an unrelated hint in from_jagged
torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
parts = [torch.randn(n, 16, device=device) for n in (2, 3, 40)]
batch = torch.nested.nested_tensor(parts, layout=torch.jagged)
padded = torch.nested.to_padded_tensor(batch, 0.0)
print("shape", batch.shape, "rows stored", len(batch.values()), "rows when padded", padded[..., 0].numel())
assert batch.is_nested and batch.offsets().tolist() == [0, 2, 5, 45] and padded.shape == (3, 40, 16)
assert all(a.equal(b) for a, b in zip(batch.unbind(), parts))

layer = nn.Linear(16, 16, device=device)
assert torch.allclose(layer(batch).values(), layer(torch.cat(parts)))
assert torch.allclose(batch.mean(1)[0], parts[0].mean(0), atol=1e-6)  # over the real length

scores = batch.values() @ torch.ones(16, device=device)  # row by row, on the packed buffer
scores = torch.nested.nested_tensor_from_jagged(scores, offsets=batch.offsets())
weights = scores.softmax(1)  # over each sequence alone
assert torch.allclose(weights.sum(1), torch.ones(3, device=device))

other = torch.nested.nested_tensor(parts, layout=torch.jagged)  # the same lengths, other offsets
try:
    batch + other
except RuntimeError as error:
    print(error)
else:
    raise AssertionError("added")
same = torch.nested.nested_tensor_from_jagged(other.values(), offsets=batch.offsets())
assert torch.equal((batch + same).values(), 2 * batch.values())
w = torch.ones(2, 4, device=device, requires_grad=True)
assert not torch.nested.nested_tensor([w], layout=torch.jagged).requires_grad  # a copy
assert torch.nested.as_nested_tensor([w], layout=torch.jagged).requires_grad
