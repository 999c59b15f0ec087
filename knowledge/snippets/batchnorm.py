"""BatchNorm by hand: what the batch decides, what the running statistics decide, and when."""

import torch
from torch import nn
from torch.optim.swa_utils import update_bn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close

norm = nn.BatchNorm1d(1).to(device)
x = torch.tensor([[0.0], [2.0]], device=device)
close(norm(x), (x - x.mean()) / (x.var(correction=0) + norm.eps).sqrt())  # biased variance
close(norm.running_mean, 0.9 * 0 + 0.1 * x.mean(0))
close(norm.running_var, 0.9 * 1 + 0.1 * x.var(0))  # unbiased variance

data = 5 * torch.randn(256, 1, device=device) + 10
print("batches seen | mean and std of the output in eval(): should be 0 and 1")
for batches in (1, 10, 50):
    norm = nn.BatchNorm1d(1).to(device)
    for _ in range(batches):
        norm(data)
    out = norm.eval()(data)
    print(f"{batches:12} | {out.mean().item():6.3f} {out.std().item():6.3f}")
assert out.mean().abs() < 0.02 and abs(out.std().item() - 1) < 0.01

before = norm.running_mean.clone()
close(norm(data[:4]), norm(data)[:4])  # in evaluation the rest of the batch does not matter,
close(norm.running_mean, before)  # and nothing is learnt from it
norm.train().requires_grad_(False)
with torch.no_grad():
    assert not torch.allclose(norm(data[:4]), norm(data)[:4])  # in training it does, and neither
assert not torch.equal(norm.running_mean, before)  # no_grad nor freezing stops the statistics
model = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1)).to(device)
model(data).pow(3).sum().backward()
assert model[0].bias.grad.abs().max() < 1e-2 < model[1].weight.grad.abs().max()  # a bias before it is lost
update_bn(data.split(64), model)
close(model[1].running_mean, model[0](data).mean(0).detach())
