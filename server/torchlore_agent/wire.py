"""JSON lines over a pipe of their own, which nothing that anyone prints can reach."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

Message = dict[str, Any]

CHUNK = 1 << 16


def claim_pipe() -> tuple[int, int]:
    """Takes the descriptors 0 and 1, which the server connected, away from everybody else.

    Returns:
        The descriptor to read requests from and the one to write answers to. Neither is inherited by a child.
        From now on descriptor 0 is empty and descriptor 1 leads where 2 leads.
    """
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def send(descriptor: int, message: Message) -> None:
    """Writes one message whole. Raises OSError where nobody reads any more."""
    data = memoryview(json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n")
    while data:
        data = data[os.write(descriptor, data) :]


def receive(descriptor: int) -> Iterator[Message]:
    """Yields messages until the other side is gone. What is not a JSON object is passed over."""
    rest = b""
    while True:
        try:
            data = os.read(descriptor, CHUNK)
        except OSError:
            return
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            message = _parse(line)
            if message is not None:
                yield message


def _parse(line: bytes) -> Message | None:
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None
