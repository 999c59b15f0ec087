"""What a client declares, read where somebody asks for it.

lsprotocol has 200 classes for it. To make one of each, with the code that does so, took a tenth of the time
until the first answer, and most of what a client declares nobody asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Capabilities:
    """Stands for `lsprotocol.types.ClientCapabilities`, and for all that hangs on it.

    An attribute is what stands behind the same name in camel case, an enumerated value its plain literal;
    None where nothing is declared.
    """

    __slots__ = ("_declared",)

    def __init__(self, declared: Mapping[str, Any]) -> None:
        self._declared = declared

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python asks of any object
            raise AttributeError(name)
        first, *others = name.split("_")
        value = self._declared.get(first + "".join(map(str.capitalize, others)))
        return Capabilities(value) if isinstance(value, dict) else value


def read(raw: object, _: type) -> Capabilities:
    """For a converter.

    Raises:
        ValueError: it is no object.
    """
    if not isinstance(raw, dict):
        raise ValueError("the capabilities of a client are an object")
    return Capabilities(raw)
