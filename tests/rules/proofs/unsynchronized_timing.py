"""TL608: on a GPU the clock is read long before the work is done. Without one there is nothing to wait for."""

import time
from types import ModuleType

import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZE = 8192 if DEVICE == "cuda" else 16


def measured() -> float:
    """The seconds that ten products of large matrices seem to take."""
    a = torch.randn(SIZE, SIZE, device=DEVICE)
    start = time.perf_counter()
    for _ in range(10):
        b = a @ a
    elapsed = time.perf_counter() - start
    del b
    return elapsed


def taken(module: ModuleType) -> float:
    """The seconds until `measured` of a module has come back and all its work is done."""
    start = time.perf_counter()
    module.measured()
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert bad.measured() > 0 and good.measured() > 0
    if DEVICE == "cuda":
        torch.cuda.synchronize()
        truth = taken(good)
        assert good.measured() > 0.5 * truth
        torch.cuda.synchronize()
        assert bad.measured() < 0.1 * truth
