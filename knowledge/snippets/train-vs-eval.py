"""One flag, read by few layers: what train() and eval() change, and what they leave alone."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
x = torch.randn(32, 8, device=device)


def repeats(module):
    return torch.equal(module(x), module(x))


class Careless(nn.Module):
    layers = [nn.Dropout()]  # not registered: no mode reaches it

    def forward(self, x):
        return F.dropout(x, 0.5)  # training=True unless told otherwise


model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(0.5)).to(device)
assert model.training and model.train() is model and not repeats(model)
assert model.eval() is model and repeats(model) and not any(m.training for m in model.modules())
assert model(x).requires_grad and all(p.requires_grad for p in model.parameters())  # gradients stay on
torch.testing.assert_close(model(x)[:1], model(x[:1]))  # evaluation: the batch does not matter
assert not torch.allclose(model.train()[:2](x)[:1], model[:2](x[:2])[:1])  # training: it does
model.training = False
assert model[2].training  # an attribute, not a walk over the children
model.load_state_dict(nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8)).eval().state_dict())
assert model[0].training and not [key for key in model.state_dict() if "training" in key]
careless = Careless().eval()
assert careless.layers[0].training and not repeats(careless)
assert set(nn.Dropout(0.5)(torch.ones(50)).tolist()) == {0, 2}  # what is kept is scaled by 1/(1-p)
print("share of zeros from F.dropout in evaluation:", (careless(x) == 0).float().mean().item())
assert repeats(nn.LayerNorm(8).to(device)) and repeats(nn.ReLU())  # these read no mode
