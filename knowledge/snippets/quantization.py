"""Integers with a scale: rounding, saturation, one scale or one per row, and the gradient of rounding."""

import warnings

import torch

torch.manual_seed(0)


def quantise(w, per_row):  # symmetric int8: the largest magnitude becomes 127
    scale = (w.abs().amax(dim=1, keepdim=True) if per_row else w.abs().max()) / 127
    return (w / scale).round().to(torch.int8), scale


weight = torch.randn(16, 64)
weight[3] *= 100  # one large row
for per_row in (False, True):
    q, scale = quantise(weight, per_row)
    error = (q * scale - weight).abs().mean(dim=1)
    print(f"{scale.numel():2} scale(s): row 0 is off by {error[0]:.4f}, the large row 3 by {error[3]:.4f}")
    assert (error[0].item() < 0.02) is per_row
assert q.nbytes * 4 == weight.nbytes

x = torch.tensor([0.26, 30.0], requires_grad=True)
rounded = torch.fake_quantize_per_tensor_affine(x, 0.1, 0, -128, 127)
rounded.sum().backward()
torch.testing.assert_close(rounded.detach(), torch.tensor([0.3, 12.7]))
assert x.grad.tolist() == [1, 0]  # straight through, and stopped where it saturates
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    old = torch.quantize_per_tensor(torch.tensor([0.0, 0.26, 1.0, 100.0]), 0.1, 0, torch.qint8)
    torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(torch.nn.Linear(2, 2)))
print("deprecated:", sorted({str(w.message).split(",")[0].split(" is ")[0] for w in seen}))
assert old.int_repr().tolist() == [0, 3, 10, 127] and {w.category for w in seen} == {
    UserWarning,
    DeprecationWarning,
}
assert torch.tensor([127], dtype=torch.int8) + 1 == -128  # plain int8 wraps around
assert torch.tensor(500.0).to(torch.float8_e4m3fn).float() == 448 == torch.finfo(torch.float8_e4m3fn).max
