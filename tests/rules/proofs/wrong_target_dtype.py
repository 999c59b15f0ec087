"""TL410: the loss raises, and says which dtypes it saw, but not where they came from."""

from types import ModuleType

import pytest
import torch
import torch.nn.functional as F

CLASSES = 3


def binary_with_logits(x: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy_with_logits(x, torch.tensor([0, 1, 1, 0]))


def binary(x: torch.Tensor) -> torch.Tensor:
    return F.binary_cross_entropy(x + 0.5, torch.tensor([False, True, True, False]))


def likelihood(logits: torch.Tensor) -> torch.Tensor:
    y = torch.tensor([0, 1, 2, 0], dtype=torch.float32)
    return F.nll_loss(F.log_softmax(logits, dim=1), y)


def classes(logits: torch.Tensor) -> torch.Tensor:
    y = torch.tensor([0, 1, 2, 0])
    return F.cross_entropy(logits, y.int())


def one_hot(logits: torch.Tensor) -> torch.Tensor:
    y = torch.tensor([0, 1, 2, 0])
    return F.cross_entropy(logits, F.one_hot(y, CLASSES))


def prove(bad: ModuleType, good: ModuleType) -> None:
    x, logits = torch.zeros(4), torch.zeros(4, CLASSES)
    for name, given in (
        ("binary_with_logits", x),
        ("binary", x),
        ("likelihood", logits),
        ("classes", logits),
        ("one_hot", logits),
    ):
        with pytest.raises(RuntimeError, match=r"(?i)dtype|long"):
            getattr(bad, name)(given)
        outcomes = 2 if given is x else CLASSES
        assert getattr(good, name)(given).item() == pytest.approx(torch.tensor(float(outcomes)).log().item())
