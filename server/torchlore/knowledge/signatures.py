"""Signatures as the symbol index holds them, taken apart: which parameters, with which defaults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a signature.

    Attributes:
        name: without stars.
        annotation: as it is written; empty where there is none.
        default: as it is written; empty where there is none.
        kind: "positional", "keyword" (given by name only), "*" or "**".
    """

    name: str
    annotation: str
    default: str
    kind: str


@lru_cache(maxsize=512)
def parameters(signature: str) -> tuple[Parameter, ...]:
    """The parameters of `(input, *, dim: int = 0) -> Tensor`, in order. Empty where it is no signature.

    Torch's own form for tensor factories, `(*size, *, dtype=None)`, is no Python and is taken apart as well.
    """
    inner = _inside(signature)
    found: list[Parameter] = []
    kind = "positional"
    for part in _split(inner, ","):
        if part == "*":
            kind = "keyword"
        elif part and part != "/":
            found.append(_parameter(part, kind))
            kind = "keyword" if found[-1].kind == "*" else kind
    return tuple(found)


def bound(signature: str, positional: Sequence[str]) -> tuple[tuple[str, str], ...] | None:
    """Which parameter each positional argument of a call is for, as pairs of name and argument.

    Args:
        signature: of what is called, without `self`.
        positional: the arguments as they are written; none of them has a star.

    Returns:
        None where they do not fit. What `*names` takes is left out: it has no name of its own.
    """
    known = parameters(signature)
    slots = [parameter for parameter in known if parameter.kind == "positional"]
    takes_more = any(parameter.kind == "*" for parameter in known)
    if len(positional) > len(slots) and not takes_more:
        return None
    required = max((at + 1 for at, slot in enumerate(slots) if not slot.default), default=0)
    if any(slot.default for slot in slots[:required]) and len(positional) < required:
        return None  # `(start=0, end)`: which one is meant depends on how many there are
    return tuple((slot.name, text) for slot, text in zip(slots, positional, strict=False))


def parameter(signature: str, name: str) -> Parameter | None:
    """The parameter of that name."""
    return next((p for p in parameters(signature) if p.name == name and p.kind[0] != "*"), None)


def declared(parameter: Parameter) -> str:
    """The parameter as a signature writes it: with its annotation and its default."""
    stars = parameter.kind if parameter.kind[0] == "*" else ""
    annotation = f": {parameter.annotation}" if parameter.annotation else ""
    equals = " = " if parameter.annotation else "="
    default = f"{equals}{parameter.default}" if parameter.default else ""
    return f"{stars}{parameter.name}{annotation}{default}"


def _parameter(part: str, kind: str) -> Parameter:
    stars = len(part) - len(part.lstrip("*"))
    head, default = _cut(part[stars:], "=")
    name, annotation = _cut(head, ":")
    return Parameter(name, annotation, default, "*" * stars or kind)


def _inside(signature: str) -> str:
    """What stands between the first bracket and the one that closes it."""
    if not signature.startswith("("):
        return ""
    end = next((at for at, depth in _depths(signature) if depth == 0 and at), len(signature))
    return signature[1:end]


def _split(text: str, mark: str) -> list[str]:
    """`text` at the marks that stand in no bracket and no string."""
    places = [at for at, depth in _depths(text) if depth == 0 and text[at] == mark]
    starts, ends = [0, *(at + 1 for at in places)], [*places, len(text)]
    return [text[start:end].strip() for start, end in zip(starts, ends, strict=True)]


def _cut(text: str, mark: str) -> tuple[str, str]:
    head, *rest = _split(text, mark)
    return head, f"{mark}".join(rest)


def _depths(text: str) -> Iterator[tuple[int, int]]:
    """Every place outside of strings, and how many brackets are open behind it."""
    depth, quote = 0, ""
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
            continue
        if character in "'\"":
            quote = character
            continue
        depth += (character in _OPENING) - (character in _CLOSING)
        yield at, depth
