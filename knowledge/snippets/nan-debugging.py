"""Gradients that are NaN where the forward pass is fine, and three ways to find the place."""

import warnings

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
pairs = {  # what people write, and the form whose gradient exists; all taken at x = 0
    "where(x > 0, sqrt(x), 0)": (
        lambda x: torch.where(x > 0, x.sqrt(), 0),
        lambda x: torch.where(x > 0, torch.where(x > 0, x, 1).sqrt(), 0),
    ),
    "sqrt(sum(x²))": (lambda x: x.square().sum().sqrt(), lambda x: x.norm()),
    "x / |x|": (lambda x: x / x.norm(), lambda x: F.normalize(x, dim=0, eps=1e-3)),
}
for text, forms in pairs.items():
    x = [torch.zeros(2, device=device, requires_grad=True) for _ in forms]
    gradients = [torch.autograd.grad(form(x).sum(), x)[0] for form, x in zip(forms, x)]
    print(f"{text:26} gradient {gradients[0][0]}, safe form {gradients[1][0]:.0f}")
    assert gradients[0].isnan().all() and gradients[1].isfinite().all()

x = torch.zeros(2, device=device, requires_grad=True)
with warnings.catch_warnings(record=True) as told, torch.autograd.detect_anomaly():
    warnings.simplefilter("always")
    try:
        torch.where(x > 0, x.sqrt(), 0).sum().backward()
    except RuntimeError as error:
        print("detect_anomaly:", error)
assert "SqrtBackward0" in str(told[-1].message) and __file__ in str(told[-1].message)  # with the line in it

model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2)).to(device)
nn.init.constant_(model[2].bias, torch.inf)  # an infinity of the forward pass: a hook per layer finds it
bad = []
for layer in model:
    layer.register_forward_hook(lambda m, args, out: None if out.isfinite().all() else bad.append(m))
assert model(torch.ones(1, 2, device=device)).isinf().all() and bad == [model[2]]
