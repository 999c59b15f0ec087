"""A checkpoint that resumes exactly; what a state dict shares; what strict=False lets pass."""

import copy
import tempfile

import torch
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
x, y = torch.randn(16, 4, device=device), torch.randn(16, 2, device=device)


def build():
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)).to(device)
    return model, torch.optim.AdamW(model.parameters(), lr=0.1)


def train(model, optimizer, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    return model[0].weight.detach().clone()


train(*(first := build()), steps=3)
live, copied = first[0].state_dict(), copy.deepcopy(first[0].state_dict())
with tempfile.TemporaryFile() as file:
    torch.save([part.state_dict() for part in first], file), file.seek(0)
    saved = torch.load(file, map_location="cpu")
ahead = train(*first, steps=3)
for what, states in (("model and optimizer", saved), ("model only", saved[:1])):
    for part, state in zip(resumed := build(), states):
        part.load_state_dict(state)
    distance = (train(*resumed, steps=3) - ahead).abs().max().item()
    print(f"resumed with {what}: {distance:.4f} from the run without a break")
    assert (distance == 0) is (states is saved)
assert torch.equal(live["0.weight"], ahead) and not torch.equal(copied["0.weight"], ahead)  # it is live
