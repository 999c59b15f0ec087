"""How many parameters modules have: the sums of the analysis against the modules that torch makes."""

from __future__ import annotations

import ast

import pytest
from torchlore.analysis import layer_sizes
from torchlore.analysis.interpret import interpret
from torchlore.analysis.notes.sizes import Size, size, told
from torchlore.text import Source

torch = pytest.importorskip("torch", reason="torch's own layers are compared with")

LAYERS = """
Linear(3, 5)
Linear(3, 5, False)
Linear(in_features=3, out_features=5, bias=False, dtype=torch.float64)
Bilinear(2, 3, 4)
Bilinear(2, 3, 4, bias=False)
Conv1d(4, 6, 3)
Conv2d(4, 6, 3, padding=1)
Conv2d(4, 6, (3, 5), groups=2)
Conv2d(4, 8, 3, 1, 1, 1, 4, False)
Conv3d(1, 2, 3)
ConvTranspose1d(4, 6, 3)
ConvTranspose2d(4, 6, (2, 3), 2, 0, 0, 2, False)
ConvTranspose3d(1, 2, 3)
BatchNorm1d(7)
BatchNorm2d(7, affine=False)
BatchNorm2d(7, bias=False)
BatchNorm3d(7, 1e-5, 0.1, True)
InstanceNorm1d(7)
InstanceNorm2d(7, affine=True)
InstanceNorm3d(7, 1e-5, 0.1, True)
LayerNorm(7)
LayerNorm((3, 7))
LayerNorm([3, 7], bias=False)
LayerNorm(7, 1e-5, False)
GroupNorm(2, 8)
GroupNorm(2, 8, affine=False)
GroupNorm(2, 8, bias=False)
RMSNorm(7)
RMSNorm((2, 7), elementwise_affine=False)
Embedding(10, 4)
Embedding(10, 4, padding_idx=0)
EmbeddingBag(10, 4, mode="sum")
RNN(3, 5)
RNN(3, 5, 2, "relu", False)
LSTM(3, 5)
LSTM(3, 5, 2, bidirectional=True)
LSTM(3, 5, 2, proj_size=2, bidirectional=True)
LSTM(3, 5, bias=False)
GRU(3, 5, 3, True, True, 0.0, True)
RNNCell(3, 5)
LSTMCell(3, 5, False)
GRUCell(3, 5)
MultiheadAttention(8, 2)
MultiheadAttention(8, 2, bias=False)
MultiheadAttention(8, 2, add_bias_kv=True)
MultiheadAttention(8, 2, kdim=3, vdim=5)
TransformerEncoderLayer(8, 2)
TransformerEncoderLayer(8, 2, 16, bias=False)
TransformerDecoderLayer(8, 2, dim_feedforward=16)
TransformerDecoderLayer(8, 2, 16, bias=False)
Transformer(8, 2, 1, 2, 16)
Transformer(8, 2, 2, 1, 16, bias=False)
TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 3)
TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), num_layers=2, norm=nn.LayerNorm(8))
TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16), 2, nn.LayerNorm(8))
PReLU()
PReLU(4)
Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2))
ModuleList([nn.Linear(3, 5), nn.Linear(3, 5)])
ModuleDict({"a": nn.Linear(3, 5), "b": nn.Sequential(nn.Linear(2, 2))})
""".strip().splitlines()


def counted(code: str, name: str = "model") -> Size | None:
    """What the analysis says of the variable `name` of a program."""
    run = interpret(Source(code))
    return size(run, run.home.names[name])


def made(code: str, name: str = "model") -> int:
    """What torch says of it."""
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102  # programs of this file
    model = names[name]
    assert isinstance(model, torch.nn.Module)
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.filterwarnings("ignore")
def test_layer(layer: str) -> None:
    code = f"import torch\nfrom torch import nn\nmodel = nn.{layer}\n"
    found = counted(code)
    assert found is not None and found.parameters == made(code)


@pytest.mark.filterwarnings("ignore")
def test_layers_without_parameters() -> None:
    for name in sorted(layer_sizes.WITHOUT_PARAMETERS):
        cls = getattr(torch.nn, name)
        assert issubclass(cls, torch.nn.Module)
        for arguments in ((), (2,), (2, 2), (2, 2, 2), (2, (1, 1)), (8, 2.0)):
            try:
                module = cls(*arguments)
            except Exception:
                continue
            assert not list(module.parameters()), name
            break
        else:
            pytest.fail(f"nobody knows how to make {name}")


