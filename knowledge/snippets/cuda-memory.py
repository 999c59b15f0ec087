"""What training memory consists of, counted in bytes on any device, and what the remedies take away."""

import weakref

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
blocks = nn.ModuleList(nn.Sequential(nn.Linear(256, 1024), nn.GELU(), nn.Linear(1024, 256)) for _ in range(4))
weights = list(blocks.to(device).parameters())
held = []  # weak references to what forward passes keep for backward


def forward(batch, call=lambda block, x: block(x)):
    x = torch.randn(batch, 256, device=device)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: held.append(weakref.ref(t)) or t, lambda t: t):
        for block in blocks:
            x = call(block, x)
        return x.square().mean()


def kept(*_):  # bytes of activations that are alive: each storage once, weights left out
    storages = [t.untyped_storage() for ref in held if (t := ref()) is not None]
    return sum({s.data_ptr(): s.nbytes() for s in storages if s.data_ptr() not in own}.values())


own = {weight.data_ptr() for weight in weights}
found = {"batch 16": kept(forward(16)), "batch 64": (full := kept(forward(64)))}
found["checkpointed"] = kept(forward(64, lambda block, x: checkpoint(block, x, use_reentrant=False)))
found["three losses added"] = kept(sum(forward(64) for _ in range(3)))
forward(64).backward()
(adam := torch.optim.AdamW(weights)).step()
found["weights"], found["gradients"] = sum(w.nbytes for w in weights), sum(w.grad.nbytes for w in weights)
found["Adam's moments"] = sum(t.nbytes for s in adam.state.values() for t in s.values() if t.ndim)
print(*(f"{name:18} {number / 2**20:6.2f} MiB" for name, number in found.items()), sep="\n")
assert found["batch 16"] * 4 == full > 4 * found["checkpointed"] and found["three losses added"] == 3 * full
assert found["Adam's moments"] == 2 * found["weights"] == 2 * found["gradients"] and kept() == 0
