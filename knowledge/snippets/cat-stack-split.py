"""Joining and cutting: shapes of cat and stack, sizes of split, chunk and tensor_split, views or copies."""

import torch

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
a = torch.arange(6.0, device=device).view(2, 3)
b = a + 10
assert torch.cat([a, b]).shape == (4, 3) and torch.cat([a, b], dim=1).shape == (2, 6)
assert torch.stack([a, b]).shape == (2, 2, 3) and torch.stack([a, b], dim=-1).shape == (2, 3, 2)
assert torch.stack([a, b]).equal(torch.cat([a[None], b[None]])) and torch.stack([a, b])[0].equal(a)

seven = torch.arange(7, device=device)
cuts = {
    "split(3)": seven.split(3),
    "split([2, 5])": seven.split([2, 5]),
    "chunk(3)": seven.chunk(3),
    "tensor_split(3)": seven.tensor_split(3),
    "tensor_split([2, 5])": seven.tensor_split([2, 5]),
}
for call, pieces in cuts.items():
    print(f"7 elements, {call:21}", [len(piece) for piece in pieces])
assert [len(piece) for piece in cuts["chunk(3)"]] == [3, 3, 1]
assert [len(piece) for piece in cuts["tensor_split(3)"]] == [3, 2, 2]
assert len(torch.arange(5).chunk(4)) == 3 and len(torch.arange(5).tensor_split(4)) == 4  # "at most 4"

first, _ = a.chunk(2, dim=1)
first.zero_()  # pieces are views
assert a.tolist() == [[0, 0, 2], [0, 0, 5]]
assert torch.cat([b]).data_ptr() != b.data_ptr()  # cat copies even a single tensor
copied, grown = 0, a[:0]
for _ in range(100):  # cat in a loop copies all that is there, every time
    grown = torch.cat([grown, a[:1]])
    copied += len(grown)
print("rows copied by 100 calls of cat:", copied, "and by one: 100")
assert copied == 5050 and grown.shape == (100, 3)
assert (
    torch.roll(b, 1)[1, 0] == b[0, 2] and torch.roll(b, 1, dims=1)[1, 0] == b[1, 2]
)  # flattened without dims
assert torch.meshgrid(seven, seven[:2], indexing="xy")[0].shape == (2, 7)
