"""TL412: where a probability has rounded to zero, its logarithm is infinite and the gradient is NaN."""

from types import ModuleType

import torch

FAR = torch.tensor([[0.0, 200.0]])


def log_probabilities(logits: torch.Tensor) -> torch.Tensor:
    return torch.log(torch.softmax(logits, dim=1))


def log_sigmoid(logits: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(logits).log()


def prove(bad: ModuleType, good: ModuleType) -> None:
    for module, is_finite in ((bad, False), (good, True)):
        logits = FAR.clone().requires_grad_()
        result = module.log_probabilities(logits)
        result.sum().backward()
        assert bool(result.isfinite().all()) is is_finite
        assert logits.grad is not None
        assert bool(logits.grad.isfinite().all()) is is_finite
        assert bool(module.log_sigmoid(-FAR).isfinite().all()) is is_finite
    near = torch.randn(8, 3)
    assert torch.allclose(bad.log_probabilities(near), good.log_probabilities(near), atol=1e-5)
    assert torch.allclose(bad.log_sigmoid(near), good.log_sigmoid(near), atol=1e-5)
