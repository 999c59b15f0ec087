"""What is found out about a model is what torch itself says, and nothing of it is allocated for that."""

from __future__ import annotations

from pathlib import Path

import pytest
from device_support import execute
from torchlore.device import Block, Input, LayerTable, MemoryNeed, Optimizer, Question, RunResult

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


async def asked(
    code: str, kind: str, *inputs: Input, optimizer: str = "AdamW", **options: float
) -> RunResult:
    question = Question(kind, inputs or (IMAGES,), Optimizer(optimizer, tuple(options.items())))
    return await execute(f"{NET}\n{code}", question=question)


async def table_of(code: str, *inputs: Input) -> LayerTable:
    result = await asked(code, "shapes", *inputs)
    assert isinstance(result.measured, LayerTable), result.stderr
    return result.measured


async def need_of(code: str, *inputs: Input, optimizer: str = "AdamW", **options: float) -> MemoryNeed:
    result = await asked(code, "fit", *inputs, optimizer=optimizer, **options)
    assert isinstance(result.measured, MemoryNeed), result.stderr
    return result.measured


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


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        ("SGD", {}),
        ("SGD", {"momentum": 0.9}),
        ("Adam", {}),
        ("AdamW", {"amsgrad": True}),
        ("Adagrad", {}),
        ("RMSprop", {"centered": True}),
        ("Adafactor", {}),
    ],
)
async def test_what_a_step_of_training_holds(optimizer: str, options: dict[str, float]) -> None:
    if not hasattr(torch.optim, optimizer):
        pytest.skip(f"this torch has no {optimizer}")
    need = await need_of("lambda: nn.Linear(100, 50)", Input((8, 100)), optimizer=optimizer, **options)
    assert need.weights == need.gradients == 4 * 5050
    seen = await execute(KEPT.format(name=optimizer, options=options))
    assert need.optimizer == int(seen.stdout), seen.stderr
    assert need.activations == 4 * 8 * (100 + 50)
    assert need.peak >= need.weights + need.gradients + need.optimizer + need.activations - 4 * 8 * 50


# What the real optimizer keeps for the real layer after a step.
KEPT = """
import torch

model = torch.nn.Linear(100, 50)
optimizer = torch.optim.{name}(model.parameters(), lr=0.1, **{options})
model(torch.randn(8, 100)).sum().backward()
optimizer.step()
kept = [one for state in optimizer.state.values() for one in state.values() if torch.is_tensor(one)]
print(sum(one.numel() * one.element_size() for one in kept))
"""


async def test_lbfgs_is_counted_with_its_history_full() -> None:
    need = await need_of("lambda: nn.Linear(100, 50)", Input((8, 100)), optimizer="LBFGS", history_size=3)
    assert need.optimizer == 8 * need.weights


@pytest.mark.parametrize(
    ("optimizer", "said"),
    [("Adams", "torch.optim has no optimizer `Adams`"), ("SparseAdam", "SparseAdam cannot train this model")],
)
async def test_an_optimizer_that_cannot_be(optimizer: str, said: str) -> None:
    result = await asked("lambda: nn.Linear(4, 2)", "fit", Input((8, 4)), optimizer=optimizer)
    assert result.error is not None and said in result.error.message
    assert "torchlore_agent" not in result.stderr


