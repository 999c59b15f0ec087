"""What is found out about a model is what torch itself says, and nothing of it is allocated for that."""

from __future__ import annotations

from pathlib import Path

import pytest
from device_support import execute
from torchlore.device import Input, LayerTable, MemoryNeed, Question, RunResult

torch = pytest.importorskip("torch", reason="models are measured with torch")

NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
        self.norm = nn.BatchNorm2d(width)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(width, 10)
        self.fc2 = nn.Linear(10, 10)
        self.tied = nn.Linear(10, 10)
        self.tied.weight = self.fc2.weight

    def forward(self, x):
        x = self.pool(self.norm(self.conv(x)).relu()).flatten(1)
        return self.tied(self.fc2(self.fc2(self.fc(x))))
"""
IMAGES = Input((8, 3, 32, 32))


async def asked(code: str, kind: str, *inputs: Input, optimizer: str = "AdamW") -> RunResult:
    question = Question(kind, inputs or (IMAGES,), optimizer)
    return await execute(f"{NET}\n{code}", question=question)


async def test_the_layers() -> None:
    result = await asked("lambda: Net()", "shapes")
    table = result.measured
    assert isinstance(table, LayerTable), result.stderr
    rows = {layer.name: layer for layer in table.layers}
    assert list(rows) == ["conv", "norm", "pool", "fc", "fc2", "tied"]
    assert rows["conv"].output == ((8, 16, 30, 30),)
    assert rows["conv"].output_bytes == 8 * 16 * 30 * 30 * 4
    assert rows["conv"].flops == 2 * 8 * 16 * 30 * 30 * 3 * 9
    assert (rows["fc2"].calls, rows["fc2"].flops) == (2, 2 * 2 * 8 * 10 * 10)
    shared = 100
    assert table.parameters == sum(layer.parameters for layer in table.layers) - shared
    assert table.bytes == 4 * table.parameters
    assert table.output == ((8, 10),)


async def test_nothing_of_a_huge_model_is_allocated() -> None:
    """Its weights alone take 400 GB."""
    code = "lambda: nn.Linear(10**6, 10**5)"
    table = (await asked(code, "shapes", Input((2, 10**6)))).measured
    assert isinstance(table, LayerTable) and table.parameters == 10**11 + 10**5
    need = (await asked(code, "fit", Input((2, 10**6)), optimizer="SGD")).measured
    assert isinstance(need, MemoryNeed)
    assert (need.weights, need.gradients, need.optimizer) == (4 * table.parameters, 4 * table.parameters, 0)


@pytest.mark.parametrize(("optimizer", "copies"), [("SGD", 0), ("Adam", 2), ("Adagrad", 1)])
async def test_what_a_step_of_training_holds(optimizer: str, copies: int) -> None:
    need = (await asked("lambda: nn.Linear(100, 50)", "fit", Input((8, 100)), optimizer=optimizer)).measured
    assert isinstance(need, MemoryNeed)
    assert need.weights == need.gradients == 4 * 5050
    assert need.optimizer == copies * need.weights
    assert need.activations == 4 * 8 * (100 + 50)
    assert need.peak >= need.weights + need.gradients + need.optimizer + need.activations - 4 * 8 * 50


async def test_what_is_kept_for_backward_agrees_with_what_torch_saves() -> None:
    saved: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    names: dict[str, type[torch.nn.Module]] = {}
    exec(NET, names)  # noqa: S102
    net, images = names["Net"](), torch.zeros(8, 3, 32, 32)
    own = {parameter.untyped_storage().data_ptr() for parameter in [*net.parameters(), *net.buffers()]}
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        net(images)
    expected = sum(size for place, size in saved.items() if place not in own)
    need = (await asked("lambda: Net()", "fit")).measured
    assert isinstance(need, MemoryNeed)
    assert abs(need.activations - expected) < 0.01 * expected


async def test_other_types_of_inputs() -> None:
    code = "lambda: nn.Sequential(nn.Embedding(100, 8), nn.Linear(8, 2))"
    table = (await asked(code, "shapes", Input((4, 7), "int64"))).measured
    assert isinstance(table, LayerTable) and table.output == ((4, 7, 2),)


async def test_a_model_that_does_not_take_them_says_where() -> None:
    result = await asked("lambda: Net()", "shapes", Input((8, 4, 32, 32)))
    assert result.measured is None and result.error is not None
    line = NET.split("\n").index("        x = self.pool(self.norm(self.conv(x)).relu()).flatten(1)") + 1
    assert result.error.line == line


async def test_what_lines_give() -> None:
    body = "    b, c = torch.ones(2), [1]\n    b.sum()\n    for i in range(3):\n        d = i\n    print(d)\n"
    code = f"import torch\na = 1\nif True:\n{body}"
    result = await execute(code, lines=(4, 8))
    assert result.ok, result.stderr
    told = [(one.line, one.name, one.value.type) for one in result.lines]
    assert told == [(4, "b", "Tensor"), (4, "c", "list"), (5, "", "Tensor"), (7, "i", "int"), (7, "d", "int")]
    assert result.lines[2].value.mean == 2


async def test_own_code_finds_its_neighbours_and_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("VALUE = 42\n")
    (tmp_path / "torch.py").write_text("raise SystemExit('the wrong torch')\n")
    (tmp_path / "data.txt").write_text("data")
    code = "import torch, neighbour\nprint(neighbour.VALUE, torch.ones(1).item(), open('data.txt').read())"
    result = await execute(code, home=tmp_path)
    assert result.stdout == "42 1.0 data\n", result.stderr