def test_every_layer_of_torch_is_known() -> None:
    containers = {
        "Module",
        "Sequential",
        "ModuleList",
        "ModuleDict",
        "ParameterList",
        "ParameterDict",
        "Container",
    }
    stacks = {"TransformerEncoder", "TransformerDecoder"}
    left_out = {
        *("AdaptiveLogSoftmaxWithLoss", "LinearCrossEntropyLoss", "SyncBatchNorm", "DataParallel"),
        *("CrossMapLRN2d", "RNNBase", "RNNCellBase"),
    }
    names = {
        name
        for name in dir(torch.nn)
        if isinstance(getattr(torch.nn, name), type) and issubclass(getattr(torch.nn, name), torch.nn.Module)
    }
    known = layer_sizes.LAYERS.keys() | layer_sizes.WITHOUT_PARAMETERS | containers | stacks | left_out
    assert {name for name in names - known if not name.startswith("Lazy")} == set()


NET = """
import torch
from torch import nn
class Block(nn.Module):
    def __init__(self, width, act=nn.ReLU()):
        super().__init__()
        self.width = width
        self.conv = nn.Conv2d(width, width, 3)
        self.act = act
class Net(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.first, self.second = Block(8), Block(8)
        self.register_buffer("table", torch.zeros(3))
        self.head = nn.Sequential(nn.Linear(8, hidden), nn.Linear(hidden, 10))
        self.device = torch.device("cpu")
    def forward(self, x):
        self.seen = 1
        return x
"""


@pytest.mark.parametrize("call", ["Net()", "Net(4)", "Net(hidden=32)", "nn.Sequential(Net(), Block(3))"])
def test_class_of_the_workspace(call: str) -> None:
    code = f"{NET}model = {call}\n"
    found = counted(code)
    assert found is not None and found.parameters == made(code) and found.dtype == "float32"


PARAMETERS = """
import torch
from torch import nn
SCALE = 0.02
class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(2 * width, width))
        self.register_parameter("bias", nn.Parameter(torch.zeros(2 * width)))
        self.register_parameter("none", None)
        nn.init.xavier_uniform_(self.weight)
        self.weight.data.mul_(2)
class Net(nn.Module):
    def __init__(self, length, dim=8):
        super().__init__()
        self.position = nn.Parameter(torch.zeros(1, length + 1, dim))
        self.token = nn.Parameter(SCALE * torch.randn(1, 1, dim), requires_grad=False)
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.same = nn.Parameter(torch.ones_like(self.position).flatten(1))
        self.tied = self.scale
        self.blocks = nn.Sequential(Block(4), Block(dim))
"""


@pytest.mark.parametrize("call", ["Net(16)", "Net(length=3, dim=5)", "Block(3)", "nn.ModuleList([Net(1)])"])
def test_parameters_of_its_own(call: str) -> None:
    code = f"{PARAMETERS.replace('        self.tied = self.scale', '')}model = {call}\n"
    found = counted(code)
    assert found is not None and found.parameters == made(code) and found.dtype == "float32"


def test_parameters_that_come_twice_are_not_counted() -> None:
    """Whether two attributes hold one parameter, or two that one line makes, cannot be told."""
    assert counted(f"{PARAMETERS}model = Net(3)\n") is None


def test_parameters_of_several_dtypes() -> None:
    half = PARAMETERS.replace(
        "torch.empty(2 * width, width)", "torch.empty(2 * width, width, dtype=torch.float16)"
    )
    found = counted(f"{half}model = Block(3)\n")
    assert found is not None and found.parameters == made(f"{half}model = Block(3)\n") and not found.dtype


