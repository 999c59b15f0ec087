"""Sparse layouts: duplicates in COO, what CSR stores, when either is smaller than dense, and gradients."""

import torch

torch.manual_seed(0)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
edges = torch.tensor([[0, 0, 1], [1, 1, 0]], device=device)  # (dimensions, count); (0, 1) stands there twice
weights = torch.tensor([1.0, 2.0, 3.0], device=device, requires_grad=True)
coo = torch.sparse_coo_tensor(edges, weights, (2, 2), check_invariants=True)
features = torch.randn(2, 4, device=device)

assert not coo.is_coalesced() and coo.coalesce().values().tolist() == [3, 3]  # duplicates add up
assert coo.to_dense().tolist() == [[0, 3], [3, 0]]
product = torch.sparse.mm(coo, features)
assert torch.allclose(product, coo.to_dense() @ features)
product.sum().backward()  # gradients reach the values
assert torch.allclose(weights.grad, features.sum(1)[edges[1]])

# The same matrix as messages along edges: gather, weigh, add up.
messages = torch.zeros(2, 4, device=device).index_add_(
    0, edges[0], weights.detach()[:, None] * features[edges[1]]
)
assert torch.allclose(messages, product.detach())

print("bytes of a 1000 x 1000 float32 matrix: 4000000 dense")
for percent in (50, 20, 5, 1):
    c = (torch.rand(1000, 1000) < percent / 100).float().to_sparse()
    stored = c.indices().nbytes + c.values().nbytes
    compressed = 12 * c.values().numel() + 8 * 1001  # an index and a value each, an offset per row
    print(f"{percent:3} % filled: COO {stored:9}, CSR {compressed:9}")
    assert (stored < 3_900_000) == (percent < 20) and (compressed < 3_900_000) == (percent < 33)

for refused in (lambda: coo.detach().values(), lambda: coo + features[:, :2], lambda: coo.reshape(4)):
    try:
        refused()
    except RuntimeError as error:
        print("refused:", error)
    else:
        raise AssertionError("accepted")
