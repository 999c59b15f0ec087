"""What each kind of hook is shown, when, and what its return value does."""

import torch
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
model = nn.Sequential(nn.Linear(16, 32), nn.Sigmoid(), nn.Linear(32, 32), nn.Sigmoid(), nn.Linear(32, 1)).to(
    device
)
x = torch.randn(64, 16, device=device, requires_grad=True)

seen = {}  # forward and backward through each layer; these hooks return None, so they only look
for name, layer in model.named_children():
    layer.register_forward_hook(lambda m, args, out, n=name: seen.update({n: [out.detach().std().item()]}))
    layer.register_full_backward_hook(lambda m, gi, go, n=name: seen[n].append(go[0].norm().item()))
model(x).square().mean().backward()
for name, (out, grad) in seen.items():
    print(f"layer {name}: outputs vary by {out:.3f}, gradient norm {grad:.4f}")
assert len(seen) == 5 and seen["1"][1] < seen["3"][1]  # sigmoids make the gradient shrink on its way down

layer = nn.Linear(2, 2).to(device)
ones = torch.ones(1, 2, device=device)
with layer.register_forward_hook(
    lambda m, args, out: out * 0
):  # a value that is returned replaces the output
    assert layer(ones).count_nonzero() == 0
assert layer(ones).count_nonzero() == 2  # the handle, used as a context manager, has removed it
assert (layer.register_forward_hook(lambda *a: 1 / 0), layer.forward(ones))[1].shape == (1, 2)  # not called

w, log = torch.ones(1, device=device, requires_grad=True), []
w.register_hook(lambda g: log.append(("gradient", g.item(), w.grad)))
w.register_post_accumulate_grad_hook(lambda p: log.append(("accumulated", p.grad.item())))
(2 * w + 3 * w).backward()
assert log == [("gradient", 5.0, None), ("accumulated", 5.0)]  # both uses summed; .grad comes after
w.register_hook(lambda g: g * 10)
w.grad = None
(2 * w).backward()
assert w.grad.item() == 20
