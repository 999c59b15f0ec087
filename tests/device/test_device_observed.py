"""What comes back of a run besides its output: value, warnings, pictures, times."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import torch
from device_support import execute
from torchlore.device import Crew, Limits, RunResult, Value, Warned
from torchlore.device.observed import pictures_in, value_in, warnings_in
from torchlore_agent import values

# One agent would do, but a fixture of a wider scope needs an event loop of that scope.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def crew() -> AsyncIterator[Crew]:
    crew = Crew()
    yield crew
    await crew.close()


@pytest.fixture(autouse=True)
def nothing_left() -> None:
    """The crew of this module is made in the temporary directory of the system."""


async def observed(code: str, crew: Crew) -> RunResult:
    return await execute(code, crew=crew, limits=Limits())


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("1 + 1", "2"),
        ("x = 2\nx", "2"),
        ("'an answer'\n'a string'", "'a string'"),
        ("x = 1", None),
        ("'a docstring'", None),
        ("", None),
        ("# nothing", None),
        ("print(1)", None),
        ("1\nx = 2", None),
        ("from __future__ import annotations\ndef f(x: nowhere): ...\nf.__annotations__", "{'x': 'nowhere'}"),
        ("class Bad:\n    def __repr__(self): 1 / 0\nBad()", "<Bad whose repr raises ZeroDivisionError>"),
        ("import sys\nsys.exit(0)", None),
    ],
)
async def test_the_last_expression(code: str, text: str | None, crew: Crew) -> None:
    result = await observed(code, crew)
    assert (result.ok, result.value.text if result.value else None) == (True, text), result.stderr
    assert result.own_seconds is not None and result.own_seconds <= result.seconds


async def test_an_error_in_the_last_expression_has_its_line(crew: Crew) -> None:
    result = await observed("x = 1\n\nx.nothing", crew)
    assert result.error is not None and (result.error.type, result.error.line) == ("AttributeError", 3)
    assert result.value is None
    assert "    x.nothing\n" in result.stderr


async def test_a_tensor(crew: Crew) -> None:
    code = "import torch\ntorch.tensor([[1.0, 2.0], [float('nan'), float('-inf')]], requires_grad=True)"
    value = (await observed(code, crew)).value
    assert value is not None
    assert (value.kind, value.type, value.shape, value.dtype) == ("tensor", "Tensor", (2, 2), "float32")
    assert (value.min, value.mean, value.max, value.nan, value.inf) == (1.0, 1.5, 2.0, 1, 1)
    assert value.first == (1.0, 2.0, "nan", "-inf")
    assert (value.device, value.requires_grad) == ("cpu", True)
    assert value.summary() == (
        "Tensor of shape (2, 2), float32, on cpu, from 1 to 2, mean 1.5, 1 NaN, 1 infinite"
    )


async def test_looking_at_a_value_changes_no_result(crew: Crew) -> None:
    """Nor does a run fail on a value that cannot be looked at."""
    for made in (
        "torch.ones(3, device='meta')",
        "torch.eye(3).to_sparse()",
        "torch.ones(2, dtype=torch.cfloat)",
    ):
        result = await observed(f"import torch\n{made}", crew)
        assert result.ok and result.value is not None and result.value.shape is not None, result.stderr
    result = await observed("import numpy\nnumpy.arange(5)", crew)
    assert result.value is not None and (result.value.device, result.value.max) == (None, 4)


async def test_warnings_have_their_line_and_are_shown_all_the_same(crew: Crew) -> None:
    code = "import warnings\n\nwarnings.warn('look', FutureWarning)\nprint('on')"
    result = await observed(code, crew)
    assert result.warnings == (Warned("FutureWarning", "look", 3),)
    assert "snippet.py:3: FutureWarning: look" in result.stderr and result.stdout == "on\n"
    caught = (
        "import warnings\n"
        "with warnings.catch_warnings(record=True) as seen:\n"
        "    warnings.warn('x')\n"
        "len(seen)"
    )
    result = await observed(caught, crew)
    assert (result.warnings, result.value and result.value.text) == ((), "1")


async def test_a_tensor_that_looks_like_an_image_is_drawn(crew: Crew) -> None:
    result = await observed("import torch\ntorch.arange(192).reshape(3, 8, 8).to(torch.uint8)", crew)
    [picture] = result.pictures
    width, height, rows = _decoded(picture.data)
    assert (width, height) == (8, 8)
    assert rows[1][1:4] == bytes([8, 72, 136])  # The red, green and blue of the first in the second line.
    assert not (await observed("import torch\ntorch.randn(3, 8, 8) * 9", crew)).pictures


async def test_figures_of_matplotlib_are_kept(crew: Crew) -> None:
    """A module of that name with the functions that are called stands in for it."""
    code = (
        "import sys, types, struct\n"
        "pyplot = types.ModuleType('matplotlib.pyplot')\n"
        "png = bytes([137]) + b'PNG\\r\\n' + bytes([26]) + b'\\n'\n"
        "class Figure:\n"
        "    def __init__(self, number): self.number = number\n"
        "    def savefig(self, file, format): file.write(png + bytes([self.number]))\n"
        "pyplot.get_fignums = lambda: [1, 2]\n"
        "pyplot.figure = Figure\n"
        "sys.modules['matplotlib.pyplot'] = pyplot\n"
    )
    pictures = (await observed(code, crew)).pictures
    assert [(picture.name, picture.data[-1]) for picture in pictures] == [
        ("figure-1.png", 1),
        ("figure-2.png", 2),
    ]


@pytest.mark.parametrize(
    "made", ["os.symlink('/etc/passwd', p)", "os.mkfifo(p)", "os.mkdir(p)", "open(p, 'w')"]
)
async def test_a_picture_that_is_none_is_left_out(made: str, tmp_path: Path) -> None:
    import os

    exec(made, {"os": os, "p": str(tmp_path / "value.png")})  # noqa: S102
    names = ["value.png", "../x.png", "/etc/passwd", "nothing.png", 3]
    assert pictures_in(names, tmp_path) == ()


@pytest.mark.parametrize("said", [None, 3, [], {}, {"kind": "other"}, {"kind": 3}])
async def test_what_makes_no_sense_is_no_value(said: object) -> None:
    assert value_in(said) is None
    assert warnings_in(said) == ()


async def test_a_malformed_value_is_what_can_be_read_of_it() -> None:
    said = {
        "kind": "tensor",
        "type": 3,
        "shape": [2, "x"],
        "min": "low",
        "first": [1, None, []],
        "nan": "many",
    }
    assert value_in(said) == Value("tensor", "3", "None", shape=(2,), first=(1,))


async def test_numbers_are_those_of_the_tensor() -> None:
    found = values.told(torch.tensor([math.inf, -2.0, 4.0]))
    assert (found["min"], found["mean"], found["max"], found["inf"]) == (-2.0, 1.0, 4.0, 1)
    assert values.told(torch.tensor([True, False]))["first"] == [True, False]
    assert "min" not in values.told(torch.empty(0)) and values.told(torch.empty(0))["shape"] == [0]


def _decoded(data: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and lines, each with its filter, of a PNG of one IDAT in RGB."""
    width, height = struct.unpack(">II", data[16:24])
    size = struct.unpack(">I", data[33:37])[0]
    lines = zlib.decompress(data[41 : 41 + size])
    length = 1 + 3 * width
    return width, height, [lines[at : at + length] for at in range(0, len(lines), length)]
