"""TL102: gradients that are cleared before `step` change no weight."""

from types import ModuleType

import torch


def train() -> tuple[torch.Tensor, torch.Tensor, float, float]:
    """The weights before and after 20 steps, the first loss and the last."""
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1)
    x, y = torch.randn(32, 4), torch.randn(32, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05)
    before = model.weight.detach().clone()
    losses = []
    for _ in range(20):
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()
        losses.append(loss.item())
    return before, model.weight.detach().clone(), losses[0], losses[-1]


def decay(rate: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The weights before and after 20 steps with weight decay, the gradients set to zero instead of None."""
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 1)
    x, y = torch.randn(32, 4), torch.randn(32, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=rate)
    before = model.weight.detach().clone()
    for _ in range(20):
        loss = torch.nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.zero_grad(set_to_none=False)
        optimizer.step()
    return before, model.weight.detach().clone()


def prove(bad: ModuleType, good: ModuleType) -> None:
    before, after, first, last = bad.train()
    assert torch.equal(before, after), "not one bit changes, not even by AdamW's weight decay"
    assert first == last
    before, after, first, last = good.train()
    assert not torch.equal(before, after)
    assert last < first

    # Zeroes are not None: the step runs, but all that it does is to shrink the weights.
    before, after = bad.decay(0.5)
    torch.testing.assert_close(after, before * (1 - 0.1 * 0.5) ** 20)
    before, after = good.decay(0.5)
    assert not torch.allclose(after, before * (1 - 0.1 * 0.5) ** 20)
