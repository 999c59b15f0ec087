"""Counting the graphs that torch.compile makes: breaks within a call, recompilations between calls."""

import torch

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
ones = torch.ones(3, device=device)


def graphs(f, *calls, **options):  # how many exist after each call
    made, counts = [], []
    torch.compiler.reset()
    compiled = torch.compile(f, backend=lambda graph, _: made.append(graph) or graph.forward, **options)
    for arguments in calls:
        assert torch.equal(compiled(*arguments), f(*arguments))
        counts.append(len(made))
    return counts


def branch(x):
    y = x + 1
    return y * 2 if y.sum() > 0 else y - 2


def in_graph(x):
    return torch.cond((x + 1).sum() > 0, lambda y: y * 2, lambda y: y - 2, (x + 1,))


sizes = [(torch.ones(n, device=device),) for n in (3, 4, 5, 100, 1)]
broken, whole = graphs(branch, (ones,)), graphs(in_graph, (ones,), (-2 * ones,))
print("a branch on data:", broken, "| with torch.cond, both ways:", whole)
print("sizes 3 4 5 100 1:", graphs(torch.sin, *sizes), "| static:", graphs(torch.sin, *sizes, dynamic=False))
changes = [(ones,), (ones.double(),), (ones.clone().requires_grad_(),), (ones.expand(2, 3),)]
print("dtype, requires_grad, ndim:", made := graphs(torch.sin, *changes))
assert broken == [2] and whole == [1, 1]
assert graphs(torch.sin, *sizes) == [1, 2, 2, 2, 3]  # the second size made it symbolic; 1 never is
assert made == [1, 2, 3, 4] and graphs(torch.mul, *((ones, n) for n in (1, 2, 3))) == [1, 2, 2]
