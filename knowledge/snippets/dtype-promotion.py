"""Type promotion as a table: which operand decides, what wraps, and what refuses to promote."""

import torch

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
i64, f32, f16, bf16, u8, i8, mask = (
    torch.ones(2, dtype=getattr(torch, name), device=device)
    for name in ("int64", "float32", "float16", "bfloat16", "uint8", "int8", "bool")
)
# 0-dim tensors and Python numbers raise the category, never the width within one.
for text, left, right, expected in (
    ("int64 + float32", i64, f32, torch.float32),
    ("int64 + 1.5", i64, 1.5, torch.float32),
    ("float16 + 1.5", f16, 1.5, torch.float16),
    ("float16 + 0-dim float32", f16, f32[0], torch.float16),
    ("float16 + (1,) float32", f16, f32[:1], torch.float32),
    ("float16 + bfloat16", f16, bf16, torch.float32),
    ("uint8 + int8", u8, i8, torch.int16),
    ("bool + 1", mask, 1, torch.int64),
    ("float32 + 1j", f32, 1j, torch.complex64),
):
    print(f"{text:24} {(left + right).dtype}")
    assert (left + right).dtype == torch.result_type(left, right) == expected
assert (i64 / i64).dtype == torch.get_default_dtype() == torch.float32
assert (u8 + 1000).tolist() == [233, 233]  # 1001 mod 256: no widening for a large number
assert mask.sum().dtype == torch.int64 and f16.mul(100).repeat(500).sum().isinf()
stamp = torch.tensor(1.7e9, device=device)  # a Unix time in float32 moves in steps of 128 seconds
assert stamp + 60 == stamp and torch.tensor([2**24 + 1]).float() == 2**24
assert torch.finfo(torch.bfloat16).eps == 2**-7 and torch.finfo(torch.float16).max == 65504
assert torch.can_cast(torch.float64, torch.float16) and not torch.can_cast(torch.float32, torch.int64)
try:
    i64 += 1.5
    raise AssertionError("an in-place operation promoted")
except RuntimeError as error:
    print("in place:", error)
