"""TL605: with an empty cache every iteration asks the driver for its memory; else the first one does."""

from types import ModuleType
from unittest import mock

import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
STEPS = 20


def evaluate() -> None:
    model = torch.nn.Linear(1024, 1024).to(DEVICE)
    for _ in range(STEPS):
        model(torch.randn(1024, 1024, device=DEVICE))
        torch.cuda.empty_cache()


def asked_the_driver(module: ModuleType) -> int:
    """How often memory was allocated from the driver."""
    before = torch.cuda.memory_stats().get("num_device_alloc", 0)
    module.evaluate()
    return int(torch.cuda.memory_stats().get("num_device_alloc", 0)) - before


def prove(bad: ModuleType, good: ModuleType) -> None:
    with mock.patch.object(torch.cuda, "empty_cache", wraps=torch.cuda.empty_cache) as emptied:
        bad.evaluate()
        assert emptied.call_count == STEPS
        good.evaluate()
        assert emptied.call_count == STEPS, "not once more"
    if DEVICE == "cuda":
        bad.evaluate()
        good.evaluate()
        assert asked_the_driver(good) == 0, "what the last run has left in the cache is enough"
        assert asked_the_driver(bad) >= STEPS - 1
