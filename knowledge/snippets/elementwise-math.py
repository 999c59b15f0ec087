"""Stable forms beside the formulas they replace, and what rounding, division, NaN and clamp return."""

import torch
from torch.nn import functional as F

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


def t(*values, **options):
    return torch.tensor(values, device=device, **options)


small, large = t(1e-10), t(1000.0, 1000.0)
for name, naive, stable, right in (
    ("log1p", (1 + small).log(), small.log1p(), 1e-10),
    ("expm1", small.exp() - 1, small.expm1(), 1e-10),
    ("logsumexp", large.exp().sum().log(), large.logsumexp(0), 1000.6931),
    ("softplus", (1 + t(100.0).exp()).log(), F.softplus(t(100.0)), 100),
    ("logsigmoid", t(-200.0).sigmoid().log(), F.logsigmoid(t(-200.0)), -200),
    ("log_softmax", t(0.0, 200.0).softmax(0).log()[0], t(0.0, 200.0).log_softmax(0)[0], -200),
    ("xlogy", t(0.0) * t(0.0).log(), torch.xlogy(t(0.0), t(0.0)), 0),
    ("hypot", (t(3e30) ** 2 + t(4e30) ** 2).sqrt(), torch.hypot(t(3e30), t(4e30)), 5e30),
):
    print(f"{name:12} written out {naive.item():8g}   stable {stable.item():g}")
    torch.testing.assert_close(stable.item(), float(right), rtol=1e-6, atol=0)
    assert not torch.allclose(naive, stable, atol=0)
assert (t(-7) // 2).item() == -4 and t(-7).div(2, rounding_mode="trunc").item() == -3
assert (t(-7) % 3).item() == 2 and torch.fmod(t(-7), 3).item() == -1
assert t(0.5, 1.5, 2.5).round().tolist() == [0, 2, 2]  # to even
nan = t(float("nan"))
assert torch.maximum(t(1.0), nan).isnan() and torch.fmax(t(1.0), nan) == 1 and nan.sign() == 0
w = t(-1.0, 0.0, 0.5, 1.0, 2.0, requires_grad=True)
assert torch.autograd.grad(w.clamp(0, 1).sum(), w)[0].tolist() == [0, 1, 1, 1, 0]
zero = t(0.0, requires_grad=True)
assert torch.autograd.grad((zero**2).sqrt(), zero)[0].isnan()  # inf * 0
assert torch.autograd.grad((zero**2 + 1e-12).sqrt(), zero)[0] == 0
