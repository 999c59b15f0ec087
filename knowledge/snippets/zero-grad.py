"""Gradients add up until someone clears them; clearing at the wrong place stops training in silence."""

import torch
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
model, x = nn.Linear(1, 1).to(device), torch.ones(1, 1, device=device, requires_grad=True)
optimizer = torch.optim.SGD([model.weight], lr=0.1)  # the weight only: the bias is not its own
for total in (1.0, 2.0):
    model(x).sum().backward()
    assert model.weight.grad.item() == total
optimizer.zero_grad()
assert model.weight.grad is None and model.bias.grad is not None
assert x.grad is not None and model.weight.requires_grad
model.zero_grad()
assert model.bias.grad is None and x.grad is not None  # the input keeps its own
model(x).sum().backward()
kept = model.weight.grad
optimizer.zero_grad(set_to_none=False)
assert model.weight.grad is kept and kept.item() == 0


def descend(order, kind=torch.optim.SGD, steps=100):
    """Distances from the minimum of p²/2, starting at 1, after each call; `order` is the loop's body."""
    p = nn.Parameter(torch.ones(1, device=device))
    optimizer, path = kind([p], lr=0.1), []
    calls = {"z": optimizer.zero_grad, "b": lambda: (p.pow(2) / 2).sum().backward(), "s": optimizer.step}
    for name in order * steps:
        calls[name]()
        path.append(abs(p.item()))
    return path


assert descend("zbs")[-1] == descend("bsz")[-1] < 1e-4  # first or last in the loop: the same
assert max(descend("bs", steps=500)[-100:]) > 0.9  # never cleared: it swings for ever
assert set(descend("bzs") + descend("bzs", torch.optim.AdamW)) == {1.0}  # too early: nothing moves
for said, order in (("cleared every time", "zbs"), ("never cleared", "bs"), ("cleared too early", "bzs")):
    print(f"{said:<18}: {descend(order)[-1]:.5f} from the minimum after 100 steps")
