"""What rounding inputs to TF32 or bfloat16 costs in a product (emulated on any device), and the switches."""

import torch

torch.manual_seed(0)
a, b = torch.randn(512, 512), torch.randn(512, 512)
exact = a.double() @ b.double()


def tf32(x):
    """float32 with 10 bits of mantissa instead of 23, rounded: what a Tensor Core reads."""
    return ((x.view(torch.int32) + 0x1000) & ~0x1FFF).view(torch.float32)


def error(product):
    return ((product - exact).norm() / exact.norm()).item()


errors = {
    "highest: float32": error(a @ b),
    "high: TF32": error(tf32(a).double() @ tf32(b).double()),
    "medium: bfloat16": error(a.bfloat16().double() @ b.bfloat16().double()),
}
for name, value in errors.items():
    print(f"{name:18} relative error {value:.1e}")
assert (
    errors["highest: float32"] < 1e-6 < 1e-4 < errors["high: TF32"] < 1e-3 < errors["medium: bfloat16"] < 1e-2
)
assert tf32(torch.tensor(1 + 2**-10)) == 1 + 2**-10 and tf32(torch.tensor(1 + 2**-12)) == 1

assert torch.get_float32_matmul_precision() == "highest" and torch.backends.cudnn.allow_tf32  # the defaults
for level, allowed in (("high", True), ("medium", True), ("highest", False)):
    torch.set_float32_matmul_precision(level)
    print(f"{level:8} allow_tf32 of CUDA products: {torch.backends.cuda.matmul.allow_tf32}")
    assert torch.backends.cuda.matmul.allow_tf32 is allowed
assert (a @ b).dtype == torch.float32  # whatever the level
torch.set_num_threads(1)
assert torch.get_num_threads() == 1
