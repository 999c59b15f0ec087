"""Modules call functions: equal results, and what is lost when a layer is made in forward."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad, vmap

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close
x = torch.randn(5, 4, device=device)

linear, norm = nn.Linear(4, 3).to(device), nn.BatchNorm1d(4).to(device)
close(linear(x), F.linear(x, linear.weight, linear.bias))
mean, var = torch.zeros(4, device=device), torch.ones(4, device=device)
close(norm(x), F.batch_norm(x, mean, var, norm.weight, norm.bias, training=True))
close(mean, norm.running_mean)  # the function updates what it is given
assert torch.equal(nn.ReLU()(x), F.relu(x)) and not list(nn.ReLU().parameters())


class MadeInForward(nn.Module):
    def forward(self, x):
        return nn.Dropout(0.5)(nn.Linear(4, 100, device=x.device)(x))


wrong = MadeInForward().eval()
print("made in forward: zeros in eval()", (wrong(x) == 0).sum().item(), "of 500")
assert not list(wrong.parameters()) and not torch.equal(wrong(x), wrong(x)) and (wrong(x) == 0).any()
ones = torch.ones(1000, device=device)
drops = {f.__name__: bool((f(ones, 0.5) != 1).any()) for f in (F.dropout, F.alpha_dropout)}
print("active unless told otherwise:", drops)
assert drops == {"dropout": True, "alpha_dropout": False}

per_sample = grad(lambda p, row: functional_call(linear, p, (row,)).square().sum())
each = vmap(per_sample, in_dims=(None, 0))(dict(linear.named_parameters()), x)
print("a gradient for each sample:", {name: tuple(g.shape) for name, g in each.items()})
linear(x).square().sum().backward()
close(each["weight"].sum(0), linear.weight.grad, atol=1e-3, rtol=1e-3)
