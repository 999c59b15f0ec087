"""The gradient that a separate sigmoid loses, and what pos_weight does to probabilities."""

import math

import torch
import torch.nn.functional as F

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close, with_logits = torch.testing.assert_close, F.binary_cross_entropy_with_logits

negative = torch.zeros(1, device=device)
print("logit of a negative | loss, gradient with logits | the same through sigmoid and BCELoss")
for value in (10.0, 16.0, 17.0, 200.0):
    x = torch.tensor([value], device=device, requires_grad=True)
    pair = with_logits(x, negative), F.binary_cross_entropy(x.sigmoid(), negative)
    slopes = [torch.autograd.grad(loss, x)[0].item() for loss in pair]
    print(f"{value:19} | {pair[0]:17.2f} {slopes[0]:8.2f} | {pair[1]:17.2f} {slopes[1]:8.2f}")
assert slopes == [1, 0] and pair[1] == 100

x = torch.randn(6, 3, device=device, requires_grad=True)
y = torch.randint(2, (6, 3), device=device).float()
close(with_logits(x, y), (F.softplus(x) - x * y).mean())
close(torch.autograd.grad(with_logits(x, y, reduction="sum"), x)[0], (x.sigmoid() - y).detach())
two = torch.stack([torch.zeros_like(x), x], dim=1)  # two logits, of which only the difference counts
close(F.cross_entropy(two, y.long()), with_logits(x, y))
close(F.multilabel_soft_margin_loss(x, y), with_logits(x, y))
three = torch.tensor(3.0, device=device)
close(with_logits(x, y, pos_weight=three), with_logits(x, y, weight=1 + 2 * y))

labels = (torch.rand(20_000, device=device) < 0.05).float()
weight = (1 - labels.mean()) / labels.mean()  # negatives / positives
odds = {w: w * labels.sum() / (1 - labels).sum() for w in (1.0, weight)}  # where the loss is smallest
for w, odd in odds.items():
    slope = torch.func.grad(lambda b, w: with_logits(b.expand(20_000), labels, pos_weight=w))
    assert slope(odd.log(), torch.as_tensor(w, device=device)).abs() < 1e-5
    print(f"5 % positives, pos_weight {float(w):5.2f}: a constant model predicts {odd / (1 + odd):.3f}")
close(torch.sigmoid(odds[weight].log() - math.log(weight)), labels.mean())  # calibrated again
