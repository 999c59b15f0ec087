"""What stands beside the code: true where it is said, and not said where it may be otherwise."""

from __future__ import annotations

import re

import pytest
import torch
from torchlore.analysis import analyze
from torchlore.text import Source, Span

HEAD = """\
import torch
from torch import nn, optim
from torch.optim.lr_scheduler import *
from torch.utils.data import DataLoader

model = nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10))
"""


def said(code: str) -> list[tuple[str, str]]:
    """The remarks on some lines, each with the line that it stands on."""
    source = Source(HEAD + code)
    found = analyze(source).remarks_in(Span(len(HEAD), len(source.text)))
    return [(source.lines.text(source.lines.line_of(one.offset)).strip(), one.text) for one in found]


SCHEDULES = [
    ("StepLR(opt, 3)", 7),
    ("StepLR(opt, step_size=2, gamma=0.5)", 5),
    ("MultiStepLR(opt, [2, 4], gamma=0.5)", 6),
    ("ConstantLR(opt)", 6),
    ("ConstantLR(opt, factor=0.5, total_iters=3)", 4),
    ("LinearLR(opt)", 6),
    ("LinearLR(opt, 0.1, total_iters=4)", 5),
    ("ExponentialLR(opt, 0.9)", 3),
    ("CosineAnnealingLR(opt, 10)", 11),
    ("CosineAnnealingLR(opt, T_max=10, eta_min=1e-3)", 11),
    ("PolynomialLR(opt, 4)", 5),
    ("OneCycleLR(opt, 0.5, total_steps=20)", 20),
    ("OneCycleLR(opt, max_lr=0.5, epochs=2, steps_per_epoch=10, div_factor=10, final_div_factor=100)", 20),
]


