"""Averages of the weights: what EMA and SWA compute, and why an average beats the last step."""

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
model = nn.Linear(20, 1, bias=False).to(device)
nn.init.zeros_(model.weight)
ema, swa = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9)), AveragedModel(model)
for value in (0.0, 1.0, 1.0):  # the first update copies
    nn.init.constant_(model.weight, value)
    ema.update_parameters(model), swa.update_parameters(model)
assert (
    abs(ema.module.weight[0, 0].item() - 0.19) < 1e-6 and abs(swa.module.weight[0, 0].item() - 2 / 3) < 1e-6
)

nn.init.constant_(model.weight, 3.0)  # minimise |w|²/2 with noisy gradients at a constant rate
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
ema, swa = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.98)), AveragedModel(model)
for step in range(600):
    model.weight.grad = model.weight.detach() + torch.randn_like(model.weight)
    optimizer.step()
    ema.update_parameters(model)  # after every step
    if step >= 200:
        swa.update_parameters(model)  # equal weights: only from where it has settled
last, moving, mean = (m.weight.norm().item() for m in (model, ema.module, swa.module))
print(f"distance from the minimum: last step {last:.2f}, EMA {moving:.2f}, SWA {mean:.2f}")
assert mean < moving < last

net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).to(device)
average = AveragedModel(net)
data = [torch.randn(16, 3, device=device) + 2 for _ in range(10)]
update_bn(data, average)  # BatchNorm's statistics belong to weights: compute those of the average
torch.testing.assert_close(average.module[1].running_mean, net[0](torch.cat(data)).mean(0).detach())
