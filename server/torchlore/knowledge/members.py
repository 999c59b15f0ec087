"""The members of a class of torch, those first that idiomatic code uses most."""

from __future__ import annotations

import logging
import re
from collections import Counter
from functools import lru_cache
from pathlib import Path

from torchlore.knowledge.data import data_root
from torchlore.knowledge.model import Symbol
from torchlore.knowledge.symbols import all_names, index_in_use, symbol

MOST = 40
"""More members than this, where nothing of a name is typed, nobody reads."""

_log = logging.getLogger(__name__)
_ATTRIBUTE = re.compile(r"(?<=\.)[A-Za-z]\w*")


def members_like(cls: str, prefix: str) -> tuple[Symbol, ...]:
    """The public members of a class, and of its bases, whose names begin with `prefix`, whatever its case.

    Those come first that the snippets use most; without a prefix there are no others, and `MOST` at the most.
    What is deprecated is left out.
    """
    known = _members(cls, index_in_use())
    if not prefix:
        return tuple(one for one in known if _uses()[_last(one)])[:MOST]
    wanted = prefix.lower()
    return tuple(one for one in known if _last(one).lower().startswith(wanted))


def is_name_of_torch(name: str) -> bool:
    """Whether anything of torch's has this name, without what it belongs to."""
    return name in _names(index_in_use())


def _last(one: Symbol) -> str:
    return one.name.rpartition(".")[2]


@lru_cache(maxsize=32)
def _members(cls: str, index: Path | None) -> tuple[Symbol, ...]:
    found: dict[str, Symbol] = {}
    pending, seen = [cls], set[str]()
    while pending:
        known = symbol(pending.pop(0))
        if known is None or known.name in seen:
            continue
        seen.add(known.name)
        pending += known.bases
        for last in _by_owner(index).get(known.name, ()):
            one = symbol(f"{known.name}.{last}")
            if one is not None and not one.deprecated and one.removed is None:
                found.setdefault(last, one)
    return tuple(sorted(found.values(), key=lambda one: (-_uses()[_last(one)], one.name)))


@lru_cache(maxsize=1)
def _by_owner(index: Path | None) -> dict[str, tuple[str, ...]]:
    """The public names of members by what they are members of, in the index in use."""
    found: dict[str, list[str]] = {}
    for name in all_names():
        owner, _, last = name.rpartition(".")
        if not last.startswith("_"):
            found.setdefault(owner, []).append(last)
    return {owner: tuple(names) for owner, names in found.items()}


@lru_cache(maxsize=1)
def _names(index: Path | None) -> frozenset[str]:
    return frozenset(last for names in _by_owner(index).values() for last in names)


@lru_cache(maxsize=1)
def _uses() -> Counter[str]:
    """How often the snippets, those to insert included, ask for an attribute of a name."""
    found: Counter[str] = Counter()
    for path in (*(data_root() / "snippets").glob("*.py"), *(data_root() / "inserts").glob("*.py")):
        try:
            found.update(_ATTRIBUTE.findall(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            _log.error("snippet left out: %s", error)
    return found
