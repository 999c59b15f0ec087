"""TL213: a validation that leaves gradients off takes the graph from the next epoch."""

from types import ModuleType

import pytest
import torch

X = torch.linspace(-1, 1, 32).reshape(8, 4)


def validate(model: torch.nn.Module) -> float:
    torch.set_grad_enabled(False)
    out = model(X)
    return out.mean().item()


def train(epochs: int) -> list[float]:
    """The validations of so many epochs."""
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    found = []
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = model(X).pow(2).mean()
        loss.backward()
        optimizer.step()
        found.append(validate(model))
    return found


if __name__ == "__main__":
    print(train(3))


def prove(bad: ModuleType, good: ModuleType) -> None:
    before = torch.is_grad_enabled()
    try:
        assert len(bad.train(1)) == 1, "one epoch does not show it"
        assert not torch.is_grad_enabled()
        torch._C._set_grad_enabled(True)
        with pytest.raises(RuntimeError, match="does not require grad"):
            bad.train(2)
    finally:
        torch._C._set_grad_enabled(before)
    assert len(good.train(3)) == 3
    assert torch.is_grad_enabled() is before
