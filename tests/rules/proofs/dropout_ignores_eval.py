"""TL305: without `training` the function drops whatever the mode of the module is."""

from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, self.p)


def prove(bad: ModuleType, good: ModuleType) -> None:
    torch.manual_seed(0)
    x = torch.ones(10_000)
    dropped = bad.Net(0.5).eval()(x)
    assert 0.45 < (dropped == 0).float().mean() < 0.55, "half of all values are zero in evaluation"

    assert torch.equal(good.Net(0.5).eval()(x), x)
    trained = good.Net(0.5).train()(x)
    assert 0.45 < (trained == 0).float().mean() < 0.55, "in training nothing has changed"
