"""A text under repair: its lines, some of them replaced, and lines between them that are not in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from torchlore.text.logical import Logical
from torchlore.text.nodes import nodes_in
from torchlore.text.tokens import split_lines


@dataclass(slots=True)
class Mended:
    """A text after repair.

    Attributes:
        lines: its lines, as many as before.
        before, after: lines that stand before or after others (by number) and are not in the text.
        shifts: by how many columns what stands on a line was moved to the left.
        blanked: the lines (0-based) that were replaced or left out.
    """

    lines: list[str]
    before: dict[int, list[str]] = field(default_factory=dict)
    after: dict[int, list[str]] = field(default_factory=dict)
    shifts: dict[int, int] = field(default_factory=dict)
    blanked: set[int] = field(default_factory=set)


def text_of(mended: Mended, first: int = 0, last: int | None = None) -> str:
    """The lines `first` to `last` (included; None: to the end) with what stands between them."""
    if not mended.before and not mended.after:
        return "".join(mended.lines[first : None if last is None else last + 1])
    return "".join(line for _, line in _all_lines(mended, first, last))


def replace(mended: Mended, head: Logical, code: str, indent: str) -> None:
    """Puts `code`, of no more lines than it has, in the place of a logical line; it may be empty."""
    for number in range(head.first, head.last + 1):
        mended.lines[number] = _ending(mended.lines[number])
        mended.blanked.add(number)
        mended.shifts.pop(number, None)
    for number, line in enumerate(split_lines(code), start=head.first):
        ending = mended.lines[number] or "\n"
        mended.lines[number] = (
            f"{indent if number == head.first else ''}{line.rstrip(chr(10) + chr(13))}{ending}"
        )


def move(mended: Mended, head: Logical, indent: str) -> None:
    """Gives a logical line the indentation that its neighbours have."""
    mended.lines[head.first] = indent + mended.lines[head.first][len(head.indent) :]
    mended.shifts[head.first] = len(head.indent) - len(indent)
    mended.blanked.add(head.first)


def insert_before(mended: Mended, number: int, code: str) -> None:
    mended.before.setdefault(number, []).append(f"{code}\n")


def insert_after(mended: Mended, number: int, code: str) -> None:
    if not mended.lines[number].endswith(("\n", "\r")):
        mended.lines[number] += "\n"
    mended.after.setdefault(number, []).append(f"{code}\n")


def drop(mended: Mended, first: int, last: int) -> None:
    """Leaves out the lines `first` to `last`, included, and what was put between them."""
    for number in range(first, last + 1):
        mended.lines[number] = _ending(mended.lines[number])
        mended.before.pop(number, None)
        mended.after.pop(number, None)
        mended.blanked.add(number)


def number_at(mended: Mended, line: int) -> int:
    """The line (0-based) of the text that line `line` (0-based) of `text_of` stands for."""
    if not mended.before and not mended.after:
        return line
    numbers = [number for number, _ in _all_lines(mended)]
    return numbers[min(line, len(numbers) - 1)]


def put_back(tree: ast.Module, mended: Mended) -> None:
    """Gives the nodes of `tree`, which is of the mended text, the places that they have in the text."""
    if not mended.before and not mended.after and not mended.shifts:
        return
    places: list[tuple[int, int | None]] = []
    for number, line in _all_lines(mended):
        own = line is mended.lines[number]
        places.append((number + 1, mended.shifts.get(number, 0) if own else None))
    end = (len(mended.lines), 0)
    for node in nodes_in(tree):
        if not isinstance(
            node, ast.stmt | ast.expr | ast.ExceptHandler | ast.arg | ast.keyword | ast.alias | ast.pattern
        ):
            continue
        node.lineno, node.col_offset = _moved(node.lineno, node.col_offset, places, end)
        if node.end_lineno is not None and node.end_col_offset is not None:
            node.end_lineno, node.end_col_offset = _moved(node.end_lineno, node.end_col_offset, places, end)


def _moved(
    line: int, column: int, places: list[tuple[int, int | None]], end: tuple[int, int]
) -> tuple[int, int]:
    number, shift = places[line - 1] if line <= len(places) else end
    return number, 0 if shift is None else column + shift


def _all_lines(mended: Mended, first: int = 0, last: int | None = None) -> Iterator[tuple[int, str]]:
    for number in range(first, len(mended.lines) if last is None else last + 1):
        for line in mended.before.get(number, ()):
            yield number, line
        yield number, mended.lines[number]
        for line in mended.after.get(number, ()):
            yield number, line


def _ending(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]
