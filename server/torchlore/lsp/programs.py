"""What a command asks to be run, as a program."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lsprotocol import types

from torchlore import knowledge
from torchlore.device import Input, NotAllowed, Optimizer, Question
from torchlore.device.own_code import Part, model, selection, under_cursor
from torchlore.lsp.analyses import Analysed
from torchlore.lsp.server import Server
from torchlore.text import Source

MOST_PROCESSES = 64


class InputsNeeded(NotAllowed):
    """Only the user can tell what the model is called with."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    Attributes:
        name: of its page, and what tracebacks call it.
        title: for people.
        uri: of the file that it is of, or was asked for from.
        ours: it is shipped with torchlore, not the user's.
        source: the version of the user's file that it was made of; None where it is of none.
        lines: of that file, from 1, of which the values are to be told.
        question: about the model that it makes.
        model: the class of that.
        processes: in how many `torchrun` runs it; None to run it in one, without.
    """

    name: str
    title: str
    code: str
    uri: str | None
    ours: bool = False
    source: Source | None = None
    lines: tuple[int, int] | None = None
    question: Question | None = None
    model: str = ""
    processes: int | None = None

    @property
    def home(self) -> Path | None:
        """The folder of the user's file, where it lies in one."""
        path = Path(self.source.path) if self.source is not None else None
        return path.parent if path is not None and path.is_absolute() and path.parent.is_dir() else None


async def program_for(server: Server, asked: dict[str, Any]) -> Program | None:
    """What `{"slug": …}` (a card's), `{"code": …}` (a text) or `{"uri": …, "range": …}` (of a file) name.

    With `{"processes": 2}` `torchrun` runs it in so many.

    Raises:
        NotAllowed: what the range covers cannot be run by itself.
    """
    found = await _named(server, asked)
    return None if found is None else replace(found, processes=_processes(asked.get("processes")))


async def _named(server: Server, asked: dict[str, Any]) -> Program | None:
    slug, code, uri = asked.get("slug"), asked.get("code"), asked.get("uri")
    place = uri if isinstance(uri, str) else None
    if isinstance(slug, str):
        card = knowledge.card(slug)
        if card is None or card.snippet is None:
            return None
        return Program(slug, card.question, card.snippet, place, ours=True)
    if isinstance(code, str) and code.strip():
        return Program("selection", "Your selection", code, place)
    span = _range(asked.get("range"))
    if place is None or span is None:
        return None
    return await server.analysed(place, lambda known: _of_file(server, known, place, span))


async def model_for(server: Server, asked: dict[str, Any], kind: str) -> Program | None:
    """The program that makes the model `{"uri": …, "class": …}`, with `arguments` and `inputs` if given.

    Args:
        server: that has the file open.
        asked: also `inputs`, a list of texts such as "8,3,32,32" or "8,128:int64", and `optimizer`.
        kind: of the question about it.

    Raises:
        InputsNeeded: the file does not tell what it is called with.
        NotAllowed: as `own_code.model`.
    """
    uri, name = asked.get("uri"), asked.get("class")
    if not isinstance(uri, str) or not isinstance(name, str):
        return None
    return await server.analysed(uri, lambda known: _model(known, name, asked, kind))


def _model(known: Analysed, name: str, asked: dict[str, Any], kind: str) -> Program:
    arguments, optimizer = asked.get("arguments"), asked.get("optimizer")
    found = model(known.analysis, name, arguments if isinstance(arguments, str) else None)
    inputs = inputs_in(asked.get("inputs")) or found.inputs
    if inputs is None:
        raise InputsNeeded(
            f"The file does not tell what `{name}` is called with: call it on a tensor whose sizes can be "
            "read, or give them."
        )
    chosen = found.optimizer or Optimizer()
    if isinstance(optimizer, str) and optimizer.isidentifier():
        chosen = Optimizer(optimizer)
    question = Question(kind, inputs, chosen)
    title = f"{found.made} on {' and '.join(map(str, inputs))}"
    return Program(
        name=f"{kind}-{name}",
        title=title if kind == "shapes" else f"{title} with {question.optimizer}",
        code=found.code,
        uri=known.uri,
        source=known.source,
        question=question,
        model=name,
    )


def inputs_in(said: object) -> tuple[Input, ...] | None:
    """The inputs that a client names; None where it names none, or something that is none."""
    texts = said if isinstance(said, list) else []
    found = [re.fullmatch(r"(\d+(?:,\d+)*)(?::(\w+))?", str(one).replace(" ", "")) for one in texts]
    inputs = [
        Input(tuple(map(int, match[1].split(","))), match[2] or "float32")
        for match in found
        if match is not None
    ]
    return tuple(inputs) if inputs and len(inputs) == len(found) else None


def _processes(said: object) -> int | None:
    if isinstance(said, bool) or not isinstance(said, int):
        return None
    return said if 1 <= said <= MOST_PROCESSES else None


def part_at(known: Analysed, first: int, last: int, is_empty: bool) -> Part:
    """What a selection, or the cursor where it is empty, points at. Lines are 0-based."""
    return under_cursor(known.source, first) if is_empty else selection(known.source, first, last)


def _of_file(server: Server, known: Analysed, uri: str, place: types.Range) -> Program:
    span = known.places(server.encoding).span(uri, place)
    lines = known.source.lines
    first, last = lines.line_of(span.start), lines.line_of(span.end)
    if last > first and span.end == lines.start(last):
        last -= 1  # Whole lines were selected: the end stands before the next one.
    part = part_at(known, first, last, span.start == span.end)
    name = Path(known.source.path).stem or "selection"
    return Program(name, f"{name}: {part.title}", part.code, known.uri, source=known.source, lines=part.lines)


def _range(said: object) -> types.Range | None:
    try:
        start, end = (_position(said[key]) for key in ("start", "end"))  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        return None
    return types.Range(start, end)


def _position(said: Any) -> types.Position:
    return types.Position(max(int(said["line"]), 0), max(int(said["character"]), 0))
