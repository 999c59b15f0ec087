"""The words by which a file is known to be worth looking at: the last part of every name that changed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache

from torchlore.rules.api import _table
from torchlore.rules.triggers import words_of
from torchlore.text import Source

_COMMON = frozenset(
    """
    Tensor ToTensor autocast bottleneck constant convert error export eye fork freeze fsspec grad
    group ignore init interface isinstance legacy load load_state_dict main names norm normal
    orthogonal pipeline prepare profile push quantize quantizer range rename resize save script
    sigmoid sparse storage tanh trace uniform upsample use_cuda variable verbose verify wait
    """.split()  # noqa: SIM905 - as a list it would be fifty lines
)
"""Words that stand for other things in most files that have them: they count where their module stands by."""

_ALIASES = {"functional": "F", "checkpoint": "dcp"}


@cache
def _contexts() -> dict[bytes, dict[bytes, tuple[str, ...]] | None]:
    """By word: None where it always counts; else how it stands beside its module, by the module's word."""
    found: dict[bytes, dict[bytes, tuple[str, ...]] | None] = {}
    for name in _names():
        owner, _, word = name.rpartition(".")
        home = owner.rpartition(".")[2]
        if word not in _COMMON:
            found[word.encode()] = None
            continue
        contexts = found.setdefault(word.encode(), {})
        if contexts is None or home[:1].isupper():
            continue  # a method of a class: its name alone says nothing
        contexts[home.encode()] = (
            (f"{home}.{word}",) if home == "torch" else (f"{home}.{word}", f"{home} import")
        )
        if home in _ALIASES:
            contexts[_ALIASES[home].encode()] = (f"{_ALIASES[home]}.{word}",)
    return found


@cache
def _all() -> frozenset[bytes]:
    return frozenset(_contexts())


def _names() -> Iterable[str]:
    return (name for name in _table.names() if "(" not in name)


def last_words(source: Source) -> frozenset[str]:
    """The words of a file that are the last part of a name that changed."""
    return frozenset(word.decode() for word in words_of(source.text) & _all())


def trigger() -> str:
    """The trigger of a rule about names."""
    return rf"\b(?:{'|'.join(sorted(word.decode() for word in _contexts()))})\b"


def concerns(source: Source) -> bool:
    """Whether one of the words is there, and not only as a word for something else."""
    return _concerns(source.text)


@lru_cache(maxsize=2)
def _concerns(text: str) -> bool:
    """Kept for the other rules about names, which ask the same."""
    known, found = _contexts(), words_of(text)
    for word in found & _all():
        contexts = known[word]
        if contexts is None:
            return True
        for home, written in contexts.items():
            if home in found:
                for context in written:
                    if context in text:
                        return True
    return False
