"""The size formula against real layers, weights of grouped convolutions, and what transposed means."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close

x = torch.randn(1, 3, 32, 32, device=device)
print("32 x 32 through   k stride padding dilation -> size")
for k, stride, padding, dilation in ((3, 1, 0, 1), (3, 1, 1, 1), (3, 2, 1, 1), (7, 2, 3, 1), (3, 1, 2, 2)):
    size = (32 + 2 * padding - dilation * (k - 1) - 1) // stride + 1
    layer = nn.Conv2d(3, 8, k, stride, padding, dilation, device=device)
    print(f"{k:19} {stride:6} {padding:7} {dilation:8} -> {size}")
    assert layer(x).shape == (1, 8, size, size)
assert nn.ConvTranspose2d(3, 8, 4, 2, 1).to(device)(x).shape == (1, 8, 64, 64)


def weights(*layers):
    return sum(layer.weight.numel() for layer in layers)


full = weights(nn.Conv2d(64, 128, 3))
separable = weights(nn.Conv2d(64, 64, 3, groups=64), nn.Conv2d(64, 128, 1))
print("weights from 64 to 128 channels: full", full, "- depthwise and 1x1:", separable)
assert (full, separable) == (73_728, 8_768) and weights(nn.Conv2d(8, 8, 3, groups=8)) == 72

w = torch.randn(4, 3, 3, 3, device=device)
columns = w.flatten(1) @ F.unfold(x, 3)  # a convolution is a matrix product over patches,
close(columns.unflatten(2, (30, 30)), F.conv2d(x, w), atol=1e-3, rtol=1e-3)
y, back = torch.func.vjp(lambda x: F.conv2d(x, w, stride=2, padding=1), x)
transposed = F.conv_transpose2d(y, w, stride=2, padding=1, output_padding=1)
close(back(y)[0], transposed, atol=1e-3, rtol=1e-3)  # and the transposed one is its gradient
assert not torch.allclose(transposed, x, atol=1)
