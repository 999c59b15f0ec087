"""no_grad, inference_mode and eval() side by side: what is recorded, and what may be used afterwards."""

import torch
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(0.5)).to(device)
x, w = torch.randn(16, 8, device=device), torch.ones(1, device=device, requires_grad=True)


def elements_saved(mode):
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()), lambda _: None), mode:
        model(x)
    return sum(saved)


running = model[1].running_mean.clone()
counts = [elements_saved(c) for c in (torch.enable_grad(), torch.no_grad(), torch.inference_mode())]
print("elements kept for backward: recording, no_grad, inference_mode:", counts)
assert counts[0] > 0 and counts[1:] == [0, 0]
assert not torch.equal(model[1].running_mean, running)  # only eval() stops the statistics
assert model.eval()(x).requires_grad  # and eval() does not stop recording
with torch.no_grad():
    constant, parameter = w * 2, nn.Parameter(torch.ones(1))
    with torch.enable_grad():
        assert (w * 2).requires_grad
(constant * w).backward()  # a no_grad result is a constant for autograd
assert not constant.requires_grad and parameter.requires_grad and w.grad.item() == 2
with torch.inference_mode():
    frozen = w * 2
try:
    (frozen * w).backward()
except RuntimeError as error:
    print("an inference tensor:", str(error).split(".")[0])
else:
    raise AssertionError("an inference tensor was saved for backward")
assert frozen.is_inference() and (frozen.clone() * w).requires_grad
