"""Where .grad is filled, where it stays None, and that it accumulates."""

import warnings

import torch

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
x = torch.tensor(2.0, device=device, requires_grad=True)
assert x.is_leaf and x.grad is None  # nothing has flowed yet

z = x * 3  # a scalar, and not a leaf
z.backward()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    assert z.grad is None and not z.is_leaf and not z.retains_grad
assert x.grad.item() == 3 and "not a leaf" in str(caught[0].message)

kept = x * 3
kept.retain_grad()  # ask before backward
kept.backward()
assert kept.grad.item() == 1 and kept.retains_grad
print("after a second backward x.grad is", x.grad.item(), "- it is a running sum")
assert x.grad.item() == 3 + 3

held = x.grad  # the same tensor is added to, so a kept reference changes too
(x * 3).backward()
assert held is x.grad and held.item() == 9
before = x.grad.clone()
(derivative,) = torch.autograd.grad(x**3, x)  # returns the gradient, leaves .grad alone
assert derivative.item() == 12 and torch.equal(x.grad, before)

moved = torch.ones(2, requires_grad=True).to(torch.float16)  # a cast or a move is an operation
assert not moved.is_leaf
assert torch.ones(2, device=device, dtype=torch.float16, requires_grad=True).is_leaf
assert torch.ones(2).is_leaf  # by convention: no history, hence a leaf
with torch.no_grad():
    assert (x * 2).requires_grad is False and (x * 2).grad_fn is None
