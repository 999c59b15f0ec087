"""The symbol index: every public name of torch, read from `knowledge/symbols/torch-<version>.json.gz`.

The file is read once, on the first question. A record becomes a `Symbol` only when it is asked for.
"""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from torchlore.knowledge.data import data_root
from torchlore.knowledge.model import Symbol
from torchlore.knowledge.urls import url_from

FORMAT = 1

# Whose members a bare attribute may be, most used first. Containers are not among them: `items` and
# `append` on a receiver of unknown type are a dict's and a list's.
_OWNERS = (
    "torch.Tensor",
    "torch.nn.Module",
    "torch.optim.Optimizer",
    "torch.optim.lr_scheduler.LRScheduler",
    "torch.amp.GradScaler",
    "torch.utils.data.DataLoader",
    "torch.utils.data.DistributedSampler",
    "torch.Generator",
    "torch.device",
    "torch.dtype",
    "torch.Size",
    "torch.cuda.Event",
    "torch.cuda.Stream",
    "torch.profiler.profile",
    "torch.distributions.Distribution",
    "torch.distributed.device_mesh.DeviceMesh",
    "torch.nn.parallel.DistributedDataParallel",
)

_log = logging.getLogger(__name__)


@lru_cache(maxsize=4096)
def symbol(name: str) -> Symbol | None:
    """The symbol of a dotted name in any public or private spelling (`torch.optim.sgd.SGD`), or None.

    A private spelling gives the symbol under its canonical name. A public name that stands for another
    gives itself, with `alias_of` set. Members are looked up in their own class only: see `resolve`.
    """
    index = _index()
    if name in index.symbols:
        return _symbol(name, index.symbols[name])
    target = _canonical(name, index.aliases)
    if target is None or target not in index.symbols:
        return None
    if name in index.public_aliases:
        return _symbol(name, index.symbols[target], alias_of=target)
    return _symbol(target, index.symbols[target])


def resolve(candidates: Iterable[str]) -> Symbol | None:
    """The symbol of the first candidate that exists.

    A member that its class does not define is looked up through the bases: `torch.optim.Adam.zero_grad`
    gives `torch.optim.Optimizer.zero_grad`.
    """
    for name in candidates:
        found = symbol(name) or _inherited(name)
        if found is not None:
            return found
    return None


@lru_cache(maxsize=1024)
def member_owners(attribute: str) -> tuple[str, ...]:
    """Which of the widely used classes have a member of that name, most used first; most often none.

    For receivers whose type is unknown: a name that only rare classes have is left out.
    """
    return tuple(owner for owner in _OWNERS if resolve((f"{owner}.{attribute}",)) is not None)


def all_symbols() -> Iterator[Symbol]:
    """Every symbol under its canonical name, sorted; for tools and tests, not for what a user waits for."""
    index = _index()
    for name in sorted(index.symbols):
        found = symbol(name)
        if found is not None:
            yield found


def all_names() -> Iterator[str]:
    """Every name that `symbol` knows under its canonical or another public spelling, in no order."""
    index = _index()
    yield from index.symbols
    yield from index.public_aliases


def index_path() -> Path | None:
    """The shipped index of the newest torch version, or None where none is shipped."""
    paths = sorted((data_root() / "symbols").glob("torch-*.json.gz"), key=_version)
    return paths[-1] if paths else None


def use_index(path: Path | None) -> None:
    """Answer from another index from now on (one built for the user's torch); None means the shipped one.

    Raises ValueError, and changes nothing, where the file is not an index of this format.
    """
    global _current
    if path is not None:
        read_index(path)
    _current = path
    for cached in (_index, symbol, member_owners):
        cached.cache_clear()


def read_index(path: Path) -> dict[str, Any]:
    """The content of an index file.

    Raises ValueError where it is not an index of this format, OSError where it cannot be read.
    """
    try:
        content = json.loads(gzip.decompress(path.read_bytes()))
    except (gzip.BadGzipFile, EOFError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not a symbol index ({error})") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{path}: not a symbol index of format {FORMAT}")
    return content


class _Index:
    """The parsed file: records by canonical name, canonical names by other spelling."""

    __slots__ = ("aliases", "public_aliases", "symbols")

    def __init__(self, content: dict[str, Any]) -> None:
        self.symbols: dict[str, list[Any]] = content["symbols"]
        self.aliases: dict[str, str] = content["aliases"]
        self.public_aliases: dict[str, str] = content["same_as"]
        self.aliases.update(self.public_aliases)


_current: Path | None = None


@lru_cache(maxsize=1)
def _index() -> _Index:
    path = _current or index_path()
    if path is None:
        _log.error("no symbol index under %s", data_root() / "symbols")
        return _Index({"symbols": {}, "aliases": {}, "same_as": {}})
    try:
        return _Index(read_index(path))
    except (OSError, ValueError) as error:
        _log.error("symbol index left out: %s", error)
        return _Index({"symbols": {}, "aliases": {}, "same_as": {}})


def _symbol(name: str, record: list[Any], alias_of: str | None = None) -> Symbol:
    kind, signature, summary, deprecated, url, same_as, bases = record
    return Symbol(
        name=name,
        kind=kind,
        signature=signature,
        summary=summary,
        deprecated=deprecated,
        url=url_from(url, alias_of or name),
        alias_of=alias_of or same_as,
        bases=tuple(bases),
    )


def _canonical(name: str, aliases: dict[str, str]) -> str | None:
    """Replace the longest leading part that is another spelling: `torch.optim.sgd.SGD.step` too."""
    head, tail = name, ""
    while head:
        if head in aliases:
            return aliases[head] + tail
        head, dot, last = head.rpartition(".")
        tail = f"{dot}{last}{tail}"
    return None


def _inherited(name: str) -> Symbol | None:
    owner_name, _, member = name.rpartition(".")
    owner = symbol(owner_name)
    pending = list(owner.bases) if owner else []
    seen: set[str] = set()
    while pending:
        base_name = pending.pop(0)
        if base_name in seen:
            continue
        seen.add(base_name)
        found = symbol(f"{base_name}.{member}")
        if found is not None:
            return found
        base = symbol(base_name)
        pending.extend(base.bases if base else ())
    return None


def _version(path: Path) -> tuple[int, ...]:
    digits = path.name.removeprefix("torch-").removesuffix(".json.gz").split(".")
    return tuple(int(part) for part in digits if part.isdigit())
