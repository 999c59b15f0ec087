"""What dropout zeroes, how it scales the rest, and what switches it off."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close

x = torch.ones(10_000, device=device, requires_grad=True)
layer = nn.Dropout(0.25)
y = layer(x)
y.sum().backward()
close(y.unique(), torch.tensor([0.0, 1 / 0.75], device=device))
close(y.mean(), torch.ones((), device=device), atol=0.03, rtol=0)  # the mean stays what it was
assert x.grad.equal(y) and not layer(x).equal(y)  # one mask for both passes, a new one for each call
with torch.no_grad():
    assert (layer(x) == 0).any()  # only eval() switches it off
assert layer.eval()(x) is x
assert (F.dropout(x, 0.5) == 0).any()  # the functional form knows no mode,
assert F.dropout(x, True).sum() == 0 and F.dropout(x, False).equal(x)  # and its second argument is p

maps = torch.ones(2, 4, 3, 3, device=device)
for name in ("Dropout", "Dropout2d"):
    dropped = (getattr(nn, name)(0.5)(maps) == 0).flatten(2).float().mean(2)
    print(f"{name:10} share dropped of each map:", *(f"{share:.2f}" for share in dropped[0]))
assert dropped.unique().tolist() == [0, 1]  # whole maps

noise = torch.randn(100_000, device=device)
plain, alpha = (kind(0.2)(noise).var().item() for kind in (nn.Dropout, nn.AlphaDropout))
print(f"variance of standard normal values after Dropout(0.2): {plain:.2f}, after AlphaDropout: {alpha:.2f}")
assert abs(plain - 1.25) < 0.05 and abs(alpha - 1) < 0.05
