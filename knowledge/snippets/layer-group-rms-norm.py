"""Which elements share a mean and a variance, layer by layer."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close

tokens = 3 * torch.randn(2, 5, 8, device=device) + 1  # (batch, time, features)
image = 3 * torch.randn(2, 6, 4, 4, device=device) + 1  # (batch, channels, height, width)
norms = {"LayerNorm": ([6, 4, 4],), "GroupNorm": (3, 6), "InstanceNorm2d": (6,), "BatchNorm2d": (6,)}
print("largest |mean| after the norm over: all of a sample, 2 channels, 1 channel, 1 channel of the batch")
for name, args in norms.items():
    y = getattr(nn, name)(*args).to(device)(image).detach()
    spread = [y.flatten(1), y.unflatten(1, (3, 2)).flatten(2), y.flatten(2), y.transpose(0, 1).flatten(1)]
    means = [part.mean(-1).abs().max().item() for part in spread]
    print(f"{name:18}", "".join(f"{mean:>14.2f}" for mean in means))
    assert means[list(norms).index(name)] < 1e-5

layer, rms = nn.LayerNorm(8).to(device), nn.RMSNorm(8, eps=1e-6).to(device)
variance, mean = torch.var_mean(tokens, -1, correction=0, keepdim=True)
close(layer(tokens), (tokens - mean) / (variance + 1e-5).sqrt())
close(rms(tokens), tokens * torch.rsqrt(tokens.pow(2).mean(-1, keepdim=True) + 1e-6))
close(layer(tokens)[:1, :2], layer(tokens[:1, :2]))  # neither the batch nor the other tokens matter
close(layer(2 * tokens + 5), layer(tokens), atol=1e-4, rtol=0)
assert not torch.allclose(rms(tokens + 5), rms(tokens), atol=0.1)
close(nn.GroupNorm(6, 6).to(device)(image), F.instance_norm(image))
close(nn.GroupNorm(1, 6).to(device)(image), F.layer_norm(image, (6, 4, 4)))
assert not torch.allclose(F.layer_norm(image.movedim(1, -1), (6,)).movedim(-1, 1), F.group_norm(image, 1))
padded = F.pad(image, (0, 4))  # the zeros change the result for the pixels too
assert not torch.allclose(F.instance_norm(padded)[..., :4], F.instance_norm(image), atol=0.1)
close(F.normalize(tokens, dim=-1).norm(dim=-1), torch.ones(2, 5, device=device))  # length 1, no mean
assert not list(nn.InstanceNorm2d(6).parameters()) and not list(layer.buffers())
