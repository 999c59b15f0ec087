"""Preprocessing in torch alone: axes, scale, statistics, and the faults that raise nothing."""

import torch
from torch import nn
from torch.nn import functional as F


def to_float(image):
    return image.float() / 255  # what ToDtype(torch.float32, scale=True) does with uint8


class Normalize(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", mean[:, None, None])  # (C, 1, 1): one number for each channel
        self.register_buffer("std", std[:, None, None])

    def forward(self, image):
        return (image - self.mean) / self.std


torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
pixels = torch.rand(100, 8, 10, 3, device=device) * torch.rand(100, 1, 1, 1, device=device)  # dark and bright
images = (pixels * 255).byte().movedim(-1, 1)  # (N, H, W, C) to (N, C, H, W), without a copy
assert images.shape == (100, 3, 8, 10) and not images.is_contiguous()
floats, count = to_float(images), 100 * 8 * 10
mean = sum(batch.sum((0, 2, 3)) for batch in floats.split(16)) / count  # one pass, batch by batch
square = sum(batch.square().sum((0, 2, 3)) for batch in floats.split(16)) / count
std = (square - mean**2).sqrt()
print(f"std over the data {std[0]:.3f}, mean of each image's std {floats.std((2, 3)).mean(0)[0]:.3f}")
normalize = Normalize(mean, std).to(device)
ready, unscaled = normalize(floats), normalize(images.float())
print(f"largest value {ready.max():.1f}; not scaled first {unscaled.max():.0f}")
assert ready.mean().abs() < 1e-4 and (ready.std() - 1).abs() < 1e-2 and unscaled.max() > 1000
assert (images[:1] * 0 + 250 + 10).unique() == 4  # bytes wrap around
lines = (torch.arange(64, device=device) % 4 == 0).float().expand(1, 1, 64, 64)
plain, smooth = (F.interpolate(lines, (16, 16), mode="bilinear", antialias=a) for a in (False, True))
assert plain.max() == 0 and smooth.min() > 0.15  # thin lines vanish without anti-aliasing
