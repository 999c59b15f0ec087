"""Activations as numbers: values, slopes, what in-place overwrites, and the stable forms."""

import torch
import torch.nn.functional as F
from torch import nn

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close
x = torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0], device=device, requires_grad=True)
for name in ("ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Mish", "Hardswish", "Softplus", "Sigmoid", "Tanh"):
    y = getattr(nn, name)()(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    print(f"{name:10}", *(f"{v:6.2f}" for v in y), "  slope", *(f"{v:6.2f}" for v in slope))
close(F.silu(x), x * x.sigmoid())
close(F.gelu(x), x * torch.distributions.Normal(0, 1).cdf(x))
grid = torch.linspace(-6, 6, 10_001, device=device)
gap = (F.gelu(grid) - F.gelu(grid, approximate="tanh")).abs().max().item()
print(f"largest difference between the two GELUs: {gap:.1e}")
assert 1e-4 < gap < 1e-3
a, b = torch.randn(2, 8, device=device).chunk(2, dim=1)
close(F.glu(torch.cat([a, b], dim=1)), a * b.sigmoid())

kept = torch.tensor([-1.0, 2.0], device=device)
out = nn.ReLU(inplace=True)(kept)
assert out is kept and (kept + out).tolist() == [0, 4]  # a residual sum that lost its input
try:
    F.relu(torch.sigmoid(x), inplace=True).sum().backward()
except RuntimeError as error:
    print("in place after a sigmoid:", str(error)[:60])
else:
    raise AssertionError("a saved output was overwritten")
low = torch.tensor(-200.0, device=device)
assert low.sigmoid().log() == -torch.inf and F.logsigmoid(low) == -200
assert (1 + (-low).exp()).log() == torch.inf and F.softplus(-low) == 200
assert torch.full((2,), -torch.inf).softmax(0).isnan().all() and nn.Identity(3, unused=True)(x) is x
