"""Which torch symbol stands at a place, which names can be used there, and what is said of them."""

import pytest
from torchlore.analysis import Analysis, analyze
from torchlore.text import Source

CODE = """\
import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(784, 10)

    def forward(self, x):
        return self.fc(x.view(-1, 784))


def train(model, loader, optimizer):
    for x, y in loader:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        print("loss.backward()".view, loader.title)


net = Net()
train(net, torch.utils.data.DataLoader([]), torch.optim.Adam(net.parameters()))
"""


@pytest.fixture(scope="module")
def analysis() -> Analysis:
    return analyze(Source(CODE))


@pytest.mark.parametrize(
    ("text", "within", "candidates"),
    [
        ("x.view", "view", ("torch.Tensor.view",)),
        ("nn.Linear", "Linear", ("torch.nn.Linear",)),
        ("torch.nn.functional as F", "torch", ("torch.nn.functional",)),
        ("F.cross_entropy", "cross", ("torch.nn.functional.cross_entropy",)),
        ("loss.backward()", "backward", ("torch.Tensor.backward",)),
        ("optimizer.step", "step", ("torch.optim.Adam.step",)),
        ("optimizer.zero_grad", "zero_grad", ("torch.optim.Adam.zero_grad",)),
        ("net.parameters", "parameters", ("torch.nn.Module.parameters",)),
        ("super().__init__", "__init__", ("torch.nn.Module.__init__",)),
        ("self.fc(", "fc", ("torch.nn.Linear",)),
    ],
)
def test_symbol(analysis: Analysis, text: str, within: str, candidates: tuple[str, ...]) -> None:
    found = analysis.symbol_at(CODE.index(text) + text.index(within))
    assert found is not None
    assert found.candidates == candidates
    assert CODE[found.span.start : found.span.end].startswith(within[:4])


@pytest.mark.parametrize("text", ["print(", "class Net", '"loss.backward()".view', "for x", "import"])
def test_no_symbol(analysis: Analysis, text: str) -> None:
    assert analysis.symbol_at(CODE.index(text) + len(text) - 1) is None


@pytest.mark.parametrize(
    ("code", "at", "candidates"),
    [
        ("net = make()\nnet.eval()\nnet.train()\n", "train", ("torch.nn.Module.train",)),
        ("x = read()\nx.unsqueeze(0)\nx.sum()\n", "sum", ("torch.Tensor.sum",)),
        ("net = make()\nnet.parameters()\nout = net(1)\nout.view(2)\n", "view", ("torch.Tensor.view",)),
        ("net = make()\nnet.parameters()\na, b = net(1)\nb.item()\n", "item", ("torch.Tensor.item",)),
        ("net = make()\nnet.parameters()\nout = net(1)\nout.split(',')\n", "split", None),
        ("data = make()\ndata.train()\n", "train", None),
        ("x = read()\nx.view(2)\n", "view", None),
        ("x = read()\nx.sum().item()\n", "item", None),
    ],
)
def test_what_is_done_with_an_unknown_object_tells_what_it_is(
    code: str, at: str, candidates: tuple[str, ...] | None
) -> None:
    code = "import torch\nfrom elsewhere import make, read\n" + code
    found = analyze(Source(code)).symbol_at(code.rindex(at))
    assert (found and found.candidates) == candidates


def test_names_in_scope(analysis: Analysis) -> None:
    names = {name.name: name.kind for name in analysis.names_at(CODE.index("loss.backward()"))}
    assert names["model"] == "Module"
    assert names["optimizer"] == "Optimizer"
    assert names["loader"] == "DataLoader"
    assert names["loss"] == "Tensor"
    assert "net" not in names, "it is bound below"


def test_names_of_self(analysis: Analysis) -> None:
    names = {name.name: name.kind for name in analysis.names_at(CODE.index("return self.fc"))}
    assert names["self.fc"] == "Module"


def test_notes_name_the_users_objects(analysis: Analysis) -> None:
    notes = analysis.notes_at(CODE.index("optimizer.step") + 12)
    assert (
        notes[0] == "`optimizer` is a `torch.optim.Adam` over the 7,850 parameters of `net`, made on line 25."
    )
    assert (
        notes[1]
        == "In this loop: `zero_grad` (line 17) → forward (line 18) → loss (line 18) → `backward` (line 19) → `step` (line 20)."
    )


def test_a_file_without_torch_costs_nothing() -> None:
    analysis = analyze(Source("x = 1\nx.view\n"))
    assert analysis.symbol_at(9) is None
    assert analysis.names_at(9) == ()
    assert "run" not in vars(analysis)
