"""TL321: without `batch_first` all answers come from the last sample, whatever the others are."""

from types import ModuleType

import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(4, 8)
        self.fc = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out, _ = self.lstm(x)
        return self.fc(out[:, -1])


def sources(module: ModuleType) -> set[tuple[int, int]]:
    """Which sample's answer hangs on which sample, as pairs, of a batch of three with five steps each."""
    torch.manual_seed(0)
    x = torch.randn(3, 5, 4, requires_grad=True)
    answers = module.Classifier()(x)
    assert answers.shape == (3, 2), "nothing is reported"
    found = set()
    for sample, answer in enumerate(answers):
        (gradient,) = torch.autograd.grad(answer.sum(), x, retain_graph=True)
        found |= {(sample, other) for other in range(3) if gradient[other, :-1].abs().sum() > 0}
    return found


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert sources(bad) == set(), "no answer hangs on any step but the last"
    assert sources(good) == {(0, 0), (1, 1), (2, 2)}
