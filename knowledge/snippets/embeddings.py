"""Embedding: a table and its gradient, the padding row, sparse gradients, bags, tying."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close

table = nn.Embedding(5, 3, padding_idx=0).to(device)
ids = torch.tensor([[1, 1, 2], [4, 0, 0]], device=device)
close(table(ids), F.one_hot(ids, 5).float() @ table.weight)
table(ids).sum().backward()
print("gradient by row, ids", ids.tolist(), "with padding_idx=0:", table.weight.grad[:, 0].tolist())
assert table.weight.grad[:, 0].tolist() == [0, 2, 1, 0, 1] and table.weight[0].abs().sum() == 0

for sparse, kind in ((False, torch.optim.Adam), (True, torch.optim.SparseAdam)):
    rows = nn.Embedding(4, 3, sparse=sparse).to(device)
    optimizer = kind(rows.parameters(), lr=0.1)
    for row in (1, 2):  # row 1 is used in the first step, row 2 in the second
        optimizer.zero_grad()
        before = rows.weight.detach().clone()
        rows(torch.tensor([row], device=device)).sum().backward()
        optimizer.step()
    moved = (rows.weight - before).abs().sum(1).nonzero().flatten().tolist()
    print(f"{kind.__name__:10} moves rows {moved} when only row 2 is used")
    assert moved == ([2] if sparse else [1, 2])  # momentum carries row 1 on

bag, flat = nn.EmbeddingBag(5, 3).to(device), torch.tensor([1, 2, 4], device=device)
means = bag(flat, offsets=torch.tensor([0, 2], device=device))  # bags [1, 2] and [4]
close(means, torch.stack([bag.weight[[1, 2]].mean(0), bag.weight[4]]))
model = nn.ModuleDict({"embedding": nn.Embedding(10, 4), "head": nn.Linear(4, 10)})
model.head.weight = model.embedding.weight  # 2 parameters, 3 entries in the state_dict
for assign in (False, True):
    (loaded := copy.deepcopy(model)).load_state_dict(model.state_dict(), assign=assign)
    assert (loaded.head.weight is loaded.embedding.weight) is not assign  # assign=True unties
