"""Axes and curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .svg import INK, Point, box, line, text


@dataclass(frozen=True)
class Axes:
    """A rectangle of the picture and the numbers that its sides stand for; `log` is of the y axis."""

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]
    log: bool = False

    def at(self, x: float, y: float) -> Point:
        """Where a point of the plane is, in pixels."""
        low, high, value = (math.log(v) for v in (*self.y, y)) if self.log else (*self.y, y)
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        return self.left + across * self.width, self.top + (high - value) / (high - low) * self.height

    def holds(self, y: float) -> bool:
        return math.isfinite(y) and self.y[0] <= y <= self.y[1]


def panels(
    columns: int, rows: int, *, height: float, top: float = 22, gap: tuple[float, float] = (26, 40)
) -> list[tuple[float, float, float, float]]:
    """Left, top, width and height of small plots side by side, row by row, each `height` high."""
    width = (480 - 34 - 14 - (columns - 1) * gap[0]) / columns
    return [
        (34 + column * (width + gap[0]), top + row * (height + gap[1]), width, height)
        for row in range(rows)
        for column in range(columns)
    ]


def frame(
    axes: Axes,
    title: str = "",
    *,
    x_ticks: Sequence[tuple[float, str]] = (),
    y_ticks: Sequence[tuple[float, str]] = (),
    x_label: str = "",
) -> list[str]:
    """The frame of a plot, its title above it, numbers and faint lines at the ticks."""
    marks = [box(axes.left, axes.top, axes.width, axes.height)]
    if title:
        marks.append(text(axes.left + axes.width / 2, axes.top - 7, title, anchor="middle", bold=True))
    for value, label in x_ticks:
        x = axes.at(value, axes.y[1])[0]
        marks.append(text(x, axes.top + axes.height + 14, label, anchor="middle", size=11))
    for value, label in y_ticks:
        y = axes.at(axes.x[0], value)[1]
        marks.append(text(axes.left - 4, y + 4, label, anchor="end", size=11))
        if axes.y[0] < value < axes.y[1]:
            marks.append(line([(axes.left, y), (axes.left + axes.width, y)], width=0.5, dashes="2 3"))
    if x_label:
        below = axes.top + axes.height + (28 if x_ticks else 14)
        marks.append(text(axes.left + axes.width / 2, below, x_label, anchor="middle", size=11))
    return marks


def curve(
    axes: Axes, xs: Sequence[float], ys: Sequence[float], colour: str, *, dashes: str = "", width: float = 2
) -> list[str]:
    """A curve, in pieces where it leaves the plot."""
    pieces: list[list[Point]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if axes.holds(y):
            pieces[-1].append(axes.at(x, y))
        elif pieces[-1]:
            pieces.append([])
    return [line(piece, colour=colour, dashes=dashes, width=width) for piece in pieces if len(piece) > 1]


def legend(
    x: float, y: float, entries: Sequence[tuple[str, str]], *, dashed: Sequence[str] = ()
) -> list[str]:
    """Names beside a piece of their line, one below the other: pairs of name and colour."""
    marks = []
    for row, (name, colour) in enumerate(entries):
        middle = y + 16 * row
        dashes = "4 3" if name in dashed else ""
        marks.append(line([(x, middle), (x + 18, middle)], colour=colour, dashes=dashes))
        marks.append(text(x + 23, middle + 4, name, colour=INK, size=11))
    return marks
