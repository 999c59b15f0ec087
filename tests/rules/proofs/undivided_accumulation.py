"""TL113: four batches of eight make a step four times as long as one batch of 32."""

from types import ModuleType

import torch
import torch.nn.functional as F

torch.manual_seed(0)
X, Y = torch.randn(32, 4), torch.randn(32, 1)


def stepped() -> torch.Tensor:
    """How far one step of SGD moves the weights, in four batches."""
    model = torch.nn.Linear(4, 1)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    n = 4
    for i, (x, y) in enumerate(zip(X.chunk(n), Y.chunk(n), strict=True)):
        loss = F.mse_loss(model(x), y)
        loss.backward()
        if (i + 1) % n == 0:
            optimizer.step()
            optimizer.zero_grad()
    return model.weight.detach().clone()


def clipped() -> torch.Tensor:
    """The same with a limit that the gradient of the whole batch does not reach."""
    model = torch.nn.Linear(4, 1)
    torch.nn.init.zeros_(model.weight)
    torch.nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    n = 4
    for i, (x, y) in enumerate(zip(X.chunk(n), Y.chunk(n), strict=True)):
        loss = F.mse_loss(model(x), y)
        loss.backward()
        if (i + 1) % n == 0:
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    return model.weight.detach().clone()


def whole() -> torch.Tensor:
    """One step with the batch as a whole."""
    return 0.1 * 2 * (Y * X).mean(0, keepdim=True)


def prove(bad: ModuleType, good: ModuleType) -> None:
    torch.testing.assert_close(good.stepped(), bad.whole())
    torch.testing.assert_close(bad.stepped(), 4 * bad.whole())
    torch.testing.assert_close(good.clipped(), bad.whole())
    assert not torch.allclose(bad.clipped(), bad.whole(), rtol=0.1)
