"""TL606: with gradients of zeros the step goes on to shrink and push parameters that got no gradient."""

from operator import attrgetter
from types import ModuleType

import torch


def unused() -> tuple[torch.Tensor, torch.Tensor]:
    """A weight before and after ten steps whose loss does not depend on it any more."""
    torch.manual_seed(0)
    model = torch.nn.ModuleDict({"used": torch.nn.Linear(4, 1), "unused": torch.nn.Linear(4, 1)})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    x = torch.randn(8, 4)
    (model["used"](x) + model["unused"](x)).mean().backward()
    optimizer.step()
    before = model["unused"].weight.detach().clone()
    for _ in range(10):
        optimizer.zero_grad(set_to_none=False)
        model["used"](x).mean().backward()
        optimizer.step()
    return before, model["unused"].weight.detach().clone()


def cleared() -> list[bool]:
    """Whether `zero_grad(set_to_none=True)` leaves gradients that are None."""
    model = torch.nn.Linear(4, 1)
    model(torch.randn(8, 4)).mean().backward()
    model.zero_grad(set_to_none=True)
    return [attrgetter("grad")(p) is None for p in model.parameters()]


def prove(bad: ModuleType, good: ModuleType) -> None:
    before, after = bad.unused()
    assert not torch.equal(before, after), "weight decay and momentum, without any gradient"
    before, after = good.unused()
    assert torch.equal(before, after)
    assert bad.cleared() == good.cleared() == [True, True], "the default does the same"
