"""A weight that is a function of another one: constraints that hold, and masks that save nothing."""

import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
x = torch.randn(64, 20, device=device)


def train(layer):
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.05)
    for _ in range(20):
        optimizer.zero_grad()
        (layer(x) - 1).square().mean().backward()
        optimizer.step()
    return layer


rotation = train(parametrizations.orthogonal(nn.Linear(20, 20).to(device)))
assert (rotation.weight @ rotation.weight.T - torch.eye(20, device=device)).abs().max() < 1e-2
assert isinstance(rotation, nn.Linear) and "parametrizations.weight.original" in rotation.state_dict()
parametrize.remove_parametrizations(rotation, "weight")  # keeps the value
assert isinstance(rotation.weight, nn.Parameter)
normed = parametrizations.weight_norm(nn.Linear(20, 20))
assert [p.numel() for p in normed.parameters()] == [20, 20, 400]  # bias, lengths, directions

layer = prune.l1_unstructured(nn.Linear(20, 20).to(device), "weight", amount=0.5)
for step in ("pruned", "trained with the mask", "mask removed", "trained without"):
    if step == "mask removed":
        prune.remove(layer, "weight")
    elif step != "pruned":
        train(layer)
    floats = sum(t.numel() for t in layer.state_dict().values())
    zeros = (layer.weight == 0).float().mean().item()
    print(f"{step:22} zeros {zeros:4.0%}, numbers in the state_dict {floats} (never pruned: 420)")
    assert zeros == (0 if step == "trained without" else 0.5)
