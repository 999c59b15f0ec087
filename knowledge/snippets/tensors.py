"""What a tensor is: a dtype, a device, and a shape with strides over one flat storage."""

import torch

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")

# Python floats become the default dtype (float32), Python ints become int64, always on the CPU.
assert torch.tensor([1, 2]).dtype == torch.int64 and torch.tensor(3.0).dtype == torch.float32
assert torch.arange(3).dtype == torch.int64 and torch.zeros(3).dtype == torch.float32
assert torch.full((2,), 3).dtype == torch.int64 and torch.randint(3, (2,)).dtype == torch.int64
assert torch.ones(2).device.type == "cpu" and torch.ones(2).requires_grad is False

t = torch.randn(2, 3, device=device, requires_grad=True)
like = torch.zeros_like(t)  # shape, dtype and device come along; requires_grad does not
assert (like.shape, like.dtype, like.device) == (t.shape, t.dtype, t.device) and not like.requires_grad
assert t.shape == t.size() == (2, 3) and isinstance(t.shape, tuple) and t.size(0) == 2
assert t.ndim == 2 and t.numel() == 6 and torch.is_tensor(t)
print("shape", tuple(t.shape), "strides", t.stride(), "dtype", t.dtype, "device", t.device)

row = t.detach()[1]  # a view: the same storage, another offset
assert row.storage_offset() == 3 and row.data_ptr() == t.data_ptr() + 3 * t.element_size()

ints = torch.tensor([1, 2])
ints[0] = 2.7  # assignment casts to the tensor's dtype without a word
assert ints.tolist() == [2, 2]
assert torch.Tensor(5).shape == (5,) and torch.tensor(5).shape == ()  # 5 arbitrary values; one 5
assert torch.arange(0, 1, 0.25).tolist() == [0, 0.25, 0.5, 0.75]  # the end is left out
assert torch.linspace(0, 1, 5)[-1] == 1  # the end is included

dense = torch.rand(100, 100) + 1  # nothing is zero
sparse = dense.to_sparse()
print("dense", dense.nbytes, "bytes; the same as COO", sparse.indices().nbytes + sparse.values().nbytes)
assert sparse.indices().nbytes + sparse.values().nbytes == 5 * dense.nbytes
