"""NumPy and tensors: who shares memory with the array, and who copies."""

import numpy as np  # the other owner of the memory
import torch

a = np.array([1, 2, 3])
shared = (torch.from_numpy(a), torch.as_tensor(a), torch.asarray(a), torch.from_numpy(a).detach())
copied = (torch.tensor(a), torch.asarray(a, copy=True), torch.from_numpy(a).clone())
a[0] = 99
assert all(t[0] == 99 and t.dtype == torch.int64 for t in shared)
assert all(t[0] == 1 for t in copied)
shared[0][1] = -7  # sharing goes both ways
assert a[1] == -7
print("after writes from both sides:", a.tolist(), "; the copy:", copied[0].tolist())

# The legacy constructor: another dtype is cast and copied, float32 is shared.
assert torch.Tensor(a).dtype == torch.float32 and torch.Tensor(a).data_ptr() != a.ctypes.data
f = np.zeros(2, dtype=np.float32)
assert torch.Tensor(f).data_ptr() == f.ctypes.data
assert torch.as_tensor(a, dtype=torch.float32).data_ptr() != a.ctypes.data  # a cast is always a copy

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
w = torch.ones(2, device=device, requires_grad=True)
assert w.numpy(force=True).tolist() == w.detach().cpu().numpy().tolist() == w.tolist() == [1, 1]


def message(call):
    try:
        call()
    except (RuntimeError, ValueError) as error:
        return str(error)
    raise AssertionError("no error")


print(message(w.cpu().numpy))
assert "requires grad" in message(w.cpu().numpy)
assert "negative" in message(lambda: torch.from_numpy(a[::-1]))
