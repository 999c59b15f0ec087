"""Which results and arguments may be overwritten: decided by what each operation saved for backward."""

import torch

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
operations = ("exp", "sqrt", "sigmoid", "tanh", "relu", "log", "sin", "square", "neg", "sum")


def backward_works(operation, overwrite):
    """Whether backward still works after the result, or the argument, was changed in place."""
    argument = torch.ones(2, device=device, requires_grad=True) * 1
    result = getattr(argument, operation)()
    (result if overwrite == "result" else argument).mul_(2)
    try:
        result.sum().backward()
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)
        return False
    return True


table = {name: [backward_works(name, what) for what in ("result", "argument")] for name in operations}
print("may be overwritten: [result, argument]", *(f"{name:8}{row}" for name, row in table.items()), sep="\n")
assert all(table[name] == [False, True] for name in ("exp", "sqrt", "sigmoid", "tanh", "relu"))
assert all(table[name] == [True, False] for name in ("log", "sin", "square"))
assert table["neg"] == table["sum"] == [True, True]

x = torch.ones(2, device=device, requires_grad=True)
(y := x.tanh()).data.add_(1)  # .data escapes the check, and the gradient is wrong
y.sum().backward()
print("through .data:", x.grad[0].item(), "right:", (1 - x[0].tanh() ** 2).item())
assert not torch.allclose(x.grad, 1 - x.tanh() ** 2) and y._version == 0
with torch.no_grad():
    x.add_(1)  # a leaf: only outside the graph
assert x.tolist() == [2, 2] and x.requires_grad
h = torch.tensor([-1.0, 1.0], device=device)
assert (h.relu() + h).tolist() == [-1, 2]
assert (h.relu_() + h).tolist() == [0, 2]  # rectified in place, the skip connection adds something else