HEAD = "import torch\nfrom torch import nn\nfrom elsewhere import f, width, Other\n"
CLASS = (
    HEAD
    + "class Net(nn.Module):\n    def __init__(self, flag=True):\n        super().__init__()\n        self.a = nn.Linear(2, 2)\n"
)
SILENT = {
    "an argument is unknown": HEAD + "model = nn.Linear(width, 2)",
    "arguments are spread": HEAD + "model = nn.Linear(*f())",
    "one of two": HEAD + "model = nn.Linear(2, 2) if f() else nn.Linear(3, 3)",
    "a layer of another library": HEAD + "model = nn.Sequential(nn.Linear(2, 2), Other())",
    "an open list": HEAD + "model = nn.ModuleList([nn.Linear(2, 2) for _ in range(width)])",
    "a list that grows": HEAD
    + "model = nn.ModuleList()\nfor _ in range(3):\n    model.append(nn.Linear(2, 2))",
    "a layer that comes twice": HEAD + "layer = nn.Linear(2, 2)\nmodel = nn.Sequential(layer, layer)",
    "tied weights": HEAD + "model = nn.Linear(2, 2)\nmodel.weight = nn.Embedding(2, 2).weight",
    "no such layer": HEAD + "model = nn.Linear(2, -2)",
    "groups that do not divide": HEAD + "model = nn.Conv2d(3, 4, 3, groups=2)",
    "too many arguments": HEAD + "model = nn.PReLU(1, 0.5, None, None, 3)",
    "a layer on a condition": CLASS + "        if flag:\n            self.b = nn.Linear(2, 2)\nmodel = Net()",
    "a layer in a loop": CLASS
    + "        for i in range(3):\n            self.b = nn.Linear(2, 2)\nmodel = Net()",
    "an early return": CLASS
    + "        if f():\n            return\n        self.b = nn.Linear(2, 2)\nmodel = Net()",
    "a parameter of unknown size": CLASS + "        self.b = nn.Parameter(torch.zeros(width))\nmodel = Net()",
    "a parameter of unknown data": CLASS + "        self.b = nn.Parameter(f())\nmodel = Net()",
    "a parameter on a condition": CLASS
    + "        if flag:\n            self.b = nn.Parameter(torch.zeros(3))\nmodel = Net()",
    "a parameter in a loop": CLASS
    + "        for i in range(3):\n            self.b = nn.Parameter(torch.zeros(3))\nmodel = Net()",
    "a parameter that grows": CLASS
    + "        self.b = nn.Parameter(torch.zeros(3))\n        self.b.data = f()\nmodel = Net()",
    "a parameter that is one of two": CLASS
    + "        self.b = nn.Parameter(torch.zeros(3) if f() else torch.zeros(4))\nmodel = Net()",
    "a parameter registered by another name": CLASS
    + "        self.register_parameter(f(), nn.Parameter(torch.zeros(3)))\nmodel = Net()",
    "a parameter registered by somebody": CLASS + "        f(self.register_parameter)\nmodel = Net()",
    "a parameter from outside": CLASS
    + "model = Net()\nmodel.register_parameter('b', nn.Parameter(torch.zeros(3)))",
    "something unknown": CLASS + "        self.b = f()\nmodel = Net()",
    "added by name": CLASS + "        self.add_module(f(), nn.Linear(2, 2))\nmodel = Net()",
    "set by name": CLASS + "        setattr(self, f(), nn.Linear(2, 2))\nmodel = Net()",
    "made later": CLASS + "    def build(self):\n        self.b = nn.Linear(2, 2)\nmodel = Net()",
    "deleted": CLASS + "        del self.a\nmodel = Net()",
    "replaced from outside": CLASS + "model = Net()\nmodel.a = nn.Linear(5, 5)",
    "added from outside": CLASS + "model = Net()\nmodel.b = nn.Linear(5, 5)",
    "a base that is not seen": HEAD + "class Net(Other, nn.Module):\n    pass\nmodel = Net()",
    "a base that is a layer": HEAD + "class Net(nn.Linear):\n    pass\nmodel = Net(2, 2)",
    "a decorated class": HEAD + "@f\nclass Net(nn.Module):\n    pass\nmodel = Net()",
}


@pytest.mark.parametrize("why", SILENT)
def test_silent(why: str) -> None:
    ast.parse(SILENT[why])
    assert counted(SILENT[why]) is None


def test_lists_of_layers_are_not_registered() -> None:
    code = CLASS + "        self.b = [nn.Linear(9, 9)]\nmodel = Net()"
    found = counted(code)
    assert found is not None and found.parameters == made(code.replace("from elsewhere", "#"))


def test_sizes_are_told() -> None:
    assert told(Size(235_146, "float32")) == "235,146 parameters (940.6 kB in float32)"
    assert told(Size(1, "bfloat16")) == "1 parameter (2 bytes in bfloat16)"
    assert told(Size(124_999_999, "float32")) == "124,999,999 parameters (500 MB in float32)"
    assert told(Size(249_999_999, "float32")) == "249,999,999 parameters (1 GB in float32)"
    assert told(Size(7, "")) == "7 parameters"
    assert counted("import torch\nmodel = torch.nn.Linear(2, 2, dtype=torch.float64)\n") == Size(6, "float64")
