"""channels_last: the same shape and numbers, other strides; which operations keep it and which end it."""

from operator import methodcaller

import torch
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
planes = torch.randn(2, 3, 4, 5, device=device)
pixels = planes.to(memory_format=torch.channels_last)
is_last = methodcaller("is_contiguous", memory_format=torch.channels_last)
print("NCHW", tuple(planes.shape), planes.stride(), "| channels_last", tuple(pixels.shape), pixels.stride())
assert pixels.shape == planes.shape and pixels.equal(planes)
assert planes.stride() == (60, 20, 5, 1) and pixels.stride() == (60, 1, 15, 3)
assert pixels.permute(0, 2, 3, 1).is_contiguous()  # N, H, W, C in memory

conv = nn.Conv2d(3, 8, 3, padding=1, device=device)
reference = conv(planes)
assert torch.allclose(conv(pixels), reference, atol=1e-5) and is_last(conv(pixels))
conv = conv.to(memory_format=torch.channels_last)
assert is_last(conv.weight) and is_last(conv(planes))  # the weight alone is enough, at the price of a copy

norm, pool = nn.BatchNorm2d(3, device=device), nn.MaxPool2d(2)
keeps = {"norm": norm(pixels), "relu": pixels.relu(), "pool": pool(pixels), "x + planes": pixels + planes}
ends = {
    "planes + x": planes + pixels,
    "contiguous()": pixels.contiguous(),
    "repeat": pixels.repeat(1, 1, 1, 2),
}
print("still channels_last:", {name: is_last(t) for name, t in (keeps | ends).items()})
assert all(map(is_last, keeps.values())) and not any(map(is_last, ends.values()))

tokens = pixels.flatten(2).transpose(1, 2)
assert tokens.is_contiguous() and tokens.data_ptr() == pixels.data_ptr()
