"""scaled_dot_product_attention against the formula: masks, causality, dropout, memory."""

import math

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, bias, sdpa_kernel

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
attend = F.scaled_dot_product_attention


def close(a, b):
    torch.testing.assert_close(a, b, atol=1e-2, rtol=1e-2)  # some GPUs multiply in TF32


q, k, v = torch.randn(3, 1, 2, 6, 8, device=device)  # (batch, heads, time, features)
keep = torch.ones(6, 6, dtype=torch.bool, device=device).tril()
scores = q @ k.mT / math.sqrt(8)
expected = scores.masked_fill(~keep, -math.inf).softmax(-1) @ v
close(attend(q, k, v, is_causal=True), expected)
close(attend(q, k, v, attn_mask=keep), expected)  # True keeps
close(attend(q, k, v, attn_mask=torch.zeros(6, 6, device=device).masked_fill(~keep, -math.inf)), expected)
last = q[:, :, -2:]  # two new tokens behind a cache
close(attend(last, k, v, attn_mask=bias.causal_lower_right(2, 6)), expected[:, :, -2:])
close(attend(last[:, :, :1], k, v, is_causal=True), v[:, :, :1])  # is_causal: the first query sees key 0 only
close(attend(q, k[:, :1], v[:, :1], enable_gqa=True), attend(q, k[:, :1].expand_as(k), v[:, :1].expand_as(v)))
assert not attend(q, k, v, dropout_p=0.5).allclose(attend(q, k, v))  # whatever the mode of the model
assert attend(q, k, v, attn_mask=torch.zeros_like(keep)).abs().sum() == 0  # nothing to see: zeros

big = torch.randn(3, 1, 4, 512, 32, device=device, requires_grad=True).unbind()
choices = {"the formula": [SDPBackend.MATH], "any backend": list(SDPBackend.__members__.values())}
for name, backends in choices.items():
    saved = []
    pack = torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t.numel()), lambda t: t)
    with sdpa_kernel(backends), pack:
        attend(*big)
    print(f"{name} keeps {sum(saved):9,} elements for backward")
