"""TL202: `eval()` leaves autograd on: every forward pass of a validation loop saves its activations."""

from types import ModuleType

import torch

VALIDATION = [torch.randn(16, 32, generator=torch.Generator().manual_seed(1)) for _ in range(3)]
SEEN: list[torch.Tensor] = []


def make() -> torch.nn.Sequential:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(32, 64), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(64, 1)
    )


def evaluate(model: torch.nn.Module) -> float:
    """The mean square of the outputs over the validation set."""
    model.eval()
    total = 0.0
    for x in VALIDATION:
        out = model(x)
        SEEN.append(out)
        total += out.pow(2).mean().item()
    return total / len(VALIDATION)


def evaluate_and_train(model: torch.nn.Module) -> float:
    """One step of training, then the validation in the same function."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    model.train()
    for x in VALIDATION:
        optimizer.zero_grad()
        model(x).pow(2).mean().backward()
        optimizer.step()
    model.eval()
    total = 0.0
    for x in VALIDATION:
        out = model(x)
        SEEN.append(out)
        total += out.pow(2).mean().item()
    return total / len(VALIDATION)


def saved_bytes(module: ModuleType) -> tuple[float, int]:
    """What `module.evaluate` returns, and how many bytes autograd saved for a backward pass meanwhile."""
    saved = 0

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        nonlocal saved
        saved += tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = module.evaluate(module.make())
    return result, saved


def prove(bad: ModuleType, good: ModuleType) -> None:
    wrong, wasted = saved_bytes(bad)
    right, needed = saved_bytes(good)
    assert wasted >= len(VALIDATION) * 16 * 64 * 4, "at least the hidden layer of every batch"
    assert needed == 0
    assert wrong == right, "the numbers are the same"
    assert all(out.requires_grad and out.grad_fn is not None for out in bad.SEEN)
    assert all(not out.requires_grad for out in good.SEEN)

    assert bad.evaluate_and_train(bad.make()) == good.evaluate_and_train(good.make()), "it still trains"
    assert bad.SEEN[-1].requires_grad
    assert not good.SEEN[-1].requires_grad


if __name__ == "__main__":
    print(evaluate(make()), evaluate_and_train(make()))
