"""Reductions: which dimension goes, what max returns, and how NaN, ties, masks and one element behave."""

import torch

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
x = torch.tensor([[1.0, 5.0, 2.0], [4.0, 0.0, 3.0]], device=device)

print("(2, 3) sum(0):", x.sum(0).shape, "keepdim:", x.sum(0, keepdim=True).shape, "sum():", x.sum().shape)
assert (x / x.sum(1, keepdim=True)).sum(1).tolist() == [1, 1]
values, indices = x.max(1)
assert values.tolist() == [5, 4] and indices.equal(x.argmax(1)) and x.amax((0, 1)) == 5 == x.max()
assert x.topk(2).indices.tolist() == [[1, 2], [0, 2]] and (x > 2).sum() == 3 and (x > 2).any(1).all()
assert torch.bincount(indices, minlength=4).tolist() == [1, 1, 0, 0]

pair = torch.tensor([1.0, 2.0], device=device)
print("std of [1, 2]:", pair.std().item(), "with correction=0:", pair.std(correction=0).item())
assert abs(pair.std() - 0.5**0.5) < 1e-6 and pair.std(correction=0) == 0.5
four = torch.tensor([1.0, 2.0, 3.0, 4.0], device=device)
print("median of [1, 2, 3, 4]:", four.median().item(), "quantile(0.5):", four.quantile(0.5).item())
assert four.median() == 2 and four.quantile(0.5) == 2.5
assert torch.cat([four, four.new_tensor([float("nan")])]).argmax() == 4  # NaN wins

loss = torch.tensor([[2.0, 4.0, 9.0], [6.0, 9.0, 9.0]], device=device)
mask = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]], device=device)
print("masked mean:", ((loss * mask).sum() / mask.sum()).item(), "with mean():", (loss * mask).mean().item())
assert (loss * mask).sum() / mask.sum() == 4 and (loss * mask).mean() == 2

tie = torch.tensor([1.0, 3.0, 3.0], device=device, requires_grad=True)
assert torch.autograd.grad(tie.amax(0), tie)[0].tolist() == [0, 0.5, 0.5]  # ties share the gradient
assert torch.autograd.grad(tie.max(0).values, tie)[0].tolist() == [0, 1, 0]  # the returned one has it all
assert torch.zeros(0).prod() == 1 and torch.zeros(0).mean().isnan()
assert torch.full((2,), 1000.0).exp().sum().log().isinf() and torch.full((2,), 1000.0).logsumexp(0) > 1000.6
