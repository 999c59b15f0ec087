"""Broadcasting: the rule, views with stride 0, and the (N, 1) - (N,) accident that trains to the mean."""

import torch

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
assert torch.broadcast_shapes((5, 1, 3), (4, 1)) == (5, 4, 3)

# The accident: predictions (N, 1), targets (N,). Both fits minimise "the squared error" of y = 2x + 1.
x = torch.linspace(-1, 1, 64, device=device)[:, None]
y = (2 * x + 1).squeeze(-1)
for align in (False, True):
    layer = torch.nn.Linear(1, 1, device=device)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.3)
    for _ in range(200):
        pred = layer(x).squeeze(-1) if align else layer(x)
        loss = (pred - y).square().mean()
        optimizer.zero_grad(), loss.backward(), optimizer.step()
    weight, bias = layer.weight.item(), layer.bias.item()
    print(f"{tuple((pred - y).shape)}: loss {loss:.3f}, weight {weight:.2f}, bias {bias:.2f}")
    assert abs(weight - 2 * align) < 0.01 and abs(bias - 1) < 0.01
labels = torch.ones(4, device=device)
assert (labels[:, None] == labels).sum() / len(labels) == 4  # an accuracy of 400 %
view = torch.ones(3, 1, device=device).expand(3, 4)  # no copy: the long dimension has stride 0
assert view.stride() == (1, 0) and view.untyped_storage().nbytes() == 12
try:
    view += 1
    raise AssertionError("wrote into an expanded tensor")
except RuntimeError as error:
    print("in place:", str(error).split(":")[1].strip().split(".")[0])
pair = torch.tensor([1, 2], device=device)
assert pair.repeat(3).tolist() == [1, 2] * 3 and pair.repeat_interleave(3).tolist() == [1, 1, 1, 2, 2, 2]
square = torch.arange(1.0, 10.0, device=device).view(3, 3)
assert (square / square.sum(1, keepdim=True)).sum(1).allclose(torch.ones(3, device=device))
assert not (square / square.sum(1)).sum(1).allclose(torch.ones(3, device=device))  # no error, wrong axis
bias = torch.zeros(3, device=device, requires_grad=True)
(torch.ones(8, 3, device=device) + bias).sum().backward()
assert bias.grad.tolist() == [8, 8, 8]  # summed over what was repeated
assert torch.allclose(labels[:, None], labels) and not torch.equal(labels[:, None], labels)
