"""cross_entropy is log_softmax and nll_loss in one, and what a second softmax does to it."""

import math

import torch
import torch.nn.functional as F

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close

logits = torch.randn(4, 3, device=device, requires_grad=True)
target = torch.tensor([0, 2, 1, -100], device=device)  # the last one is ignored, also by the mean
seen, right = logits[:3], target[:3]
loss = F.cross_entropy(logits, target)
close(loss, F.nll_loss(F.log_softmax(logits, dim=1), target))
close(loss, -seen.log_softmax(1).gather(1, right[:, None]).mean())
close(loss, F.cross_entropy(seen, F.one_hot(right, 3).float()))  # indices or probabilities
close(loss, F.cross_entropy(logits.log_softmax(1), target))  # log_softmax first: redundant, harmless
assert F.cross_entropy(logits.softmax(1), target) != loss and F.nll_loss(logits.softmax(1), target) < 0
loss.backward()
close(logits.grad[:3], (seen.softmax(1) - F.one_hot(right, 3)).detach() / 3)
weight = torch.tensor([1.0, 2.0, 3.0], device=device)
close(F.cross_entropy(seen, right, weight), F.cross_entropy(seen, right, 2 * weight))

zero = torch.zeros(1, dtype=torch.int64, device=device)
close(F.cross_entropy(torch.zeros(1, 10, device=device), zero).item(), math.log(10))
perfect = 100.0 * F.one_hot(zero, 10)
floor = F.cross_entropy(perfect.softmax(1), zero).item()
print(f"perfect prediction of ten classes: {F.cross_entropy(perfect, zero):.4f}, after a softmax {floor:.4f}")
close(floor, math.log(1 + 9 / math.e))
wrong = torch.tensor([[-20.0, 20.0]], device=device, requires_grad=True)
for scores, dead in ((wrong, False), (wrong.softmax(1), True)):
    gradient = torch.autograd.grad(F.cross_entropy(scores, zero), wrong)[0]
    assert (gradient.abs().max() < 1e-15).item() is dead
assert F.cross_entropy(logits, torch.full_like(target, -100)).isnan()
