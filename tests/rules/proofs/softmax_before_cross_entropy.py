"""TL401: cross-entropy of probabilities cannot reach zero, and its gradients are small."""

import math
from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 10


def loss_of_certainty() -> float:
    """The loss of a prediction that is right and all but certain."""
    target = torch.arange(CLASSES)
    logits = 100.0 * F.one_hot(target, CLASSES).float()
    return F.cross_entropy(F.softmax(logits, dim=1), target).item()


def gradient_norm() -> float:
    """How hard a prediction that is certain and wrong is pushed."""
    target = torch.arange(CLASSES)
    logits = 8.0 * F.one_hot((target + 1) % CLASSES, CLASSES).float()
    logits.requires_grad_()
    probabilities = torch.softmax(logits, dim=1)
    loss = F.cross_entropy(probabilities, target)
    loss.backward()
    assert logits.grad is not None
    return logits.grad.norm().item()


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(2, 32)
        self.out = nn.Linear(32, CLASSES)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.softmax(self.out(torch.relu(self.hidden(x))))


def accuracy(seed: int) -> float:
    """The share of right answers after a short training on ten clusters."""
    torch.manual_seed(seed)
    angle = torch.arange(CLASSES) * (2 * math.pi / CLASSES)
    target = torch.arange(CLASSES).repeat(40)
    x = torch.stack([angle.cos(), angle.sin()], dim=1)[target] * 2 + 0.1 * torch.randn(len(target), 2)
    model = Net()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(150):
        optimizer.zero_grad()
        loss = criterion(model(x), target)
        loss.backward()
        optimizer.step()
    return (model(x).argmax(dim=1) == target).float().mean().item()


def prove(bad: ModuleType, good: ModuleType) -> None:
    # The best that is possible: probability 1 for the right class, 0 for the others, taken for logits.
    bound = math.log(math.e + CLASSES - 1) - 1
    assert math.isclose(bad.loss_of_certainty(), bound, rel_tol=1e-5)
    assert bound > 1.4
    assert good.loss_of_certainty() < 1e-6
    assert good.gradient_norm() > 100 * bad.gradient_norm()
    for seed in range(3):
        assert good.accuracy(seed) > bad.accuracy(seed) + 0.1
