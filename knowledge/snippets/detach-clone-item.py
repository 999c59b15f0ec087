"""What detach, clone and item each cut: the history, the memory, or both."""

import torch

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
x = torch.ones(2, device=device, requires_grad=True)

d, c = x.detach(), x.clone()
assert not d.requires_grad and d.data_ptr() == x.data_ptr()  # no history, same memory
assert c.requires_grad and c.data_ptr() != x.data_ptr()  # history, own memory
both = x.detach().clone()
assert not both.requires_grad and both.data_ptr() != x.data_ptr()
assert type(x.sum().item()) is float and torch.tensor([[3]]).item() == 3
assert torch.autograd.grad((c * 3).sum(), x)[0].tolist() == [3, 3]  # gradients pass through a clone
assert torch.autograd.grad((x * x.detach()).sum(), x)[0].tolist() == [1, 1]  # d(x*const), not d(x*x)


def graph_size(fn, seen=None):  # how many nodes a tensor keeps alive
    seen = set() if seen is None else seen
    if fn is not None and fn not in seen:
        seen.add(fn)
        for parent, _ in fn.next_functions:
            graph_size(parent, seen)
    return len(seen)


kept = total = number = 0
for _ in range(50):
    loss = (x * x).sum()
    kept, total, number = kept + loss, total + loss.detach(), number + loss.item()
print("nodes kept by adding up: loss", graph_size(kept.grad_fn), "| loss.detach()", graph_size(total.grad_fn))
assert graph_size(kept.grad_fn) > 100 and total.grad_fn is None and number == 100

y = x.exp()
y.data.zero_()  # .data hides the write, and the gradient is silently wrong
assert torch.autograd.grad(y.sum(), x)[0].tolist() == [0, 0]  # exp(1) is the true one
like = torch.ones(1, dtype=torch.float64).new_zeros(2)
assert like.dtype == torch.float64 and not x.new_ones(2).requires_grad  # dtype and device, no history
