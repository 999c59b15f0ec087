"""The words by which a file is known to be worth looking at: the last part of every name that changed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from torchlore.rules.api import _table
from torchlore.rules.triggers import words
from torchlore.text import Source

_COMMON = frozenset(
    """
    Tensor autocast bottleneck constant convert error export eye fork freeze fsspec grad group
    ignore init interface isinstance legacy load load_state_dict main names norm normal orthogonal
    pipeline prepare profile push quantize quantizer range rename resize save script sigmoid sparse
    storage tanh trace uniform upsample variable verbose verify wait
    """.split()  # noqa: SIM905 - as a list it would be fifty lines
)
"""Words that stand for other things in most files that have them: they count where their module stands by."""

_ALIASES = {"functional": "F", "checkpoint": "dcp"}


@cache
def _contexts() -> dict[bytes, tuple[str, ...] | None]:
    """By word: where it counts; None where it always does."""
    found: dict[bytes, tuple[str, ...] | None] = {}
    for name in _names():
        owner, _, word = name.rpartition(".")
        key = word.encode()
        if word not in _COMMON:
            found[key] = None
        elif not owner.rpartition(".")[2][:1].isupper():
            home = owner.rpartition(".")[2]
            near = [f"{home}.{word}", *([f"{_ALIASES[home]}.{word}"] if home in _ALIASES else [])]
            near += [] if home == "torch" else [f"{home} import"]
            found[key] = (*(found.get(key) or ()), *near)
    return found


def _names() -> Iterable[str]:
    return (name for name in _table.names() if "(" not in name)


def trigger() -> str:
    """The trigger of a rule about names."""
    return rf"\b(?:{'|'.join(sorted(word.decode() for word in _contexts()))})\b"


def concerns(source: Source) -> bool:
    """Whether one of the words is there, and not only as a word for something else."""
    known = _contexts()
    for word in words(source.text) & known.keys():
        near = known[word]
        if near is None or any(each in source.text for each in near):
            return True
    return False
