"""What the tests of insertable snippets share: toy data, a model, and how a snippet is executed."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchlore.knowledge import Insert, insert

CLASSES, FEATURES = 3, 4

# The matrices are tiny: beside other tests, threads would mostly wait for one another.
torch.set_num_threads(1)


def toy_dataset(size: int, seed: int = 0) -> TensorDataset:
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.randn(size, FEATURES, generator=generator)
    return TensorDataset(inputs, inputs[:, :CLASSES].argmax(dim=1))


def toy_model(*, with_modes: bool = False) -> nn.Module:
    torch.manual_seed(0)
    middle = [nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2)] if with_modes else [nn.ReLU()]
    return nn.Sequential(nn.Linear(FEATURES, 32), *middle, nn.Linear(32, CLASSES))


def objects(found: Insert, model: nn.Module, loader: DataLoader[Any]) -> dict[str, Any]:
    """A real object for each hole, by the hole's kind."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    of_kind = {
        "Module": model,
        "DataLoader": loader,
        "Dataset": loader.dataset,
        "Optimizer": optimizer,
        "Scheduler": torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5),
        "Loss": nn.CrossEntropyLoss(),
        "Device": torch.device("cpu"),
    }
    return {hole.name: of_kind[hole.kind] for hole in found.holes}


def run(slug: str, names: dict[str, Any]) -> dict[str, Any]:
    """Execute the snippet with its imports; returns the names that it leaves behind."""
    found = insert(slug)
    assert found is not None
    exec(compile("\n".join([*found.imports, found.body]), f"{slug}.py", "exec"), names)  # noqa: S102
    return names


def prepared(slug: str, *, size: int = 90, batch: int = 16, **model_options: bool) -> dict[str, Any]:
    found = insert(slug)
    assert found is not None
    torch.manual_seed(0)
    return objects(found, toy_model(**model_options), DataLoader(toy_dataset(size), batch_size=batch))


def loss_of(model: nn.Module, loader: DataLoader[Any]) -> float:
    inputs, targets = loader.dataset.tensors
    with torch.no_grad():
        return float(nn.functional.cross_entropy(model.eval()(inputs), targets))


def parameters_of(model: nn.Module) -> list[torch.Tensor]:
    return [value.clone() for value in model.state_dict().values()]


def same(left: list[torch.Tensor], right: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


def recorded_gradients(optimizer: torch.optim.Optimizer) -> list[list[torch.Tensor]]:
    """A list that grows by the gradients that each step is about to apply."""
    record: list[list[torch.Tensor]] = []

    def note(stepped: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        record.append([p.grad.clone() for group in stepped.param_groups for p in group["params"]])

    optimizer.register_step_pre_hook(note)
    return record
