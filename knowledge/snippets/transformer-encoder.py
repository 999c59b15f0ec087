"""The encoder layer by hand, what the causal mask guarantees, and a test that proves nothing."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
close = torch.testing.assert_close


def build(depth=2, width=8, **options):
    layer = nn.TransformerEncoderLayer(width, 2, 4 * width, batch_first=True, **options)
    return nn.TransformerEncoder(layer, depth, enable_nested_tensor=False).to(device).eval()


x = torch.randn(2, 5, 8, device=device)
for norm_first in (False, True):
    layer = build(norm_first=norm_first).layers[0]
    if norm_first:
        h = x + layer.self_attn(*[layer.norm1(x)] * 3)[0]
        expected = h + layer.linear2(F.relu(layer.linear1(layer.norm2(h))))
    else:
        h = layer.norm1(x + layer.self_attn(x, x, x)[0])
        expected = layer.norm2(h + layer.linear2(F.relu(layer.linear1(h))))
    close(layer(x), expected, atol=1e-2, rtol=1e-2)
    deep = build(24, 64, norm_first=norm_first, dropout=0.0)(torch.randn(2, 8, 64, device=device))
    print(f"norm_first={norm_first!s:5} standard deviation after 24 layers: {deep.std().item():.1f}")

encoder, causal = build(norm_first=True), torch.ones(5, 5, dtype=torch.bool, device=device).triu(1)
assert torch.equal(encoder.layers[0].linear1.weight, encoder.layers[1].linear1.weight)  # copies
for name, change in (("plus 1", 1.0), ("another token", torch.randn(8, device=device))):
    other = x.clone()
    other[:, 4] += change
    gaps = [(encoder(x, mask=m) - encoder(other, mask=m))[:, :4].abs().max().item() for m in (None, causal)]
    print(f"last token {name:13}: change of earlier outputs without mask {gaps[0]:.3f}, with {gaps[1]:.3f}")
assert gaps[0] > 0.01 and gaps[1] < 1e-4
