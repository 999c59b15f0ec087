"""Pictures as SVG text: marks in pixels, and the few colours that can be read on white and on black."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 480

# An <img> cannot know the theme of the page or of the editor around it: each colour has a contrast of 3.6 or
# more with white and with #1e1e1e, and the ground is transparent.
INK = "#7b7f85"
BLUE = "#3b82c4"
ORANGE = "#cc6a1c"
GREEN = "#3a8f5a"
PURPLE = "#9468cf"
RED = "#d64f5e"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED)

Point = tuple[float, float]


@dataclass(frozen=True)
class Picture:
    """A picture, 480 pixels wide.

    Attributes:
        title: what it is about, in a few words.
        description: what one sees, for those who do not: the alternative text of every card that shows it.
        height: in pixels.
        marks: SVG elements, back to front.
    """

    title: str
    description: str
    height: int
    marks: tuple[str, ...]


DRAWN: dict[str, Callable[[], Picture]] = {}


def picture(draw: Callable[[], Picture]) -> Callable[[], Picture]:
    """Registers what draws a picture; the function's name is the file's."""
    DRAWN[draw.__name__.replace("_", "-")] = draw
    return draw


def rendered(shown: Picture) -> str:
    """The text of the SVG file."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{shown.height}" '
        f'viewBox="0 0 {WIDTH} {shown.height}" role="img" aria-labelledby="title desc" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}">'
    )
    return "\n".join(
        [
            head,
            f'<title id="title">{escape(shown.title)}</title>',
            f'<desc id="desc">{escape(shown.description)}</desc>',
            *shown.marks,
            "</svg>\n",
        ]
    )


def number(value: float) -> str:
    """A length to a tenth of a pixel: what the next machine computes differs by less."""
    length = f"{value:.1f}"
    return "0" if length in ("-0.0", "0.0") else length.removesuffix(".0")


def text(
    x: float,
    y: float,
    words: str,
    *,
    colour: str = INK,
    size: int = 12,
    anchor: str = "start",
    bold: bool = False,
) -> str:
    """Words whose baseline is at y; `anchor` says which end of them is at x: start, middle, end."""
    extra = "" if colour == INK else f' fill="{colour}"'
    extra += "" if size == 12 else f' font-size="{size}"'
    extra += "" if anchor == "start" else f' text-anchor="{anchor}"'
    extra += ' font-weight="600"' if bold else ""
    return f'<text x="{number(x)}" y="{number(y)}"{extra}>{escape(words)}</text>'


def line(points: Iterable[Point], *, colour: str = INK, width: float = 2, dashes: str = "") -> str:
    """A line through the points."""
    path = "L".join(f"{number(x)} {number(y)}" for x, y in points)
    extra = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="{number(width)}"{extra}/>'


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    fill: str = "none",
    stroke: str = INK,
    dashes: str = "",
) -> str:
    """A rectangle."""
    extra = f' stroke-dasharray="{dashes}"' if dashes else ""
    place = f'x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
    return f'<rect {place} fill="{fill}" stroke="{stroke}"{extra}/>'


def dot(x: float, y: float, *, colour: str = INK, radius: float = 3) -> str:
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" fill="{colour}"/>'


def ring(x: float, y: float, radius: float) -> str:
    return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" fill="none" stroke="{INK}"/>'


def arrow(start: Point, end: Point, *, colour: str = INK, width: float = 1.5) -> str:
    """A line from one point to another, with a head at its end."""
    (x, y), (to_x, to_y) = start, end
    length = ((to_x - x) ** 2 + (to_y - y) ** 2) ** 0.5
    along, across = ((to_x - x) / length, (to_y - y) / length), ((y - to_y) / length, (to_x - x) / length)
    back = (to_x - 8 * along[0], to_y - 8 * along[1])
    head = [(back[0] + 4 * side * across[0], back[1] + 4 * side * across[1]) for side in (-1, 1)]
    corners = "L".join(f"{number(a)} {number(b)}" for a, b in [end, *head])
    return line([start, back], colour=colour, width=width) + f'<path d="M{corners}Z" fill="{colour}"/>'


def cells(
    left: float,
    top: float,
    size: float,
    labels: Sequence[Sequence[str]],
    colour: Callable[[int, int], str | None] = lambda row, column: None,
    width: float = 0,
) -> list[str]:
    """A table of cells with a word in each.

    Args:
        left, top: of the first cell.
        size: height of a cell, and its width where `width` is 0.
        labels: rows of words.
        colour: of the cell in a row and a column; None for one that is not filled.
        width: of a cell.
    """
    marks, across = [], width or size
    for row, words in enumerate(labels):
        for column, word in enumerate(words):
            x, y, fill = left + column * across, top + row * size, colour(row, column)
            marks.append(box(x, y, across, size, fill=fill or "none"))
            if word:
                # White on these colours, and these colours on either ground, can be read alike.
                ink = "#ffffff" if fill else INK
                marks.append(text(x + across / 2, y + size / 2 + 4, word, colour=ink, anchor="middle"))
    return marks


def squares(left: float, top: float, size: float, chosen: Iterable[tuple[int, int]], colour: str) -> str:
    """Squares of a table without words, in one element: hundreds of single ones would be a large file.

    Args:
        left, top: of the table.
        size: of a square.
        chosen: row and column of each.
        colour: of all of them.
    """
    side = number(size)
    each = (
        f"M{number(left + column * size)} {number(top + row * size)}h{side}v{side}h-{side}z"
        for row, column in chosen
    )
    return f'<path d="{"".join(each)}" fill="{colour}"/>'


def table_lines(left: float, top: float, size: float, rows: int, columns: int) -> str:
    """The lines between the squares of a table, and around them."""
    right, bottom = number(columns * size), number(rows * size)
    path = "".join(f"M{number(left)} {number(top + row * size)}h{right}" for row in range(rows + 1))
    path += "".join(
        f"M{number(left + column * size)} {number(top)}v{bottom}" for column in range(columns + 1)
    )
    return f'<path d="{path}" stroke="{INK}"/>'
