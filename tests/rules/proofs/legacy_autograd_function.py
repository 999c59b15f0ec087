"""TL211: operations are not objects to be called."""

import warnings
from types import ModuleType
from typing import Any

import pytest
import torch

X = torch.tensor([1.0, 2.0, 3.0])


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * x * gradients[0]


class Old(torch.autograd.Function):
    """As in 2017: what is now `ctx` was the object itself."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.save_for_backward(x)
        return x * x

    def backward(self, *gradients: torch.Tensor) -> Any:
        (x,) = self.saved_tensors
        return 2 * x * gradients[0]


def gradient() -> list[float]:
    x = X.clone().requires_grad_()
    y = Square()(x)
    y.sum().backward()
    return x.grad.tolist()


def gradient_of_old() -> list[float]:
    x = X.clone().requires_grad_()
    square = Old()
    y = square(x)
    y.sum().backward()
    return x.grad.tolist()


def prove(bad: ModuleType, good: ModuleType) -> None:
    for program in ("gradient", "gradient_of_old"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            with pytest.raises(RuntimeError, match="Legacy autograd function"):
                getattr(bad, program)()
            assert getattr(good, program)() == [2.0, 4.0, 6.0]
