"""What is run when the user points at code of theirs."""

from __future__ import annotations

import pytest
from torchlore.analysis import analyze
from torchlore.device import NotAllowed
from torchlore.device.measured import Input, Optimizer
from torchlore.device.own_code import called, model, selection, under_cursor
from torchlore.text import Cell, LineTable, Notebook, Source

FILE = """\
import torch
from torch import nn

WIDTH = 4


class Net(nn.Module):
    def __init__(self, width, depth=1, *, bias):
        super().__init__()
        self.fc = nn.Linear(width, 8, bias=bias)

    def forward(self, x):
        return self.fc(x)


class Plain(nn.Module):
    def forward(self, x):
        return x


def build(width):
    return Net(width, bias=False)


def main(times=2):
    hidden = 16
    net = Net(hidden, bias=True)
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, amsgrad=True)
    out = net(torch.zeros(5, hidden))
    print(out.shape, times)


async def serve():
    print("served")
"""
SOURCE = Source(FILE)
CELLS = "# %% one\nimport math\n# %% two\nx = math.pi\nprint(x)\n\n# %%\n# nothing\n"


def test_a_selection() -> None:
    part = selection(SOURCE, 3, 4)
    assert (part.title, part.lines) == ("line 4", (4, 4))
    assert part.code == "\n\n\nWIDTH = 4\n"


def test_the_function_under_the_cursor() -> None:
    part = under_cursor(SOURCE, 26)
    assert part.title == "`main()`"
    assert part.code.rstrip().endswith("main()") and "class Plain" not in part.code


def test_a_function_with_parameters_cannot_be_called() -> None:
    with pytest.raises(NotAllowed, match="`build` needs `width`"):
        called(SOURCE, "build")
    with pytest.raises(NotAllowed, match="no function `nothing`"):
        called(SOURCE, "nothing")


def test_a_coroutine_is_awaited() -> None:
    assert "asyncio" in called(SOURCE, "serve").code


def test_what_needs_more_of_the_file_is_not_run() -> None:
    source = Source("def f(x):\n    y = 1\n    print(x + y)\n")
    with pytest.raises(NotAllowed, match=r"`x` \(a parameter of `f`\)"):
        selection(source, 2, 2)


@pytest.mark.parametrize(("line", "lines"), [(3, (4, 5)), (2, (4, 5)), (1, (2, 2))])
def test_a_cell_between_marks(line: int, lines: tuple[int, int]) -> None:
    part = under_cursor(Source(CELLS), line)
    assert (part.title, part.lines) == ("the cell", lines)


def test_a_cell_without_code() -> None:
    with pytest.raises(NotAllowed, match="nothing to run"):
        under_cursor(Source(CELLS), 7)


def test_a_cell_of_a_notebook() -> None:
    texts = ("import math", "%time\nx = math.pi\nprint(x)")
    notebook = Notebook(Cell(number, LineTable(text)) for number, text in enumerate(texts, 1))
    part = under_cursor(notebook, notebook.lines.line_of(notebook.text.index("print")))
    assert part.code.split() == ["import", "math", "pass", "x", "=", "math.pi", "print(x)"]


def test_a_model_as_the_file_makes_it() -> None:
    found = model(analyze(SOURCE), "Net")
    assert (found.made, found.optimizer) == ("Net(16, bias=True)", Optimizer("Adam", (("amsgrad", True),)))
    assert found.inputs == (Input((5, 16), "float32"),)


def test_a_model_that_nothing_tells_about() -> None:
    found = model(analyze(SOURCE), "Plain")
    assert (found.made, found.inputs) == ("Plain()", None)
    lonely = analyze(Source(FILE.partition("def build")[0]))
    with pytest.raises(NotAllowed, match="arguments of its constructor"):
        model(lonely, "Net")
    assert model(lonely, "Net", "WIDTH, bias=False").made == "Net(WIDTH, bias=False)"


@pytest.mark.parametrize("arguments", ["(", "hidden, bias=True"])
def test_arguments_that_cannot_be(arguments: str) -> None:
    with pytest.raises(NotAllowed):
        model(analyze(SOURCE), "Net", arguments)
    with pytest.raises(NotAllowed, match="no class"):
        model(analyze(SOURCE), "main")
