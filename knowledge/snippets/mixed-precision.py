"""What autocast casts and what it leaves, and how a GradScaler reacts to an overflow."""

import torch
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
model = nn.Linear(4, 4).to(device)
x = torch.randn(2, 4, device=device)
with torch.autocast(device.type, dtype=torch.bfloat16):
    y = model(x)
    loss = nn.functional.mse_loss(y, x)
    print(f"x {x.dtype}, weight {model.weight.dtype}, Linear {y.dtype}, loss {loss.dtype}")
loss.backward()  # outside the block; it follows the dtypes of the forward pass
assert y.dtype == torch.bfloat16 and loss.dtype == torch.float32
assert model.weight.dtype == model.weight.grad.dtype == torch.float32
assert torch.tensor(1e-8).half() == 0 and torch.tensor(1e-8 * 65536).half() > 0  # why gradients are scaled
assert torch.tensor(1.0).bfloat16() + 1e-3 == 1  # why weights stay in float32

backend = "cuda" if device.type == "cuda" else "cpu"
w = nn.Parameter(torch.ones(1, device=backend))
optimizer = torch.optim.SGD([w], lr=0.1)
scaler = torch.amp.GradScaler(backend, growth_interval=2)  # 2000 by default
for factor in (2.0, 2.0, float("inf"), 2.0):
    optimizer.zero_grad()
    scaler.scale((w * factor).sum()).backward()
    scaled, before = w.grad.item(), w.item()
    scaler.unscale_(optimizer)  # before anything that looks at gradients, such as clipping
    true = w.grad.item()
    scaler.step(optimizer)  # skipped if a gradient is not finite
    scaler.update()
    scale = scaler.get_scale()
    print(
        f"gradient {scaled:6.0f}, unscaled {true:3.0f}: w {before:.1f} -> {w.item():.1f}, scale {scale:.0f}"
    )
    assert (w.item() == before) == (true == float("inf"))
assert scale == 65536 and abs(w.item() - 0.4) < 1e-6  # doubled after two good steps, halved after the bad one
