"""What the agent says it saw of a snippet, checked: all of it went through the hands of the snippet."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from torchlore.device.model import LineValue, Picture, Value, Warned

_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST_PICTURE = 4 << 20
_MOST = 20


def value_in(said: object) -> Value | None:
    """The value in a message; None where there is none, or it is malformed."""
    if not isinstance(said, Mapping) or said.get("kind") not in ("tensor", "object"):
        return None
    shape, first = said.get("shape"), said.get("first")
    sizes = tuple(size for size in shape if isinstance(size, int)) if isinstance(shape, list) else None
    elements = tuple(x for x in first if isinstance(x, (int, float, str))) if isinstance(first, list) else ()
    return Value(
        kind=said["kind"],
        type=str(said.get("type")),
        text=str(said.get("text")),
        shape=sizes,
        dtype=_text(said.get("dtype")),
        device=_text(said.get("device")),
        requires_grad=said.get("requires_grad") is True,
        min=_number(said.get("min")),
        mean=_number(said.get("mean")),
        max=_number(said.get("max")),
        nan=_count(said.get("nan")),
        inf=_count(said.get("inf")),
        first=elements,
    )


def warnings_in(said: object) -> tuple[Warned, ...]:
    """The warnings in a list of messages."""
    messages = said if isinstance(said, list) else []
    return tuple(
        Warned(str(message.get("category")), str(message.get("message")), _count(message.get("line")))
        for message in messages[:_MOST]
        if isinstance(message, Mapping)
    )


def lines_in(said: object) -> tuple[LineValue, ...]:
    """What lines gave, in a list of messages."""
    found = []
    for message in said if isinstance(said, list) else []:
        line, value = message.get("line"), value_in(message.get("value"))
        if isinstance(line, int) and value is not None:
            found.append(LineValue(line, str(message.get("name")), value))
    return tuple(found)


def pictures_in(said: object, directory: Path) -> tuple[Picture, ...]:
    """The pictures that lie in a run's directory under these names; whatever is no PNG is left out."""
    names = said if isinstance(said, list) else []
    found = (_picture(name, directory) for name in names[:_MOST] if isinstance(name, str))
    return tuple(picture for picture in found if picture is not None)


def _picture(name: str, directory: Path) -> Picture | None:
    if not re.fullmatch(r"[a-z]+(-\d+)?\.png", name):
        return None
    # A snippet may have put a pipe that nobody writes to in its place, or a link to somewhere else.
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        with open(directory / name, "rb", opener=lambda path, _: os.open(path, flags)) as file:
            data = file.read(_LARGEST_PICTURE + 1) or b""
    except OSError:
        return None
    return Picture(name, data) if data.startswith(_PNG) and len(data) <= _LARGEST_PICTURE else None


def _text(said: object) -> str | None:
    return said if isinstance(said, str) else None


def _number(said: object) -> float | None:
    return said if isinstance(said, (int, float)) else None


def _count(said: object) -> int | None:
    return said if isinstance(said, int) else None
