"""Lists of numbers as curves. They are drawn here: an SVG that a snippet made could hold anything."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 480, 200
_LEFT, _TOP, _RIGHT, _BOTTOM = 64, 16, 12, 28
_INK = "#7b7f85"
_LINE = "#3b82c4"
_STEPS = "▁▂▃▄▅▆▇█"
_MOST = 4
_MOST_POINTS = 500
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Curve:
    """Numbers in their order.

    Attributes:
        name: the variable that held them; "" for the value of the last expression.
        values: of long ones every so many; what is not finite is NaN.
        count: how many there were.
    """

    name: str
    values: tuple[float, ...]
    count: int


def curves_in(said: object) -> tuple[Curve, ...]:
    """The curves in a list of messages of an agent; whatever is malformed is left out."""
    messages = said if isinstance(said, list) else []
    return tuple(curve for curve in map(_curve, messages[:_MOST]) if curve is not None)


def svg(curve: Curve) -> str:
    """The curve as a picture; a gap stands where a value is not finite."""
    finite = [value for value in curve.values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    width, height = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    spread = high - low or 1.0
    last = max(len(curve.values) - 1, 1)
    places = [
        (_LEFT + width * place / last, _TOP + height * (1 - (value - low) / spread))
        for place, value in enumerate(curve.values)
    ]
    lines = [
        f'<polyline fill="none" stroke="{_LINE}" stroke-width="2" points="{points}"/>'
        for points in _pieces(places)
    ]
    frame = f'<path d="M{_LEFT} {_TOP}v{height}h{width}" fill="none" stroke="{_INK}"/>'
    texts = [
        _text(_LEFT - 6, _TOP + 4, f"{high:.4g}", "end"),
        _text(_LEFT - 6, HEIGHT - _BOTTOM, f"{low:.4g}", "end"),
        _text(_LEFT, HEIGHT - 8, "1", "start"),
        _text(WIDTH - _RIGHT, HEIGHT - 8, str(curve.count), "end"),
    ]
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    inside = "\n".join([frame, *lines, *texts])
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{inside}\n</svg>\n'


def sparkline(curve: Curve, width: int) -> str:
    """The curve as a line of at most `width` characters, a space where a value is not finite."""
    values = curve.values[:: -(-len(curve.values) // width)]
    finite = [value for value in values if math.isfinite(value)]
    low = min(finite, default=0.0)
    spread = (max(finite, default=0.0) - low) or 1.0
    last = len(_STEPS) - 1
    return "".join(
        _STEPS[round(last * min((value - low) / spread, 1))] if math.isfinite(value) else " "
        for value in values
    )


def _curve(message: object) -> Curve | None:
    if not isinstance(message, dict):
        return None
    name, values, count = message.get("name"), message.get("values"), message.get("count")
    if not (isinstance(name, str) and isinstance(values, list) and isinstance(count, int)):
        return None
    if name and not (name.isascii() and name.isidentifier()):
        return None
    numbers = tuple(
        float(value) if isinstance(value, (int, float)) else math.nan for value in values[:_MOST_POINTS]
    )
    return Curve(name[:_LONGEST_NAME], numbers, count) if numbers else None


def _pieces(places: Sequence[tuple[float, float]]) -> Iterator[str]:
    piece: list[str] = []
    for x, y in (*places, (0.0, math.nan)):
        if math.isfinite(y):
            piece.append(f"{x:.1f},{y:.1f}")
        elif piece:
            yield " ".join(piece)
            piece = []


def _text(x: float, y: float, text: str, anchor: str) -> str:
    style = f'fill="{_INK}" font-family="sans-serif" font-size="11" text-anchor="{anchor}"'
    return f'<text x="{x:g}" y="{y:g}" {style}>{text}</text>'
