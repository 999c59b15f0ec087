"""Indexing: what is a view, what gather and scatter pick, and how duplicates are counted."""

import torch

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
x = torch.arange(6.0, device=device).view(2, 3)
rows, cols = torch.tensor([0, 1], device=device), torch.tensor([2, 0], device=device)

views = {"x[0]": x[0], "x[:, 1:]": x[:, 1:], "x[None]": x[None], "x[[0]]": x[[0]], "x[x > 2]": x[x > 2]}
shared = {text: t.untyped_storage().data_ptr() == x.untyped_storage().data_ptr() for text, t in views.items()}
print("shares memory with x:", shared)
assert list(shared.values()) == [True, True, True, False, False]
x[x > 4][0] = 99  # writes to a copy, which nobody keeps
assert x[1, 2] == 5

assert x[rows, cols].tolist() == [2, 3]  # pairs of indices
assert x[rows[:, None], cols].tolist() == [[2, 0], [5, 3]]  # every combination
assert x.gather(1, cols[:, None]).tolist() == [[2], [3]]  # one element for each row
order = x.argsort(1, descending=True)
assert x.take_along_dim(order, 1).tolist() == [[2, 1, 0], [5, 4, 3]]
assert torch.zeros(2, 3, device=device).scatter_(1, cols[:, None], 1.0).tolist() == [[0, 0, 1], [1, 0, 0]]

group, counts = torch.tensor([0, 0, 2], device=device), torch.zeros(3, device=device)
once, each = counts.clone(), counts.clone().index_add_(0, group, torch.ones(3, device=device))
once[group] += 1
print("indices 0, 0, 2 counted by +=:", once.tolist(), "by index_add_:", each.tolist())
assert once.tolist() == [1, 0, 1] and each.tolist() == [2, 0, 1]

for safe in (False, True):  # the branch that where drops still reaches the gradient
    w = torch.zeros(1, device=device, requires_grad=True)
    inner = torch.where(w > 0, w, 1.0) if safe else w
    torch.where(w > 0, inner.sqrt(), w).sum().backward()
    print("gradient through where, made safe first:" if safe else "gradient through where:", w.grad.item())
    assert w.grad.isnan().item() is not safe
assert torch.ones(3, 3).tril().sum(1).tolist() == [1, 2, 3]
