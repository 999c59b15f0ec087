"""grad, vmap, jacrev and hessian on functions and, through functional_call, on modules."""

import time

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad, hessian, jacrev, jvp, stack_module_state, vmap

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
x, v = torch.tensor([1.0, 2.0, 3.0], device=device), torch.ones(3, device=device)
assert grad(lambda x: (x**3).sum())(x).tolist() == [3, 12, 27] and x.grad is None
assert vmap(grad(lambda x: x**2))(x).tolist() == [2, 4, 6]
assert torch.equal(hessian(lambda x: (x**3).sum())(x), torch.diag(6 * x))
assert jvp(grad(lambda x: (x**3).sum()), (x,), (v,))[1].tolist() == [6, 12, 18]  # that Hessian times v

net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 2)).to(device)
weights = {name: p.detach() for name, p in net.named_parameters()}
inputs, labels = torch.randn(256, 8, device=device), torch.randint(2, (256,), device=device)


def loss(weights, x, y):  # of one sample
    return F.cross_entropy(functional_call(net, weights, (x,)), y)


per_sample = vmap(grad(loss), in_dims=(None, 0, 0))
start = time.perf_counter()
gradients = per_sample(weights, inputs, labels)["0.weight"]
print(f"per-sample gradients {tuple(gradients.shape)} in {1000 * (time.perf_counter() - start):.0f} ms")
F.cross_entropy(net(inputs), labels).backward()
torch.testing.assert_close(gradients.mean(0), net[0].weight.grad, atol=1e-5, rtol=1e-3)
assert vmap(jacrev(net))(inputs).shape == (256, 2, 8)  # without vmap it would be (256, 2, 256, 8)

members = [nn.Linear(8, 2).to(device) for _ in range(5)]  # five models, run as one
stacked = stack_module_state(members)
outputs = vmap(lambda *state: functional_call(members[0], state, (inputs,)))(*stacked)
torch.testing.assert_close(outputs, torch.stack([m(inputs) for m in members]), atol=1e-5, rtol=1e-3)
