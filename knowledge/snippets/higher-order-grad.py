"""Derivatives of derivatives: what create_graph records, products with a Hessian, forward mode."""

import torch
from torch import nn
from torch.autograd import forward_ad, functional, grad

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
x = torch.tensor(2.0, device=device, requires_grad=True)
(first,) = grad(x**3, x, create_graph=True)
(second,) = grad(first, x)
print(f"x³ at 2: first derivative {first:.0f}, second {second:.0f}")
assert first.item() == second.item() == 12 and x.grad is None  # grad() returns
assert not grad(x**3, x, retain_graph=True)[0].requires_grad  # a kept graph is not a recorded gradient

w, v = torch.randn(3, device=device, requires_grad=True), torch.randn(3, device=device)
(g,) = grad((w**4).sum(), w, create_graph=True)
(product,) = grad(g @ v, w)  # the Hessian times v, without the Hessian
torch.testing.assert_close(product, 12 * w.detach() ** 2 * v)
torch.testing.assert_close(product, functional.hessian(lambda w: (w**4).sum(), w) @ v)
with forward_ad.dual_level():  # one pass, one direction, nothing kept
    dual = forward_ad.make_dual(w.detach(), v)
    torch.testing.assert_close(forward_ad.unpack_dual((dual**4).sum()).tangent, g.detach() @ v)

critic = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1)).to(device)
samples = torch.randn(64, 2, device=device, requires_grad=True)
optimizer = torch.optim.Adam(critic.parameters(), lr=0.02)
for _ in range(200):  # a gradient penalty: the loss contains a gradient
    (slope,) = grad(critic(samples).sum(), samples, create_graph=True)
    penalty = ((slope.norm(dim=1) - 1) ** 2).mean()
    optimizer.zero_grad()
    penalty.backward()
    optimizer.step()
print(f"mean norm of the critic's slope after training on the penalty: {slope.norm(dim=1).mean():.3f}")
assert abs(slope.norm(dim=1).mean().item() - 1) < 0.1 and samples.grad is not None  # backward fills leaves