@pytest.mark.parametrize(("written", "steps"), SCHEDULES, ids=[written for written, _ in SCHEDULES])
def test_schedules_go_where_they_are_said_to_go(written: str, steps: int) -> None:
    ((_, told),) = said(f"opt = optim.SGD(list(model.parameters()), lr=0.1)\nschedule = {written}\n")
    opt = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    schedule = eval(written, {**vars(torch.optim.lr_scheduler), "opt": opt})  # noqa: S307  # It is written above.
    rates = [schedule.get_last_lr()[0]]
    for _ in range(steps - 1):
        opt.step()
        schedule.step()
        rates.append(schedule.get_last_lr()[0])
    numbers = [float(number) for number in re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?", told.removeprefix("lr "))]
    match told:
        case _ if " × " in told:
            every = int(numbers[2]) if "every step" not in told else 1
            assert rates[0] == numbers[0]
            assert rates[every] == pytest.approx(numbers[0] * numbers[1])
            assert every == 1 or rates[every - 1] == rates[0]
        case _ if told.count("→") == 2:
            assert [rates[0], max(rates), rates[-1]] == pytest.approx(numbers, rel=5e-3)
        case _:
            count = int(numbers[2])
            assert [rates[0], rates[count]] == pytest.approx(numbers[:2], rel=5e-3, abs=1e-9)
            assert rates[count - 1] != rates[count], "there it arrives, and not before"


@pytest.mark.parametrize(
    "code",
    [
        "def make(rate):\n    opt = optim.SGD(list(model.parameters()), lr=rate)\n    schedule = StepLR(opt, 3)\n",
        "opt = optim.SGD(list(model.parameters()), lr=0.1)\nschedule = StepLR(opt, steps)\n",
        "opt = optim.SGD(list(model.parameters()), lr=0.1)\nschedule = StepLR(opt, 3, 0.1, 5)\n",
        "opt = optim.SGD(list(model.parameters()), lr=0.1)\nschedule = StepLR(opt, 3, last_epoch=5)\n",
        "opt = optim.SGD(list(model.parameters()), lr=0.1)\nschedule = StepLR(opt, *rest)\n",
        "opt = optim.SGD(list(model.parameters()), lr=0.1)\nopt.param_groups[0]['lr'] = 1\ns = StepLR(opt, 3)\n",
        "opt = optim.SGD([{'params': model.parameters(), 'lr': 1.0}], lr=0.1)\nschedule = StepLR(opt, 3)\n",
        "opt = optim.SGD(list(model.parameters()))\nschedule = StepLR(opt, 3)\n",
        "for lr in (0.1, 1.0):\n    opt = optim.SGD(list(model.parameters()), lr=lr)\n    s = StepLR(opt, 3)\n",
        "def f(lr=0.1):\n    opt = optim.SGD(list(model.parameters()), lr=lr)\n    s = StepLR(opt, 3)\n",
        "opt = optim.SGD(list(model.parameters()), lr=0.1)\ns = LambdaLR(opt, lambda epoch: 1)\n",
        "opt = optim.SGD(list(model.parameters()), lr=0.1)\ns = SequentialLR(opt, [LinearLR(opt), StepLR(opt, 3)], [4])\n",
        "opt = optim.SGD(list(model.parameters()), lr=0.1)\nfirst = LinearLR(opt)\nsecond = StepLR(opt, 3)\n",
    ],
)
def test_what_may_go_elsewhere_is_not_said(code: str) -> None:
    assert [text for _, text in said(code) if text.startswith("lr ")] == []


def test_parameters_of_an_optimizer() -> None:
    ((_, told),) = said("opt = optim.AdamW(model.parameters())\n")
    layers = torch.nn.Sequential(torch.nn.Linear(784, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
    assert told == f"{sum(p.numel() for p in layers.parameters()):,} parameters"
    assert said("def make(net):\n    return optim.AdamW(net.parameters())\n") == []


LOOP = """\
loader = DataLoader(data, batch_size=32, shuffle=True)
opt = optim.SGD(list(model.parameters()))
for i, batch in {loop}:
    loss = model(batch).sum() / 4
    loss.backward()
    if {test}:
        opt.step()
        opt.zero_grad()
"""


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("(i + 1) % 4 == 0", ["4 × 32 = 128 items a step"]),
        ("not (i + 1) % 4", ["4 × 32 = 128 items a step"]),
        ("(i + 1) % 4 == 0 or i == len(loader) - 1", ["4 × 32 = 128 items a step"]),
        ("(i + 1) % 4 == 0 and enough", []),
        ("(i + 1) % n == 0", []),
        ("i > 4", []),
        ("i % 1 == 0", []),
    ],
)
def test_effective_batches(test: str, told: list[str]) -> None:
    assert [text for _, text in said(LOOP.format(loop="enumerate(loader)", test=test))] == told


def test_gradients_that_are_cleared_meanwhile_add_up_to_nothing() -> None:
    code = LOOP.format(loop="enumerate(loader)", test="(i + 1) % 4 == 0")
    assert said(code.replace("    loss =", "    opt.zero_grad()\n    loss =")) == []
    assert said(code.replace("    loss.backward()", "    if enough:\n        loss.backward()")) == []
    assert len(said(code.replace("opt.zero_grad()", "pass"))) == 1, "a mistake, and yet they add up"


def test_the_size_of_batches_must_be_known() -> None:
    assert said(LOOP.format(loop="enumerate(others)", test="(i + 1) % 4 == 0")) == []
    code = LOOP.format(loop="enumerate(loader)", test="(i + 1) % 4 == 0")
    assert said(code.replace("batch_size=32", "batch_size=size")) == []
    assert said(code.replace("batch_size=32", "batch_sampler=sampler")) == []


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("x = model(torch.randn(4, 784))", [": tensor[4, 10]"]),
        ("x = torch.randn(4, 784)\ny = x.flatten()", [": float32[3136]"]),
        ("x = torch.ones(2, 3, dtype=torch.float16)\ny = x.t()", [": float16[3, 2]"]),
        ("x = torch.randn(4, 784)", []),
        ("x = model(unknown)", []),
        ("x = model(torch.randn(n, 784))", []),
        ("x = model(torch.randn(4, 784)).sum()", []),
        ("def f(x):\n    y = model(x)\n    return y", []),
        ("def f(x):\n    y = model(x)\n\n\nf(torch.ones(4, 784))", [": tensor[4, 10]"]),
        ("def f(x):\n    y = model(x)\n\n\nf(torch.ones(4, 784))\nf(torch.ones(5, 784))", []),
        ("x = torch.ones(4, 784)\nfor i in range(3):\n    x = torch.cat([x, x])\n    y = model(x)", []),
        ("x = torch.ones(4, 784)\nif big:\n    x = torch.ones(5, 784)\ny = model(x)", []),
    ],
)
def test_shapes_of_tensors(code: str, told: list[str]) -> None:
    assert [text for _, text in said(code + "\n") if text.startswith(":")] == told


def test_shapes_are_those_of_torch() -> None:
    net = torch.nn.Conv2d(3, 8, 3, stride=2)
    code = "net = nn.Conv2d(3, 8, 3, stride=2)\nimages = torch.randn(4, 3, 32, 32)\nfound = net(images)\n"
    assert [text for _, text in said(code)] == [f": tensor{list(net(torch.randn(4, 3, 32, 32)).shape)}"]


def test_only_the_lines_that_are_shown_are_looked_at() -> None:
    source = Source(HEAD + "x = model(torch.randn(4, 784))\ny = model(torch.randn(5, 784))\n")
    second = source.text.index("y =")
    found = analyze(source).remarks_in(Span(second, second + 5))
    assert [one.text for one in found] == [": tensor[5, 10]"]


def test_broken_code_is_no_reason_to_fail() -> None:
    assert said("opt = optim.SGD(model.parameters(\nx = model(") == []
