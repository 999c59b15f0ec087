"""torch.linalg: solve against inv, two meanings of a norm, batches, and what is left of the old names."""

import torch
from torch import linalg

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
n = torch.arange(8, dtype=torch.float64)
hilbert = 1 / (n[:, None] + n + 1)
print(f"a system with condition number {linalg.cond(hilbert):.1e}, error of x:")
for a in (hilbert.float(), hilbert):
    b = a.sum(1)  # the solution is all ones
    errors = [(x - 1).abs().max().item() for x in (linalg.solve(a, b), linalg.inv(a) @ b)]
    print(f"{a.dtype}: solve {errors[0]:.1e}, inv {errors[1]:.1e}")
assert errors[0] < 1e-5  # float64

m = torch.tensor([[1.0, 2.0], [3.0, 4.0]], device=device)
print("order 2 of [[1, 2], [3, 4]]:", torch.norm(m, 2).item(), "but in linalg", linalg.norm(m, 2).item())
assert torch.allclose(linalg.norm(m, 2), linalg.svdvals(m)[0])
assert torch.allclose(torch.norm(m, 2), linalg.vector_norm(m, 2))

a = torch.randn(5, 4, 3, device=device, dtype=torch.float64)  # a batch of five
u, s, vh = linalg.svd(a, full_matrices=False)
assert u.shape == (5, 4, 3) and torch.allclose(u * s[:, None] @ vh, a) and linalg.svd(a).U.shape == (5, 4, 4)
spd, b = a.mT @ a, torch.randn(5, 4, 1, device=device, dtype=torch.float64)
assert torch.allclose(linalg.eigvalsh(spd), s.flip(-1) ** 2)  # ascending
assert torch.allclose(torch.cholesky_solve(a.mT @ b, linalg.cholesky(spd)), linalg.lstsq(a, b).solution)
tiny = torch.eye(200) * 0.1
assert linalg.det(tiny) == 0 and abs(linalg.slogdet(tiny).logabsdet + 460.5) < 0.1
for removed in (torch.symeig, torch.eig, torch.matrix_rank):  # names that only raise
    try:
        removed(m)
        raise AssertionError("still works")
    except RuntimeError as error:
        assert "removed" in str(error)
assert linalg.cholesky_ex(-m).info > 0  # no exception: a code to check
