"""TL216: what is made under `inference_mode` cannot be saved for `backward`."""

import warnings
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.randn(32, 4)
TEACHER = torch.nn.Linear(4, 2)
BODY = torch.nn.Linear(4, 8)


def distilled() -> float:
    """How far a student is from its teacher in the end."""
    student = torch.nn.Linear(4, 2)
    optimizer = torch.optim.SGD(student.parameters(), lr=0.2)
    loss = torch.zeros(())
    for _ in range(100):
        optimizer.zero_grad()
        with torch.inference_mode():
            wanted = TEACHER(X)
        loss = F.mse_loss(student(X), wanted)
        loss.backward()
        optimizer.step()
    return loss.item()


def probed() -> torch.Tensor | None:
    head = torch.nn.Linear(8, 1)
    with torch.inference_mode():
        features = BODY(X)
    head(features).mean().backward()
    return head.weight.grad


def prove(bad: ModuleType, good: ModuleType) -> None:
    for program in ("distilled", "probed"):
        with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
            getattr(bad, program)()
    assert good.distilled() < 1e-3
    torch.testing.assert_close(good.probed(), good.BODY(good.X).detach().mean(0, keepdim=True))

    for layer, shape in LAYERS:
        with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
            layer(*made_in_inference_mode(*shape))
    for loss in LOSSES:
        given, wanted = made_in_inference_mode(4, 3), torch.rand(4, 3, requires_grad=True)
        with (
            warnings.catch_warnings(),
            pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"),
        ):
            warnings.simplefilter("ignore")  # of the default reduction of `kl_div`
            loss(wanted, *given)


def made_in_inference_mode(*shape: int) -> list[torch.Tensor]:
    with torch.inference_mode():
        return [torch.rand(shape)]


LAYERS = [
    *((layer, (2, 4)) for layer in (torch.nn.Linear(4, 2), torch.nn.LayerNorm(4))),
    *((layer(4, 2, 1), (2, 4, 3)) for layer in (torch.nn.Conv1d, torch.nn.ConvTranspose1d)),
    *((layer(4, 2, 1), (2, 4, 3, 3)) for layer in (torch.nn.Conv2d, torch.nn.ConvTranspose2d)),
    *((layer(4, 2, 1), (2, 4, 3, 3, 3)) for layer in (torch.nn.Conv3d, torch.nn.ConvTranspose3d)),
    *((torch.nn.BatchNorm1d(4), (2, 4)), (torch.nn.BatchNorm2d(4), (2, 4, 3, 3))),
    *((torch.nn.BatchNorm3d(4), (2, 4, 3, 3, 3)), (torch.nn.GroupNorm(2, 4), (2, 4, 3))),
    *((layer(4, 2), (2, 3, 4)) for layer in (torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN)),
]
LOSSES = [
    F.cross_entropy,
    F.mse_loss,
    F.smooth_l1_loss,
    F.huber_loss,
    F.kl_div,
    F.binary_cross_entropy_with_logits,
]
