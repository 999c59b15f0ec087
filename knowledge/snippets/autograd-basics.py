"""The record that autograd keeps, and what backward makes of it."""

import torch

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")

x, y = (torch.tensor(value, device=device, requires_grad=True) for value in (3.0, 4.0))
w = (x * y) ** 2 + 10

node, chain = w.grad_fn, []  # walk the record from the result towards x
while node is not None:
    assert isinstance(node, torch.autograd.graph.Node) and not isinstance(node, torch.autograd.Function)
    chain.append(node.name())
    last, node = node, node.next_functions[0][0] if node.next_functions else None
print(" -> ".join(chain))
assert last.variable is x and x.grad_fn is None  # it ends at the leaf, which has no node of its own

w.backward()
assert x.grad.item() == 2 * 3 * 4**2 == 96 and y.grad.item() == 2 * 3**2 * 4 == 72

# Linear regression by hand: loss = mean((Xa + b - t)^2), so dloss/da = 2/n X'(Xa + b - t).
X, t = torch.randn(8, 3, device=device), torch.randn(8, device=device)
a, b = torch.randn(3, device=device, requires_grad=True), torch.zeros(1, device=device, requires_grad=True)
((X @ a + b - t) ** 2).mean().backward()
with torch.no_grad():
    residual = X @ a + b - t
    torch.testing.assert_close(a.grad, 2 / 8 * X.T @ residual)
    torch.testing.assert_close(b.grad, 2 / 8 * residual.sum(0, keepdim=True))
print("by hand and by autograd:", a.grad.tolist())

# What is recorded: grad mode on, and an input that requires grad.
assert not torch.randn(2).requires_grad and (x * 2).requires_grad and not (x > 1).requires_grad
assert torch.stack([x, y]).requires_grad and not torch.tensor([x.item(), y.item()]).requires_grad
rounded = torch.autograd.grad(torch.round(x), x)[0]
assert rounded.item() == 0  # differentiable on paper, useless for training
