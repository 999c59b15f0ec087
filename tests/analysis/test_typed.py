"""What something means that is being typed: no tree of the file has it yet."""

from __future__ import annotations

import pytest
from torchlore.analysis import analyze
from torchlore.text import Source
from torchlore.text.cursor import cursor_at

PROGRAM = """\
import torch
from torch import nn, optim
from torch.nn import functional as F


class Trainer:
    def __init__(self, net, loader):
        self.net = net
        self.model = nn.Linear(3, 4)
        self.opt = optim.SGD(self.model.parameters(), lr=0.1) if net else None
        self.criterion = nn.CrossEntropyLoss()

    def fit(self, optimizer: optim.Optimizer, x: torch.Tensor):
        loss = self.criterion(self.model(x), x)
        other = loss if x.any() else self.opt
        optimizer.zero_grad()
        @@
        return loss
"""


def asked(line: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The classes of the object before the cursor, and what the call around it calls."""
    code = PROGRAM.replace("@@", line)
    offset = code.index("|")
    source = Source(code.replace("|", ""))
    cursor = cursor_at(source, offset)
    assert cursor is not None
    analysis = analyze(source)
    calls = len(list(analysis.called("torch.nn.Linear"))), [len(root.events) for root in analysis.roots]
    classes = analysis.classes_of(cursor.receiver, offset) if cursor.receiver else ()
    names = analysis.called_by(cursor.calls[0].callee, offset) if cursor.calls else ()
    after = len(list(analysis.called("torch.nn.Linear"))), [len(root.events) for root in analysis.roots]
    assert calls == after, "who asks leaves no trace"
    return classes, names


@pytest.mark.parametrize(
    ("line", "classes"),
    [
        ("loss.|", ("torch.Tensor",)),
        ("x.|", ("torch.Tensor",)),
        ("loss.T.|", ("torch.Tensor",)),
        ("loss.detach().|", ("torch.Tensor",)),
        ("loss[0].|", ("torch.Tensor",)),
        ("self.criterion(x, x).|", ("torch.Tensor",)),
        ("F.relu(x).|", ("torch.Tensor",)),
        ("torch.stack([x]).mean().|", ("torch.Tensor",)),
        ("self.opt.|", ("torch.optim.SGD",)),
        ("optimizer.|", ("torch.optim.Optimizer",)),
        ("other.|", ("torch.optim.SGD", "torch.Tensor")),
        ("loss.item().|", ()),
        ("loss.max(0).|", ()),
        ("self.net.|", ()),
        ("self.model.|", ()),
        ("self.|", ()),
        ("torch.|", ()),
        ("optim.SGD.|", ()),
        ("nowhere.|", ()),
        ("self.nothing.|", ()),
    ],
)
def test_classes(line: str, classes: tuple[str, ...]) -> None:
    assert asked(line)[0] == classes


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("optim.SGD(|", ("torch.optim.SGD",)),
        ("F.relu(|", ("torch.nn.functional.relu",)),
        ("self.opt.step(|", ("torch.optim.SGD.step",)),
        ("loss.backward(|", ("torch.Tensor.backward",)),
        ("self.criterion(|", ("torch.nn.CrossEntropyLoss.forward",)),
        ("nn.Linear(3, 4).to(|", ("torch.nn.Linear.to",)),
        ("print(|", ()),
        ("self.fit(|", ()),
        ("Trainer(|", ()),
        ("nowhere(|", ()),
    ],
)
def test_callees(line: str, names: tuple[str, ...]) -> None:
    assert asked(line)[1] == names
