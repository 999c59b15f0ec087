"""An improvement that can be told: the same five seeds before and after, and a time with its spread."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils import benchmark

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


def test_error(seed, standardise):  # one column in thousands, as raw data have it
    torch.manual_seed(seed)
    x = torch.randn(300, 6) * torch.tensor([1, 1, 1, 1, 1, 1000.0])
    y = x[:, :1].sin() + 0.1 * x[:, 1:2] + 0.3 * torch.randn(300, 1)
    mean, std = x[:200].mean(0), x[:200].std(0)  # of the training part
    x = ((x - mean) / std if standardise else x).to(device)
    model = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 1)).to(device)
    optimizer, y = torch.optim.Adam(model.parameters(), lr=1e-2), y.to(device)
    for _ in range(200):
        optimizer.zero_grad(), F.mse_loss(model(x[:200]), y[:200]).backward(), optimizer.step()
    return F.mse_loss(model(x[200:]), y[200:]).item()


before, after = (torch.tensor([test_error(seed, s) for seed in range(5)]) for s in (False, True))
gain = before - after  # in pairs: the same data, the same initial weights
error = gain.std() / len(gain) ** 0.5
print(f"before {before.mean():.2f} ± {before.std():.2f}, after {after.mean():.2f} ± {after.std():.2f}")
print(
    f"gain {gain.mean():.2f}, standard error {error:.2f}, pair by pair", [round(g, 2) for g in gain.tolist()]
)
assert gain.mean() > 3 * error

timer = benchmark.Timer("model(x)", globals={"model": nn.Linear(64, 64), "x": torch.randn(32, 64)})
times = timer.blocked_autorange(min_run_time=0.2)
print(
    f"forward {times.median * 1e6:.1f} µs, quartiles {times.iqr * 1e6:.1f} µs apart, {len(times.times)} runs"
)
assert times.median > 0 and isinstance(times.meets_confidence(), bool)
