"""Overfit one batch: a loop that works, and what the usual faults look like beside it."""

import math

import torch
from torch import nn
from torch.nn import functional as F

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


def overfit(lr=0.5, last=nn.Identity, bias=0.0, clear_late=False):
    """The losses of 300 steps on one batch, with the fault that is asked for."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 5), last()).to(device)
    nn.init.constant_(model[0].bias, bias)
    optimizer = torch.optim.SGD(model.parameters(), lr)
    x, labels = torch.randn(32, 10, device=device), torch.randint(5, (32,), device=device)
    for _ in range(300):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        optimizer.zero_grad() if clear_late else None
        optimizer.step()
        yield loss.item()


runs = {"works": {}, "zero_grad before step": {"clear_late": True}, "units dead": {"bias": -20.0}}
runs |= {
    "lr 1e-5": {"lr": 1e-5},
    "lr 100": {"lr": 100},
    "softmax at the end": {"last": lambda: nn.Softmax(1)},
}
final, pred, y = {}, torch.zeros(32, 1), torch.randn(32)
for name, fault in runs.items():
    first, *_, final[name] = overfit(**fault)
    print(f"{name:22} first loss {first:.2f} (ln 5 = {math.log(5):.2f}), after 300 steps {final[name]:.3f}")
assert final.pop("works") < 0.02 and (pred - y).shape == (32, 32)  # the quiet fault: it broadcasts
assert not any(loss < 0.5 for loss in final.values())
