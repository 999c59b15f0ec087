"""TL212: anomaly detection keeps the place of every call."""

from types import ModuleType

import torch

BEFORE = torch.is_anomaly_enabled()
torch.autograd.set_detect_anomaly(True)
ENABLED = torch.is_anomaly_enabled()
X = torch.ones(3, requires_grad=True)
Y = X.exp()
torch.set_anomaly_enabled(BEFORE)  # the other proofs run in the same process


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert bad.ENABLED and not good.ENABLED
    assert any("X.exp()" in line for line in bad.Y.grad_fn.metadata["traceback_"])
    assert "traceback_" not in good.Y.grad_fn.metadata
