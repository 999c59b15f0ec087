"""Variable is a leftover name: it hands back a plain tensor, and cuts the graph on the way."""

import warnings

import torch

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
t = torch.tensor([3.0], device=device)
Variable = torch.autograd.Variable

v = Variable(t, requires_grad=True)
print("type(Variable(t)) is", type(v).__name__)
assert type(v) is torch.Tensor and isinstance(t, Variable) and Variable is not torch.Tensor
assert v.data_ptr() == t.data_ptr() and v is not t and not t.requires_grad  # same storage, own flag

(v * v).sum().backward()  # a tensor does all of it without the wrapper
w = torch.tensor([3.0], device=device, requires_grad=True)
(w * w).sum().backward()
assert v.grad.item() == w.grad.item() == 6

# A tensor that does not require grad is a constant in the graph; nothing has to be detached.
constant = torch.tensor([5.0], device=device)
(w * constant).sum().backward()
assert constant.grad is None and w.grad.item() == 6 + 5

# The trap in old code: wrapping a computed tensor drops its history, silently.
computed = w * 2
assert computed.grad_fn is not None
assert Variable(computed).grad_fn is None and not Variable(computed).requires_grad

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    Variable(t, volatile=True)
print(caught[0].message)
assert "torch.no_grad()" in str(caught[0].message)
