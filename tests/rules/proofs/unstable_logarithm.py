"""TL413: small numbers are lost beside 1, and large ones overflow."""

from types import ModuleType

import torch

SMALL = torch.tensor([1e-9])
LARGE = torch.tensor([[100.0, 100.0]])


def log_of_more() -> float:
    return torch.log(1 + SMALL).item()


def exp_less_one() -> float:
    return (torch.exp(SMALL) - 1).item()


def log_of_sum() -> float:
    return torch.log(torch.exp(LARGE).sum(1)).item()


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert bad.log_of_more() == bad.exp_less_one() == 0.0
    assert abs(good.log_of_more() - 1e-9) < 1e-15
    assert abs(good.exp_less_one() - 1e-9) < 1e-15
    assert bad.log_of_sum() == float("inf")
    assert abs(good.log_of_sum() - 100.6931) < 1e-3
