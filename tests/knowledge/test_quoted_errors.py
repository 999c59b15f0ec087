"""The error messages that cards quote are the ones that torch 2.13 really gives."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from torchlore.knowledge import card

torch = pytest.importorskip("torch", reason="the messages come from torch")

from torch import nn, optim  # noqa: E402
from torch.nn import functional as F  # noqa: E402
from torch.optim import lr_scheduler as schedules  # noqa: E402

pytestmark = pytest.mark.skipif(
    not torch.__version__.startswith("2.13."), reason="the cards quote the messages of torch 2.13"
)
QUOTED = re.compile(r"`([A-Z][A-Za-z]*(?:Error|Warning): [^`]+)`")
SCORES, LABELS = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 2, 1, 0])


def weight() -> nn.Parameter:
    return nn.Parameter(torch.ones(1))


def sgd() -> optim.SGD:
    p = weight()
    p.grad = torch.ones(1)
    return optim.SGD([p], lr=0.1)


class Scale(nn.Module):
    def __init__(self) -> None:
        self.factor = 2.0

    def forward(self, x: Any) -> Any:
        return x * self.factor


class LateInit(nn.Module):
    def __init__(self) -> None:
        self.layer = nn.Linear(1, 1)


class Net(nn.Module):
    def foward(self, x: Any) -> Any:
        return x


class Silent(nn.Module):
    def forward(self, x: Any) -> None:
        x + 1


class Endless(nn.Linear):
    def forward(self, x: Any) -> Any:
        return self(x)


def assign_tensor_over_parameter() -> None:
    nn.Linear(3, 2).weight = torch.ones(2, 3)


def adam_on_sparse_gradient() -> None:
    table = nn.Embedding(4, 2, sparse=True)
    table(torch.tensor([1])).sum().backward()
    optim.Adam(table.parameters()).step()


def load_two_groups_into_one() -> None:
    a, b = weight(), weight()
    optim.SGD([a, b]).load_state_dict(optim.SGD([{"params": [a]}, {"params": [b]}]).state_dict())


def one_cycle_beyond_its_end() -> None:
    optimizer = sgd()
    scheduler = schedules.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    for _ in range(11):
        optimizer.step()
        scheduler.step()


def backward_twice() -> None:
    loss = (weight() ** 2).sum()
    loss.backward()
    loss.backward()


def change_a_saved_tensor() -> None:
    y = torch.ones(3, requires_grad=True).exp()
    y += 1
    y.sum().backward()


def inference_tensor() -> torch.Tensor:
    with torch.inference_mode():
        return torch.ones(1)


def step_a_model_built_in_inference_mode() -> None:
    with torch.inference_mode():
        model = nn.Linear(1, 1)
    model(torch.ones(1, 1)).sum().backward()
    optim.SGD(model.parameters(), lr=0.1).step()


def backward_inside_no_grad() -> None:
    with torch.no_grad():
        (weight() * 2).sum().backward()


def change_a_view_taken_under_no_grad() -> None:
    base = torch.ones(2, requires_grad=True) * 1
    with torch.no_grad():
        view = base[:1]
    view.add_(1)


def evaluate_an_exported_program() -> None:
    torch.export.export(nn.Linear(1, 1), (torch.ones(1, 1),)).module().eval()


CHAIN = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 1))
RAISING: dict[str, list[Callable[[], Any]]] = {
    "sequential-vs-module": [
        lambda: nn.Sequential([nn.Linear(4, 3)]),
        lambda: nn.Sequential(nn.Linear(4, 3), F.relu),
        lambda: CHAIN(torch.ones(1, 4), torch.ones(1, 4)),
        lambda: nn.Sequential(nn.LSTM(4, 3), nn.Linear(3, 1))(torch.ones(2, 5, 4)),
    ],
    "custom-layers": [
        LateInit,
        lambda: Scale()(torch.ones(1)),
        lambda: optim.SGD(nn.Module().parameters()),
        lambda: nn.Parameter(torch.arange(3)),
        assign_tensor_over_parameter,
        lambda: F.linear(torch.ones(2, 4), torch.ones(2, 3)),
        lambda: eval("math.sqrt(5)", {}),  # noqa: S307
    ],
    "forward-method": [
        lambda: Endless(1, 1)(torch.ones(1)),
        lambda: nn.ModuleList()(torch.ones(1)),
        lambda: Net()(torch.ones(1)),
        lambda: F.mse_loss(Silent()(torch.ones(1)), torch.ones(1)),
        lambda: nn.Linear(2, 2)(torch.ones(1, 2), 3),
    ],
    "optimizers": [
        lambda: optim.SGD(iter(())),
        lambda: optim.SGD(torch.ones(1)),
        lambda: optim.SGD([weight() * 2]),
        lambda: optim.LBFGS([weight()]).step(),
        adam_on_sparse_gradient,
        lambda: optim.Muon([weight()]),
        load_two_groups_into_one,
    ],
    "zero-grad": [lambda: weight().grad.norm()],
    "lr-scheduling": [
        one_cycle_beyond_its_end,
        lambda: schedules.ReduceLROnPlateau(sgd()).step(),
        lambda: schedules.StepLR(sgd(), 5, last_epoch=3),
        lambda: schedules.StepLR(sgd(), 5, verbose=True),
    ],
    "backpropagation": [
        lambda: torch.ones(3, requires_grad=True).mul(2).backward(),
        backward_twice,
        lambda: torch.ones(1).backward(),
        lambda: weight().sum().item().backward(),
        change_a_saved_tensor,
        lambda: (weight() ** 3).sum().backward(create_graph=True),
    ],
    "cross-entropy-logits": [
        lambda: F.cross_entropy(SCORES, LABELS.float()),
        lambda: F.cross_entropy(SCORES, F.one_hot(LABELS, 3)),
        lambda: F.cross_entropy(SCORES, LABELS[:, None]),
        lambda: F.cross_entropy(SCORES, LABELS + 1),
        lambda: F.cross_entropy(torch.randn(2, 5, 3), torch.zeros(2, 5, dtype=torch.int64)),
        lambda: nn.CrossEntropyLoss(SCORES, LABELS),
    ],
    "no-grad-vs-inference-mode": [
        lambda: inference_tensor() * weight(),
        step_a_model_built_in_inference_mode,
        backward_inside_no_grad,
        change_a_view_taken_under_no_grad,
    ],
    "train-vs-eval": [
        lambda: nn.BatchNorm1d(3)(torch.ones(1, 3)),
        evaluate_an_exported_program,
        lambda: nn.Linear(1, 1).train(1),
    ],
}


def outcome(call: Callable[[], Any]) -> str:
    """What a user sees of the call: its warnings, then its error."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            call()
            raised = []
        except Exception as error:
            raised = [f"{type(error).__name__}: {error}"]
    return "\n".join([*(f"{w.category.__name__}: {w.message}" for w in seen), *raised])


@pytest.mark.parametrize("slug", RAISING)
def test_each_quoted_message_is_given(slug: str) -> None:
    found = card(slug)
    assert found is not None
    text = " ".join(" ".join([found.answer, found.details, found.pitfalls, found.corrections]).split())
    quotes = QUOTED.findall(text)
    given = [outcome(call) for call in RAISING[slug]]
    assert [quote for quote in quotes if not any(quote in said for said in given)] == []
    assert [said for said in given if not any(quote in said for quote in quotes)] == []
