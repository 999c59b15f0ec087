"""TL101: without `zero_grad` every step uses the sum of all gradients so far."""

from types import ModuleType

import torch

STEPS = 6
BATCH = torch.tensor([[1.0, 2.0], [3.0, -1.0], [0.5, 0.5]])


def gradients() -> list[torch.Tensor]:
    """The gradient that each step uses. The weights stand still (lr=0): every batch has the same one."""
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    used = []
    for _ in range(STEPS):
        loss = model(BATCH).pow(2).mean()
        loss.backward()
        optimizer.step()
        used.append(gradient_of(model))
    return used


def gradient_of(model: torch.nn.Linear) -> torch.Tensor:
    assert model.weight.grad is not None
    return model.weight.grad.clone()


def accumulated() -> list[torch.Tensor]:
    """The same with two batches per step: the gradient just before each step."""
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    used = []
    for i in range(2 * STEPS):
        loss = model(BATCH).pow(2).mean() / 2
        loss.backward()
        if i % 2 == 1:
            used.append(gradient_of(model))
            optimizer.step()
    return used


def final_loss() -> float:
    """What 200 steps of plain gradient descent on a least-squares problem reach."""
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    x = torch.randn(64, 2)
    y = x @ torch.tensor([[2.0], [-3.0]]) + 1.0
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(200):
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
    return torch.nn.functional.mse_loss(model(x), y).item()


def loss_of_lbfgs() -> float:
    """What ten steps of LBFGS reach on the same problem; each step evaluates the closure several times."""
    torch.manual_seed(0)
    model = torch.nn.Linear(2, 1)
    x = torch.randn(64, 2)
    y = x @ torch.tensor([[2.0], [-3.0]]) + 1.0
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5)
    for _ in range(10):

        def closure() -> torch.Tensor:
            loss = torch.nn.functional.mse_loss(model(x), y)
            loss.backward()
            return loss

        optimizer.step(closure)
    return torch.nn.functional.mse_loss(model(x), y).item()


def prove(bad: ModuleType, good: ModuleType) -> None:
    for program in ("gradients", "accumulated"):
        wrong, right = getattr(bad, program)(), getattr(good, program)()
        assert len(wrong) == len(right) == STEPS
        for step in range(STEPS):
            torch.testing.assert_close(right[step], right[0])
            torch.testing.assert_close(wrong[step], (step + 1) * right[0])
    torch.testing.assert_close(good.accumulated()[0], good.gradients()[0])
    assert good.final_loss() < 1e-6
    assert bad.final_loss() > 0.1
    assert good.loss_of_lbfgs() < 1e-6
    assert not bad.loss_of_lbfgs() < 0.1, "nan at the worst"
