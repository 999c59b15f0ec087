"""view never copies, reshape copies when it must, contiguous() makes the copy explicit."""

import torch

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
a = torch.arange(6, device=device).view(2, 3)
b = a.t()  # other strides over the same storage
print("a", a.stride(), a.is_contiguous(), "| a.t()", b.stride(), b.is_contiguous())
assert a.stride() == (3, 1) and b.stride() == (1, 3) and not b.is_contiguous()
assert b.data_ptr() == a.data_ptr()

try:
    b.view(6)
except RuntimeError as error:
    print(error)
else:
    raise AssertionError("view accepted incompatible strides")
copy = b.reshape(6)  # had to copy
assert copy.tolist() == [0, 3, 1, 4, 2, 5] and copy.data_ptr() != a.data_ptr()
assert a.reshape(6).data_ptr() == a.data_ptr()  # did not have to
assert a.contiguous() is a and b.contiguous().stride() == (2, 1)

# The trap: whether a write reaches the original depends on which of the two happened.
kept, lost = torch.ones(2, 3, device=device), torch.ones(2, 3, device=device)
kept.reshape(-1).zero_()
lost.t().reshape(-1).zero_()
assert kept.sum() == 0 and lost.sum() == 6

# reshape is not transpose: both give (3, 2), with the elements in other places.
assert a.reshape(3, 2).tolist() == [[0, 1], [2, 3], [4, 5]] and a.t().tolist() == [[0, 3], [1, 4], [2, 5]]
x = torch.ones(2, 3, 4, device=device)
assert x.permute(2, 0, 1).shape == (4, 2, 3) and x.mT.shape == (2, 4, 3) == x.transpose(1, 2).shape
assert x.permute(2, 0, 1).view(4, 6).shape == (4, 6)  # non-contiguous, yet these two can be merged
assert torch.ones(1, 3, 1).squeeze().shape == (3,) and torch.ones(1, 3, 1).squeeze(-1).shape == (1, 3)
assert torch.ones(2, 6).unflatten(1, (2, -1)).shape == (2, 2, 3)
row = torch.ones(1000, 1000)[0]  # a small view keeps the whole storage alive
assert row.untyped_storage().nbytes() == 4_000_000 and row.clone().untyped_storage().nbytes() == 4000
