"""MultiheadAttention by hand, its masks (True hides), and the hint that is not a mask."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close

attention = nn.MultiheadAttention(8, 2, batch_first=True).to(device).eval()
x = torch.randn(2, 4, 8, device=device)
future = torch.ones(4, 4, dtype=torch.bool, device=device).triu(1)
padding = torch.tensor([[False, False, False, True], [False] * 4], device=device)

y, weights = attention(x, x, x, attn_mask=future, key_padding_mask=padding)
print("weights of the first sample: causal, last key padded")
print(weights[0].detach().cpu().mul(100).round().div(100))
assert weights.shape == (2, 4, 4) and weights[:, future].sum() == 0 and weights[0, :, 3].sum() == 0

q, k, v = F.linear(x, attention.in_proj_weight, attention.in_proj_bias).chunk(3, dim=-1)
q, k, v = (t.unflatten(-1, (2, -1)).transpose(1, 2) for t in (q, k, v))
keep = ~(future | padding[:, None, None])  # here True keeps
by_hand = attention.out_proj(F.scaled_dot_product_attention(q, k, v, keep).transpose(1, 2).flatten(2))
close(by_hand, y, atol=1e-4, rtol=1e-4)
zeros_and_ones = attention(x, x, x, key_padding_mask=padding.float())[1]
assert zeros_and_ones[0, :, 3].min() > 0.1  # a float mask is added: the padding is still there
shuffled = x[:, [2, 0, 3, 1]]  # without masks the order of tokens does not matter
close(attention(*[shuffled] * 3)[0], attention(x, x, x)[0][:, [2, 0, 3, 1]], atol=1e-4, rtol=1e-4)
assert sum(p.numel() for p in nn.MultiheadAttention(512, 8).parameters()) == 4 * 512**2 + 4 * 512

other = x.clone()
other[:, 3] = torch.randn(8, device=device)  # another last token: earlier outputs must not change
for name, options in (("attn_mask", {"attn_mask": future}), ("is_causal alone", {"is_causal": True})):
    with torch.inference_mode():
        a, b = (attention(t, t, t, need_weights=False, **options)[0][:, :3] for t in (x, other))
    print(f"{name:16} in inference: change of earlier outputs {(a - b).abs().max().item():.2f}")
    assert torch.allclose(a, b, atol=1e-5) is (name == "attn_mask")
