"""Placement is explicit: nothing moves to a GPU unless you say so."""

import torch
from torch import nn

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
print("this machine:", device, "| CUDA available:", torch.cuda.is_available(), torch.cuda.device_count())
assert torch.rand(2).device.type == "cpu" == torch.get_default_device().type

# Module.to changes the module and returns it; Tensor.to returns a tensor and leaves its own alone.
model = nn.Linear(2, 2)
weight = model.weight
assert model.to(device) is model and model.weight.device.type == device.type
t = torch.ones(2)
u = t.to(torch.float64)
assert u is not t and t.dtype == torch.float32
assert t.to("cpu") is t  # nothing to do: the same tensor, no copy
on_device = torch.ones(4, 2, device=device)  # made there; .to(device) would make it here and copy it
assert model(on_device).device == on_device.device

# torch.device as a context manager sets where factories allocate. "meta" stands in for a GPU here.
with torch.device("meta"):
    assert torch.rand(2).device.type == nn.Linear(1, 1).weight.device.type == "meta"
    assert torch.Tensor(2).device.type == "cpu"  # the legacy constructor does not follow

try:
    torch.ones(2, device=on_device.device) + torch.ones(2, device="meta")
except RuntimeError as error:
    print("mixing devices:", error)
else:
    raise AssertionError("devices were mixed")
scale = torch.tensor(3.0)  # 0-dim CPU tensors may join in: they count as numbers
assert (on_device * scale).device == on_device.device

assert torch.device("cuda") != torch.device("cuda:0")  # the current one, and the first
if torch.cuda.is_available():
    with torch.cuda.device(0):  # says which GPU "cuda" means, not where factories allocate
        assert torch.rand(2).device.type == "cpu" and torch.rand(2, device="cuda").get_device() == 0
