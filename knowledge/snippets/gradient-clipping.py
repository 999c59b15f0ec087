"""Clipping on a cliff: what the norm and the value variants change, and what they return."""

import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_, get_total_norm

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


def parameter(*gradient):
    p = torch.nn.Parameter(torch.zeros(len(gradient), device=device))
    p.grad = torch.tensor(gradient, device=device)
    return p


a, b = parameter(3.0), parameter(4.0)
assert clip_grad_norm_([a, b], max_norm=1.0).item() == 5  # the norm of all together, before clipping
assert round(a.grad.item(), 4) == 0.6 and round(b.grad.item(), 4) == 0.8  # one factor: direction kept
assert abs(get_total_norm([a.grad, b.grad]).item() - 1) < 1e-3  # of gradients, not of parameters
c = parameter(10.0, 0.5)
clip_grad_value_([c], 1.0)
assert c.grad.tolist() == [1, 0.5]  # each by itself: 20 to 1 has become 2 to 1


def train(max_norm):
    """Twenty steps of recurrence, w²⁰, are a cliff: flat below 1, nearly vertical above."""
    w = torch.nn.Parameter(torch.tensor([1.3], device=device))
    optimizer = torch.optim.SGD([w], lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        (w**20 - 1).square().sum().backward()
        norms.append(clip_grad_norm_([w], max_norm).item())
        optimizer.step()
    return w.item()


norms = []
clipped, free = train(1.0), train(float("inf"))  # an infinite bound only measures
print(f"first gradient {norms[0]:.0f}; after 100 steps w = {clipped:.3f} clipped, {free} without")
assert abs(clipped - 1) < 0.02 and free != free
