"""backward(): the chain rule by hand, what it accumulates where, and when it refuses."""

import torch
import torch.nn.functional as F

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")

model = torch.nn.Linear(2, 1).to(device)
x, y = torch.randn(8, 2, device=device), torch.randn(8, 1, device=device)
F.mse_loss(model(x), y).backward()
by_hand = (2 / len(x)) * (model(x) - y).T @ x
torch.testing.assert_close(model.weight.grad, by_hand)
print("autograd", model.weight.grad.tolist(), "by hand", by_hand.tolist())
assert x.grad is None  # inputs get no gradient unless they ask for one

a, b = (torch.tensor(value, device=device, requires_grad=True) for value in (2.0, 3.0))
product = a * b
total = product + a
node = total.grad_fn
assert isinstance(node, torch.autograd.graph.Node) and not isinstance(node, torch.autograd.Function)
assert [type(n).__name__ for n, _ in node.next_functions] == ["MulBackward0", "AccumulateGrad"]
total.backward()
assert (a.grad.item(), b.grad.item(), product.is_leaf) == (3 + 1, 2, False)
leaf = torch.ones(3, device=device, requires_grad=True)
for call, reason in ((total.backward, "second time"), ((leaf * 2).backward, "only for scalar outputs")):
    try:
        call()
    except RuntimeError as error:  # what the product saved is freed; a vector has no gradient of its own
        assert reason in str(error)
    else:
        raise AssertionError(f"no error: {reason}")
(leaf * 2).backward(torch.tensor([1.0, 2.0, 3.0], device=device))
assert leaf.grad.tolist() == [2, 4, 6]
shifted = (leaf + 1).sum()  # saves nothing: a second backward passes, and adds
shifted.backward(), shifted.backward()
assert leaf.grad.tolist() == [4, 6, 8]
