"""torch.Tensor and FloatTensor beside torch.tensor: shape or data, cast or shared, which device."""

import numpy
import torch

assert torch.tensor(3).shape == () and torch.tensor(3).dtype == torch.int64
assert torch.Tensor(3).shape == (3,) and torch.Tensor(2, 3).shape == (2, 3)  # a shape, contents arbitrary
assert torch.Tensor([3]).tolist() == [3.0] and torch.Tensor([3]).dtype == torch.float32  # data
assert torch.LongTensor([1.7]).tolist() == [1] and torch.LongTensor(5).shape == (5,)

rows = []
for name in ("int64", "float32", "float64"):
    array = numpy.ones(2, dtype=name)
    for make in (torch.tensor, torch.Tensor, torch.from_numpy):
        made = make(array)
        array[0] = 5
        rows.append((name, make.__name__, str(made.dtype).removeprefix("torch."), bool(made[0] == 5)))
        array[0] = 1
print("array    made by     dtype    shared")
for row in rows:
    print("{:8} {:11} {:8} {}".format(*row))
assert [row[3] for row in rows if row[1] == "Tensor"] == [False, True, False]  # it depends on the dtype
assert not any(row[3] for row in rows if row[1] == "tensor")

assert type(torch.FloatTensor([1])) is torch.Tensor  # one class; the name stands for dtype and device
assert isinstance(torch.ones(1), torch.FloatTensor) and not isinstance(
    torch.ones(1).long(), torch.FloatTensor
)
with torch.device("meta"):  # the factories follow the default device, the class constructors do not
    print("under torch.device('meta'):", torch.tensor([1.0]).device, "and", torch.FloatTensor([1.0]).device)
    assert torch.tensor([1.0]).is_meta and not torch.FloatTensor([1.0]).is_meta
x = torch.ones(1, dtype=torch.int64)
assert x.new(3).shape == x.new_empty(3).shape == (3,) and x.new_tensor([3]).tolist() == [3]
try:
    torch.Tensor(1.5)
except TypeError as error:
    print("torch.Tensor(1.5):", error)
else:
    raise AssertionError("accepted a float")
