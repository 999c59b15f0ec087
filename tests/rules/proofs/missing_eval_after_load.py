"""TL320: in training mode a loaded model drops units, and batch norm overwrites what it learned."""

import io
from types import ModuleType

import torch
from torch import nn


def make() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 2))


def predict(file: io.BytesIO) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two answers to the same question, and what batch norm takes for the mean after them."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.Dropout(0.5), nn.Linear(16, 2))
    model.load_state_dict(torch.load(file, weights_only=True))
    x = torch.randn(8, 4)
    with torch.no_grad():
        return model(x), model(x), model.state_dict()["1.running_mean"]


def prove(bad: ModuleType, good: ModuleType) -> None:
    trained, file = make(), io.BytesIO()
    for x in torch.randn(20, 8, 4) + 3:
        trained(x)
    torch.save(trained.state_dict(), file)
    learned = trained.state_dict()["1.running_mean"]

    first, second, mean = bad.predict(io.BytesIO(file.getvalue()))
    assert not torch.equal(first, second)
    assert not torch.equal(mean, learned)

    first, second, mean = good.predict(io.BytesIO(file.getvalue()))
    assert torch.equal(first, second)
    assert torch.equal(mean, learned)