STRANGE = {
    "asks a tensor in its constructor": (
        "class Strange(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.rates = [rate.item() for rate in torch.linspace(0, 0.1, 2)]\n"
        "        self.scale = torch.ones(4)\n"
        "        self.register_buffer('mean', torch.ones(4))\n"
        "        self.body = nn.Sequential(nn.Linear(4, 4), nn.LSTM(4, 4))\n"
        "        self.last = nn.Linear(4, 4)\n"
        "        self.last.weight = self.body[0].weight\n"
        "    def forward(self, x): return self.last(self.body(x)[0]) * self.scale + self.mean\n",
        4 * 4 + 4 + 4 + 2 * (16 * 4 + 16),
    ),
    "converts itself": (
        "class Strange(nn.Sequential):\n"
        "    def __init__(self):\n"
        "        super().__init__(nn.Linear(4, 4))\n"
        "        self.bfloat16()\n"
        "    def forward(self, x): return super().forward(x.bfloat16())\n",
        20,
    ),
    "learns its sizes from the first batch": ("def Strange(): return nn.LazyLinear(8)\n", 40),
    "makes tensors in its forward": (
        "class Strange(nn.Linear):\n"
        "    def __init__(self): super().__init__(4, 4)\n"
        "    def forward(self, x): return super().forward(x) + torch.arange(4)\n",
        20,
    ),
    "is a transformer with a mask": (
        "class Strange(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.body = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 1)\n"
        "    def forward(self, x):\n"
        "        return self.body(x[:, None], mask=torch.log(torch.tril(torch.ones(8, 8))))\n",
        4 * (4 * 4 + 4) + 2 * (4 * 8) + 8 + 4 + 2 * (2 * 4),
    ),
    "gives a dataclass of complex numbers": (
        "import dataclasses\n"
        "@dataclasses.dataclass\n"
        "class Output:\n"
        "    logits: object\n"
        "class Strange(nn.Linear):\n"
        "    def __init__(self): super().__init__(4, 4)\n"
        "    def forward(self, x): return Output(torch.fft.fft(super().forward(x)))\n",
        20,
    ),
}


@pytest.mark.parametrize("what", STRANGE)
async def test_a_model_that(what: str) -> None:
    """Each of these trains on real tensors, and so it is measured."""
    code, parameters = STRANGE[what]
    table = await table_of(f"{code}lambda: Strange()", Input((8, 4)))
    assert (table.parameters, table.output[0][0]) == (parameters, 8)
    need = await need_of(f"{code}lambda: Strange()", Input((8, 4)), optimizer="SGD", momentum=0.9)
    assert need.gradients == need.optimizer == table.bytes


async def test_a_model_that_asks_for_numbers_says_where() -> None:
    code = (
        "class Strange(nn.Linear):\n"
        "    def forward(self, x):\n"
        "        if x.sum() > 0:\n"
        "            return x\n"
        "lambda: Strange(4, 4)"
    )
    for kind in ("shapes", "fit"):
        error = (await asked(code, kind, Input((8, 4)))).error
        assert error is not None and error.line == NET.count("\n") + 4, error


async def test_sparse_gradients_are_no_obstacle() -> None:
    """A fake one does not know how many rows it has."""
    need = await need_of(
        "lambda: nn.Embedding(1000, 8, sparse=True)", Input((2, 3), "int64"), optimizer="SGD"
    )
    assert need.weights == 4 * 8000


async def test_what_is_made_of_layers_is_told_as_a_whole() -> None:
    code = (
        "class Deep(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.body = nn.Sequential(nn.Linear(4, 8), nn.ReLU())\n"
        "        self.head = nn.Linear(8, 2)\n"
        "    def forward(self, x): return self.head(self.body(x))\n"
        "lambda: Deep()"
    )
    table = await table_of(code, Input((3, 4)))
    assert [layer.name for layer in table.layers] == ["body.0", "body.1", "head"]
    assert table.blocks == (Block("body", ((3, 8),), 40),)
    assert table.held == table.bytes + 4 * 3 * (8 + 8 + 2)


async def test_the_layers_of_a_transformer_add_up() -> None:
    """Attention computes with the weights of its last projection and never calls it."""
    code = "lambda: nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)"
    table = await table_of(code, Input((2, 3, 8)), Input((2, 3, 8)))
    assert table.parameters == sum(layer.parameters for layer in table.layers)
    assert [layer.parameters for layer in table.layers if layer.type == "MultiheadAttention"] == [288, 288]


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
