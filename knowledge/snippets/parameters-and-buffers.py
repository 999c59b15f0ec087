"""What a module does with parameters, buffers and plain tensors: train, convert, save."""

import copy

import torch
from torch import nn

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


class Module(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.register_buffer("mean", torch.zeros(2))
        self.register_buffer("table", torch.zeros(2), persistent=False)
        self.register_buffer("count", torch.tensor(0))
        self.plain = torch.zeros(2)


m = Module().double()
saved, trained, kept = m.state_dict(), dict(m.named_parameters()), dict(m.named_buffers())
for name in ("weight", "mean", "table", "count", "plain"):
    row = f"{name:7} trained {name in trained!s:6} buffer {name in kept!s:6} saved {name in saved!s:6}"
    print(row, "after double():", str(getattr(m, name).dtype).removeprefix("torch."))
assert list(trained) == ["weight"] and set(saved) == {"weight", "mean", "count"}
assert m.table.dtype == torch.float64 and m.plain.dtype == torch.float32 and m.count.dtype == torch.int64
assert {b.device.type for b in m.to(device).buffers()} == {device.type} and m.plain.device.type == "cpu"
m.mean = m.mean + m.weight.mean()  # assigned anew: still the buffer, and now part of the graph
assert m.get_buffer("mean").requires_grad
try:
    copy.deepcopy(m)
except RuntimeError as error:
    print("deepcopy:", str(error)[:65])
else:
    raise AssertionError("a buffer with history was copied")
order = []
nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU())).apply(lambda part: order.append(part._get_name()))
assert order == ["Linear", "ReLU", "Sequential", "Sequential"]
