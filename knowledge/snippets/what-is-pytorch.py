"""Eager by default: plain Python decides what runs. Graph capture is opt-in."""

import torch

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


def f(x):
    y = x * 2
    return y + 1 if y.sum() > 0 else y - 1  # an ordinary Python branch on tensor data


x = torch.ones(2, device=device, requires_grad=True)
assert f(x).tolist() == [3, 3] and f(-x).tolist() == [-3, -3]
f(x).sum().backward()  # the gradient follows the branch that ran
assert x.grad.tolist() == [2, 2]

graphs = []  # a backend of our own that counts what torch.compile hands over


def counting_backend(graph_module, example_inputs):
    graphs.append(graph_module)
    return graph_module.forward


compiled = torch.compile(f, backend=counting_backend)
with torch.no_grad():
    assert torch.equal(compiled(x), f(x)) and len(graphs) == 2
print("one call of f became 2 graphs: the branch on data breaks the graph")

try:
    torch.compile(f, backend="eager", fullgraph=True)(x.detach())
except RuntimeError as error:
    print("fullgraph=True:", str(error).splitlines()[0])
else:
    raise AssertionError("fullgraph=True accepted a branch on data")

program = torch.export.export(torch.nn.Linear(2, 1), (torch.ones(3, 2),))  # a whole graph, without Python
assert program.module()(torch.ones(3, 2)).shape == (3, 1)
