"""Matrix products: which ranks each call takes, einsum for the same, and why the order of a chain matters."""

import torch
from torch.utils.flop_counter import FlopCounterMode

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
batch, matrix, vector = (
    torch.randn(*s, device=device, dtype=torch.float64) for s in ((5, 2, 3), (3, 4), (3,))
)

for left, right, equation in (
    (vector, vector, "i,i->"),
    (batch[0], vector, "mn,n->m"),
    (batch[0], matrix, "mn,np->mp"),
    (batch, matrix, "bmn,np->bmp"),
    (batch[:, None], matrix.expand(7, 3, 4), "...mn,...np->...mp"),
):
    product = left @ right
    print(f"{tuple(left.shape)!s:12} @ {tuple(right.shape)!s:9} -> {tuple(product.shape)!s:12}  {equation}")
    assert torch.allclose(product, torch.einsum(equation, left, right))
try:
    torch.bmm(batch, matrix)  # the strict forms reject what matmul would broadcast
    raise AssertionError("accepted other ranks")
except RuntimeError as error:
    print("bmm:", error)

a, b, v = torch.ones(200, 200), torch.ones(200, 200), torch.ones(200, 1)
flops = []
for chain in (lambda: (a @ b) @ v, lambda: a @ (b @ v), lambda: torch.linalg.multi_dot([a, b, v])):
    with FlopCounterMode(display=False) as counter:
        chain()
    flops.append(counter.get_total_flops())
print("operations for (ab)v, a(bv), multi_dot:", flops)
assert flops[0] == 2 * 200**3 + 2 * 200**2 and flops[1:] == [4 * 200**2] * 2
assert torch.einsum("ba", matrix).equal(matrix.T) and torch.einsum("ii->", matrix[:, :3]) == matrix.trace()
bias = torch.randn(4, device=device, dtype=torch.float64)
assert torch.allclose(torch.addmm(bias, batch[0], matrix), bias + batch[0] @ matrix)
assert (batch * batch).sum(-1).allclose(torch.linalg.vecdot(batch, batch))
