"""What the defaults are, and how the signal fares through 30 layers."""

import math

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
schemes = {
    "normal, std 0.01": lambda w: nn.init.normal_(w, std=0.01),
    "default, no bias": lambda w: nn.init.kaiming_uniform_(w, a=math.sqrt(5)),
    "Xavier, gain 1": nn.init.xavier_normal_,
    "Xavier, gain 5/3": lambda w: nn.init.xavier_normal_(w, gain=nn.init.calculate_gain("tanh")),
    "Kaiming": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
    "normal, std 1": nn.init.normal_,
}
print("standard deviation after 30 layers       ReLU       tanh")
scale = {}
for name, fill in schemes.items():
    for act in (torch.relu, torch.tanh):
        x = torch.randn(128, 512, device=device)
        for _ in range(30):
            x = act(F.linear(x, fill(torch.empty(512, 512, device=device))))
        scale[name, act] = x.std().item()
    print(f"{name:34} {scale[name, torch.relu]:10.1e} {scale[name, torch.tanh]:10.1e}")
assert 0.1 < scale["Kaiming", torch.relu] < 2 and scale["default, no bias", torch.relu] < 1e-6
assert scale["Xavier, gain 5/3", torch.tanh] > 0.5 and scale["Xavier, gain 1", torch.relu] < 1e-3

for layer, fan_in in ((nn.Linear(100, 50), 100), (nn.Conv2d(16, 8, 3), 144)):
    assert 0.98 < layer.weight.abs().max() * math.sqrt(fan_in) <= 1
assert abs(nn.Embedding(1000, 64).weight.std() - 1) < 0.01 and nn.init.calculate_gain("relu") == math.sqrt(2)
assert nn.init.trunc_normal_(torch.empty(100_000), std=0.02).abs().max() > 0.06  # bounds are ±2, not ±2 std
net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1)).to(device)
for parameter in net.parameters():
    nn.init.constant_(parameter, 0.5)
net(torch.randn(64, 4, device=device)).square().mean().backward()
assert torch.linalg.matrix_rank(net[0].weight.grad) == 1  # equal weights get equal gradients
