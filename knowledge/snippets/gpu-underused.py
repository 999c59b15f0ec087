"""Where a training step goes: the share spent waiting for data, operators launched, calls that wait."""

import time
from collections import Counter

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
model = nn.Sequential(nn.Linear(512, 2048), nn.ReLU(), nn.Linear(2048, 1)).to(device)
batch = torch.ones(64, 512, device=device)


class Operators(TorchDispatchMode):
    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        counts[operator.overloadpacket.__name__] += 1
        return operator(*args, **(kwargs or {}))


steps = {"row by row": lambda: sum(model(row).square().item() for row in batch) / len(batch)}
steps["one batch"] = lambda: model(batch).square().mean()
for name, loading in (("row by row", 0.05), ("one batch", 0.05), ("one batch", 0)):
    counts, waited, start = Counter(), 0.0, time.perf_counter()
    for _ in range(10):
        mark = time.perf_counter()
        loading and time.sleep(loading)  # stands for next(loader)
        waited += time.perf_counter() - mark
        steps[name]()
    torch.get_device_module(device).synchronize()
    share = waited / (time.perf_counter() - start)
    with Operators():
        steps[name]()
    total, waits = counts.total(), counts["_local_scalar_dense"]
    print(f"{name:10} {share:4.0%} waiting for data, {total:3} operators, {waits:2} of them wait")
    assert (waits, total > 500) == ((64, True) if name == "row by row" else (0, False))
assert share < 0.1
