"""Schedules as numbers: warm-up and cosine, groups, plateau, and the unit of steps."""

import torch
from torch.optim import lr_scheduler as schedules

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


def start(*rates):
    """An optimizer with one weight, which has a gradient, in a group for each rate."""
    weights = [torch.nn.Parameter(torch.ones(1, device=device)) for _ in rates]
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    return torch.optim.SGD([{"params": [w], "lr": rate} for w, rate in zip(weights, rates)])


def follow(optimizer, scheduler, steps, *metric):
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps):
        optimizer.step(), scheduler.step(*metric)
        rates.append(round(optimizer.param_groups[0]["lr"], 4))
    return rates


o = start(1.0)
parts = [schedules.LinearLR(o, 0.1, total_iters=5), schedules.CosineAnnealingLR(o, T_max=10)]
rates = follow(o, warm := schedules.SequentialLR(o, parts, milestones=[5]), 15)
print("warm-up and cosine:", rates)
assert rates[0] == 0.1 and rates[5] == 1 and rates[10] == 0.5 and rates[15] == 0 and warm.get_last_lr() == [0]
assert follow(o := start(0.1), schedules.StepLR(o, 5, gamma=0.5), 19)[-1] == 0.0125
assert follow(o := start(1.0), schedules.CosineAnnealingLR(o, 4), 8)[4::4] == [0, 1]  # past T_max it rises
assert follow(o := start(1.0), schedules.ReduceLROnPlateau(o, patience=2), 4, 0.5) == [1, 1, 1, 1, 0.1]
follow(o := start(0.1, 0.01), both := schedules.ExponentialLR(o, 0.5), 1)
assert both.get_last_lr() == [0.05, 0.005]  # every group, from its own base
