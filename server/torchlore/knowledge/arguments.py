"""What the arguments of torch's callables mean: `knowledge/arguments.toml`, read with the first question."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from torchlore.knowledge.data import ContentError, data_root, read_toml
from torchlore.knowledge.symbols import symbol

FILE = "arguments.toml"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an argument means for some callables.

    Attributes:
        name: of the parameter.
        of: the callables, by canonical name; `torch.nn.*` stands for all names in `torch.nn`.
        text: one or two sentences.
        choices: what a value says, by the value as Python writes it (`'mean'`, `True`).
    """

    name: str
    of: tuple[str, ...]
    text: str
    choices: Mapping[str, str] = field(default_factory=dict)


def meaning(function: str, name: str) -> Meaning | None:
    """What the argument `name` of a callable means, None where nothing is written about it.

    A member is looked up on the bases of its class too, as for cards.
    """
    table = _by_parameter().get(name, ())
    for spelling in _spellings(function):
        for entry in table:
            if spelling in entry.of:
                return entry
    for spelling in _spellings(function):
        for entry in table:
            if any("*" in pattern and _fits(spelling, pattern) for pattern in entry.of):
                return entry
    return None


def exact_names(function: str) -> tuple[str, ...]:
    """The arguments that something is written about for this very callable, not for all of its kind."""
    spellings = set(_spellings(function))
    return tuple(dict.fromkeys(entry.name for entry in meanings() if spellings & set(entry.of)))


@lru_cache(maxsize=1)
def meanings() -> tuple[Meaning, ...]:
    """Every entry of the file. Where it cannot be read that is logged, and there are none."""
    try:
        table = read_toml((data_root() / FILE).read_text(encoding="utf-8"), FILE)
        return tuple(_meaning(entry) for entry in table["argument"])
    except (ContentError, OSError, KeyError, TypeError) as error:
        _log.error("what arguments mean is left out: %s", error)
        return ()


def _meaning(entry: dict[str, Any]) -> Meaning:
    return Meaning(
        entry["name"], tuple(entry["of"]), " ".join(entry["text"].split()), dict(entry.get("choices", {}))
    )


@lru_cache(maxsize=1)
def _by_parameter() -> dict[str, tuple[Meaning, ...]]:
    found: dict[str, list[Meaning]] = {}
    for entry in meanings():
        found.setdefault(entry.name, []).append(entry)
    return {name: tuple(entries) for name, entries in found.items()}


def _fits(name: str, pattern: str) -> bool:
    """Whether a name is directly in what the pattern names: `torch.nn.*` has nothing of `torch.nn.init`."""
    return name.count(".") == pattern.count(".") and fnmatchcase(name, pattern)


def _spellings(function: str) -> tuple[str, ...]:
    """The name, what it stands for, and what it overrides."""
    known = symbol(function)
    if known is None:
        return (function,)
    owner, _, member = known.name.rpartition(".")
    cls = symbol(owner) if owner else None
    inherited = [f"{base}.{member}" for base in cls.bases] if cls is not None else []
    return tuple(dict.fromkeys([known.name, known.alias_of or known.name, *inherited]))
