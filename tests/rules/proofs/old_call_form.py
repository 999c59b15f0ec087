"""TL904: old forms of calls warn, raise or do nothing; the new ones give what the old ones gave."""

import warnings
from types import ModuleType

import pytest
import torch
from torch import nn


def grid() -> tuple[torch.Tensor, ...]:
    return torch.meshgrid(torch.arange(2), torch.arange(3))


def sums() -> list[torch.Tensor]:
    x, y = torch.ones(3), torch.arange(3.0)
    return [
        torch.add(x, 0.5, y),
        torch.sub(x, 2, y),
        x.add(2, y),
        torch.zeros(3).add_(2, y),
        torch.zeros(3).sub_(2, y),
        torch.zeros(3).addcmul_(2, y, y),
        torch.addcdiv(x, 2, y, y + 1),
    ]


def state() -> list[str]:
    return list(nn.Linear(1, 1).state_dict(None, "layer."))


def spectrum() -> torch.Tensor:
    return torch.stft(torch.arange(16.0), n_fft=4, window=torch.ones(4))


def spectrum_of_pairs() -> torch.Tensor:
    return torch.arange(16.0).stft(4, window=torch.ones(4), return_complex=False)


def volume() -> torch.Tensor:
    return torch.cross(torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0]]))


def rates() -> list[float]:
    optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, gamma=0.5)
    seen = []
    for epoch in range(1, 5):
        optimizer.step()
        scheduler.step(epoch)
        seen.append(scheduler.get_last_lr()[0])
    return seen


def prove(bad: ModuleType, good: ModuleType) -> None:
    torch.set_warn_always(True)
    try:
        for name in ("grid", "sums", "state", "spectrum_of_pairs", "volume", "rates"):
            old, said = run(getattr(bad, name))
            new, unsaid = run(getattr(good, name))
            assert said, name
            assert not unsaid, (name, unsaid)
            assert same(old, new), name
        assert len(run(bad.sums)[1]) == 7
        with pytest.warns(UserWarning, match="volatile was removed and now has no effect"):
            x = getattr(torch.autograd, "Variable")(torch.ones(1), volatile=True)  # noqa: B009 - proven here only
        assert (x * torch.ones(1, requires_grad=True)).requires_grad
    finally:
        torch.set_warn_always(False)
    with pytest.raises(RuntimeError, match="requires the return_complex parameter"):
        bad.spectrum()
    assert torch.equal(good.spectrum(), run(bad.spectrum_of_pairs)[0])


def run(function):
    """What a function gives, and what torch says of its form."""
    words = ("deprecat", "indexing", "volatile", "Positional")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        result = function()
    return result, [str(each.message) for each in said if any(word in str(each.message) for word in words)]


def same(old, new) -> bool:
    if isinstance(old, torch.Tensor):
        return torch.equal(old, new)
    if isinstance(old, list | tuple):
        return len(old) == len(new) and all(map(same, old, new))
    return old == new
