"""TL208: `backward` of a loss for each sample raises."""

from types import ModuleType

import pytest
import torch
import torch.nn.functional as F

X = torch.linspace(-1, 1, 32).reshape(8, 4)
Y = torch.arange(8) % 3


def make() -> torch.nn.Linear:
    torch.manual_seed(0)
    return torch.nn.Linear(4, 3)


def by_module() -> torch.Tensor | None:
    model = make()
    criterion = torch.nn.CrossEntropyLoss(reduction="none")
    loss = criterion(model(X), Y)
    loss.backward()
    return model.weight.grad


def by_function() -> torch.Tensor | None:
    model = make()
    F.cross_entropy(model(X), Y, reduction="none").backward()
    return model.weight.grad


def by_default() -> torch.Tensor | None:
    model = make()
    F.cross_entropy(model(X), Y).backward()
    return model.weight.grad


def prove(bad: ModuleType, good: ModuleType) -> None:
    for program in ("by_module", "by_function"):
        with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
            getattr(bad, program)()
        torch.testing.assert_close(getattr(good, program)(), good.by_default())
