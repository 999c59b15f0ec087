"""TL951: what is restored as the best weights are the last ones."""

import io
from types import ModuleType

import torch


def trained() -> tuple[float, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The lowest loss, the weight that had it, and those restored and loaded from a file at the end."""
    model = torch.nn.Linear(1, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.5)  # too high: the loss grows
    best, kept, at_best, lowest = None, None, torch.tensor(0.0), float("inf")
    with torch.no_grad():
        model.weight.fill_(1.0)
    for _ in range(5):
        optimizer.zero_grad()
        loss = model(torch.ones(1, 1)).pow(2).mean()
        if loss.item() < lowest:
            lowest, at_best = loss.item(), model.weight.detach().clone()
            best = model.state_dict()
            kept = {"state": model.state_dict()}
        loss.backward()
        optimizer.step()
    file = io.BytesIO()
    torch.save(kept, file)
    file.seek(0)
    model.load_state_dict(best)
    return lowest, at_best, model.weight.detach(), torch.load(file)["state"]["weight"]


def prove(bad: ModuleType, good: ModuleType) -> None:
    lowest, at_best, restored, loaded = bad.trained()
    assert lowest == 1.0
    assert restored.item() == loaded.item() == -32.0, "the last weight, though the first was the best"
    lowest, at_best, restored, loaded = good.trained()
    assert restored.item() == loaded.item() == at_best.item() == 1.0
