"""The public names of torch: `torch.optim.sgd.SGD` is `torch.optim.SGD`.

`torch_names.txt` is made from the symbol index (`python -m torchlore.knowledge`). It is read when the first
name of torch's is met.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from torchlore.analysis.values import Ref

TABLE = Path(__file__).with_name("torch_names.txt")

HEADING = "# Written by `python -m torchlore.knowledge`: module, public module (or *), names."


@lru_cache(maxsize=8192)
def member(owner: str, name: str) -> Ref:
    """What `owner.name` refers to, under its public name."""
    return Ref(canonical(f"{owner}.{name}"))


def canonical(name: str) -> str:
    """The public spelling of a dotted name; itself, where torch has no other one for it."""
    if not name.startswith("torch."):
        return name
    owner, _, last = name.rpartition(".")
    for public, names in _table().get(owner, ()):
        if public != _STAR and f" {last} " in names:
            return f"{public}.{last}"
    return name


@lru_cache(maxsize=64)
def starred(module: str) -> frozenset[str]:
    """The names that `from module import *` surely binds; it may bind others too."""
    for public, names in _table().get(module, ()) if module.partition(".")[0] == "torch" else ():
        if public == _STAR:
            return frozenset(names.split())
    return frozenset()


_STAR = "*"


@lru_cache(maxsize=1)
def _table() -> dict[str, list[tuple[str, str]]]:
    """By module: the public modules of names that it has, and these names with spaces around each."""
    table: dict[str, list[tuple[str, str]]] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        home, public, names = line.split(" ", 2)
        table.setdefault(home, []).append((public, f" {names} "))
    return table
