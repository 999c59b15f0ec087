"""Lists of numbers that a snippet leaves become curves; what it says becomes no part of the picture."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from device_support import execute
from torchlore.device.curves import Curve, curves_in, sparkline, svg

SPACE = "{http://www.w3.org/2000/svg}"


async def test_the_course_of_a_loss() -> None:
    code = "losses = [1 / (i + 1) for i in range(20)]\nlosses[3] = float('nan')\n"
    code += "names = ['a'] * 9\nfew = [1.0]\n"
    (curve,) = (await execute(code)).curves
    assert (curve.name, curve.count, curve.values[0]) == ("losses", 20, 1.0)
    assert math.isnan(curve.values[3])


async def test_the_last_value_and_tensors() -> None:
    pytest.importorskip("torch")
    code = "import torch\ncourse = torch.arange(5000.0, requires_grad=True)\ncourse * 2\n"
    value, course = (await execute(code)).curves
    assert (value.name, value.count, len(value.values), value.values[1]) == ("", 5000, 500, 20.0)
    assert course.name == "course"


def test_the_picture() -> None:
    drawn = ElementTree.fromstring(svg(Curve("losses", (4.0, 2.0, math.nan, 1.0, 0.5), 5)))
    lines = drawn.findall(f"{SPACE}polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [2, 2], "a gap where there is no number"
    assert [text.text for text in drawn.findall(f"{SPACE}text")] == ["4", "0.5", "1", "5"]


@pytest.mark.parametrize("values", [(), (math.nan,), (1.0, 1.0), (math.inf, 2.0), (1e308, -1e308)])
def test_strange_curves_are_drawn(values: tuple[float, ...]) -> None:
    ElementTree.fromstring(svg(Curve("x", values, len(values))))


@pytest.mark.parametrize(
    "said",
    [
        None,
        [3],
        [{"name": "<script>", "values": [1], "count": 1}],
        [{"name": "x", "values": [], "count": 0}],
        [{"name": "x", "values": [1], "count": "<b>"}],
        [{"name": "x", "values": "123", "count": 3}],
    ],
)
def test_what_is_malformed_is_left_out(said: object) -> None:
    assert curves_in(said) == ()


def test_what_is_no_number_is_a_gap() -> None:
    (curve,) = curves_in([{"name": "x", "values": [1, "<b>", None], "count": 3}])
    assert curve.values[0] == 1 and all(map(math.isnan, curve.values[1:]))


def test_a_curve_in_one_line() -> None:
    assert sparkline(Curve("x", (0.0, 1.0, math.nan, 0.5), 4), 4) == "▁█ ▅"
    assert len(sparkline(Curve("x", tuple(map(float, range(500))), 500), 40)) == 39
    assert sparkline(Curve("x", (math.nan,), 1), 4) == " "
