"""Losses as numbers: what they do with large errors, how they reduce, and the broadcasting trap."""

import torch
import torch.nn.functional as F

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close

error = torch.tensor([-3.0, -0.5, 0.0, 1.0, 3.0], device=device, requires_grad=True)
zero = torch.zeros_like(error)
for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss):
    values = loss(error, zero, reduction="none")
    (slope,) = torch.autograd.grad(values.sum(), error)
    print(f"{loss.__name__:15}", *(f"{v:6.3f}" for v in values), "  slope", *(f"{v:5.1f}" for v in slope))
close(F.huber_loss(error, zero, delta=2), 2 * F.smooth_l1_loss(error, zero, beta=2))

p, q = torch.rand(2, 4, 3, device=device).softmax(-1)
divergence = (p * (p / q).log()).sum(-1).mean()
close(F.kl_div(q.log(), p, reduction="batchmean"), divergence)  # KL(p || q)
close(F.kl_div(q.log(), p, reduction="sum") / 12, divergence / 3)  # what "mean" would return
a, b, c = torch.randn(3, 5, 2, device=device)
hinge = ((a - b).norm(dim=1) - (a - c).norm(dim=1) + 1).clamp(min=0)
close(F.triplet_margin_loss(a, b, c), hinge.mean(), rtol=1e-4, atol=1e-4)

x = torch.linspace(-1, 1, 64, device=device)[:, None]  # (N, 1); the target 3x as (N, 1) and as (N,)
slopes = {}
for name, target in (("(N, 1)", 3 * x), ("(N,)", 3 * x.squeeze(1))):
    slope = torch.func.grad(lambda w: (w * x - target).square().mean())  # mse_loss does the same, and warns
    w = torch.zeros((), device=device)
    for _ in range(200):
        w = w - 0.5 * slope(w)
    slopes[name] = round(w.item(), 3) + 0.0
print("fitted slope of 3x, by the shape of the target:", slopes)
assert slopes == {"(N, 1)": 3, "(N,)": 0}
far = torch.randn(2, 40, 3, device=device) + 1000
gap = (torch.cdist(*far) - (far[0, :, None] - far[1]).norm(dim=-1)).abs().max().item()
print(f"largest error of cdist around (1000, 1000, 1000): {gap:.2f}")
assert gap > 0.01
