"""model(x) is more than model.forward(x): hooks, lazy layers, pruning and compile live in the call."""

import torch
from torch import nn
from torch.nn.utils import prune

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
x = torch.ones(1, 4, device=device)


def error_of(call, *args):
    try:
        call(*args)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    raise AssertionError("no error")


layer = nn.Linear(4, 1, bias=False).to(device)
calls = []
hook = layer.register_forward_hook(lambda module, args, output: calls.append("hook"))
layer(x), layer.forward(x)
assert calls == ["hook"]  # one of the two calls ran it
hook.remove()
layer.register_forward_hook(lambda module, args, output: output * 0 + 7)  # a value replaces the output
assert layer(x).item() == 7 and layer.forward(x).item() != 7

pruned = prune.l1_unstructured(nn.Linear(4, 1, bias=False).to(device), "weight", amount=0.5)
pruned(x).sum().backward()
torch.optim.SGD(pruned.parameters(), lr=0.1).step()
stale, fresh = pruned.forward(x).item(), pruned(x).item()
print(f"pruned layer after a step: forward() gives {stale:.4f}, the call gives {fresh:.4f}")
assert abs(stale - fresh) > 0.1

assert "uninitialized parameter" in error_of(nn.LazyLinear(2).forward, torch.ones(1, 3))
print(error_of(nn.ModuleList(), x))
assert 'missing the required "forward" function' in error_of(nn.ModuleList(), x)
assert not hasattr(nn, "Model")
