"""What distinguishes the optimizers, each claim on a problem of one weight."""

import torch
from torch import nn, optim

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


def after(kind, *gradients, **options):  # where a weight of 1 ends, one step for each gradient
    weight = nn.Parameter(torch.ones(1, device=device))
    optimizer = kind([weight], lr=0.1, **options)
    for gradient in gradients:
        weight.grad = None if gradient is None else torch.full_like(weight, gradient)
        optimizer.step()
    return round(weight.item(), 4)


def closure():  # LBFGS evaluates this as often as it needs
    lbfgs.zero_grad()
    loss = (p - 1).pow(2).sum()
    loss.backward()
    return loss


assert after(optim.SGD, 1.0, 1.0, momentum=0.9) == round(1 - 0.1 * (1 + 1.9), 4)
assert after(optim.Adam, 1e-3) == after(optim.Adam, 1e3) == 0.9  # the scale comes from the gradient itself
decayed = [after(kind, 0.0, weight_decay=0.5) for kind in (optim.Adam, optim.AdamW)]
assert decayed == [0.9, 0.95]  # through the gradient, and apart from it
assert after(optim.Adam, 1.0, None) == 0.9 > after(optim.Adam, 1.0, 0.0)  # None is skipped, 0 is not
sgd, rprop = (after(kind, *[0.1] * 9, -0.9) for kind in (optim.SGD, optim.Rprop))  # mean zero
print("after ten gradients of mean 0, SGD is at", sgd, "and Rprop at", rprop)
assert sgd == 1 and rprop < 0.8
matrix = nn.Parameter(torch.zeros(30, 20, device=device))
for kind, floats in ((optim.SGD, 0), (optim.AdamW, 1200), (optim.Adafactor, 50), (optim.Muon, 600)):
    matrix.grad = torch.ones_like(matrix)
    (optimizer := kind([matrix])).step()
    assert sum(v.numel() for k, v in optimizer.state[matrix].items() if k != "step") == floats
lbfgs = optim.LBFGS([p := nn.Parameter(torch.full((1,), 3.0, device=device))])
assert lbfgs.step(closure).item() == 4 and abs(p.item() - 1) < 1e-3
