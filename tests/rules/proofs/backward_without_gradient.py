"""TL207: `backward` has nothing to go back through, or nothing but zeros."""

from types import ModuleType

import pytest
import torch
import torch.nn.functional as F

X = torch.linspace(-1, 1, 32).reshape(8, 4)
Y = torch.arange(8) % 3


def make() -> torch.nn.Linear:
    torch.manual_seed(0)
    return torch.nn.Linear(4, 3)


def detached() -> torch.Tensor | None:
    model = make()
    out = model(X).detach()
    loss = F.cross_entropy(out, Y)
    loss.backward()
    return model.weight.grad


def by_data() -> torch.Tensor | None:
    model = make()
    out = model(X)
    loss = F.cross_entropy(out.data, Y)
    loss.backward()
    return model.weight.grad


def losses_without_graph(model: torch.nn.Module) -> list[torch.Tensor]:
    """Losses of what has no derivative: the rule tells of them where `backward` is called on them."""
    out = model(X)
    _, predicted = torch.max(out, 1)
    with torch.no_grad():
        unrecorded = model(X)
    return [
        F.mse_loss(out.argmax(dim=1).float(), Y.float()),
        F.mse_loss(predicted.float(), Y.float()),
        F.mse_loss(out.topk(2).indices.float().sum(dim=1), Y.float()),
        (out.argmax(dim=1) != Y).float().mean(),
        (out > 0.5).float().mean(),
        out.long().float().mean(),
        F.cross_entropy(unrecorded, Y),
    ]


def flat_losses(model: torch.nn.Module) -> list[torch.Tensor]:
    target = F.one_hot(Y, 3).float()
    out = model(X)
    flat = [out.round(), torch.floor(out), out.ceil(), out.trunc(), out.sign(), torch.sgn(out), out.fix()]
    return [F.mse_loss(one, target) for one in [*flat, torch.bernoulli(out.sigmoid())]]


def prove(bad: ModuleType, good: ModuleType) -> None:
    for program in ("detached", "by_data"):
        with pytest.raises(RuntimeError, match="does not require grad"):
            getattr(bad, program)()
        assert getattr(good, program)().abs().sum() > 0
    model = make()
    for loss in losses_without_graph(model):
        with pytest.raises(RuntimeError, match="does not require grad"):
            torch.autograd.backward(loss)
    for loss in flat_losses(model):
        model.zero_grad()
        torch.autograd.backward(loss, retain_graph=True)
        assert model.weight.grad is not None
        assert not model.weight.grad.any(), "no error, and nothing is trained"
