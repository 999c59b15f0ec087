"""The symbol index: every public name of torch, read from `knowledge/symbols/torch-<version>.txt.gz`.

The file is read once, on the first question. A record is parsed, and becomes a `Symbol`, only when it is
asked for.
"""

from __future__ import annotations

import json
import logging
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from torchlore.knowledge.data import data_root
from torchlore.knowledge.index_file import read_lines, without_history
from torchlore.knowledge.model import ParameterChange, Symbol
from torchlore.knowledge.urls import url_from

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

_EXISTENCE = {"since", "removed"}
_EMPTY: dict[str, Any] = {"symbols": {}, "aliases": {}, "same_as": {}, "namespaces": {}, **without_history()}

_log = logging.getLogger(__name__)


@lru_cache(maxsize=4096)
def symbol(name: str) -> Symbol | None:
    """The symbol of a dotted name in any public or private spelling (`torch.optim.sgd.SGD`), or None.

    A private spelling gives the symbol under its canonical name. A public name that stands for another
    gives itself, with `alias_of` set. Members are looked up in their own class only: see `resolve`.
    """
    index = _index()
    if name in index.records:
        return _symbol(name, name)
    target = _canonical(name, index.aliases)
    if target is None or target not in index.records:
        return None
    return _symbol(target, name, alias_of=target if name in index.public_aliases else None)


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


def within(candidates: Iterable[str]) -> Symbol | None:
    """What can be said of a candidate that no record describes, by where it stands; most often nothing.

    That is a name of an open namespace (operators under `torch.ops`, what vendors' packages add), or a
    private name inside of something that torch has. It is not claimed that the name exists.
    """
    return next((found for name in candidates if (found := _placed(name)) is not None), None)


@lru_cache(maxsize=1024)
def member_owners(attribute: str) -> tuple[str, ...]:
    """Which of the widely used classes have a member of that name, most used first; most often none.

    For receivers whose type is unknown: a name that only rare classes have is left out.
    """
    return tuple(owner for owner in _OWNERS if resolve((f"{owner}.{attribute}",)) is not None)


def all_symbols() -> Iterator[Symbol]:
    """Every symbol under its canonical name, sorted; for tools and tests, not for what a user waits for."""
    index = _index()
    for name in sorted(index.records):
        found = symbol(name)
        if found is not None:
            yield found


def all_names() -> Iterator[str]:
    """Every name that `symbol` knows under its canonical or another public spelling, in no order."""
    index = _index()
    yield from index.records
    yield from index.public_aliases


def index_path() -> Path | None:
    """The shipped index of the newest torch version, or None where none is shipped."""
    paths = sorted((data_root() / "symbols").glob("torch-*.txt.gz"), key=_version)
    return paths[-1] if paths else None


def use_index(path: Path | None) -> None:
    """Answer from another index from now on (one built for the user's torch); None means the shipped one.

    Raises ValueError, and changes nothing, where the file is not an index of this format.
    """
    global _current
    if path is not None:
        read_lines(path)
    _current = path
    for cached in (_index, symbol, member_owners, _placed):
        cached.cache_clear()


def index_in_use() -> Path | None:
    """The index that was chosen with `use_index`; None means the shipped one."""
    return _current


class _Index:
    """The file's lines by name: records and ranges as text, canonical names by other spelling."""

    __slots__ = ("aliases", "namespaces", "public_aliases", "ranges", "records")

    def __init__(self, content: dict[str, Any]) -> None:
        self.records = ChainMap(content["symbols"], content["other_symbols"])
        self.public_aliases: Mapping[str, str] = content["same_as"]
        self.aliases = ChainMap(content["same_as"], content["aliases"], content["other_aliases"])
        self.namespaces: Mapping[str, str] = content["namespaces"]
        self.ranges: Mapping[str, str] = content["ranges"]


_current: Path | None = None


@lru_cache(maxsize=1)
def _index() -> _Index:
    path = _current or index_path()
    if path is None:
        _log.error("no symbol index under %s", data_root() / "symbols")
        return _Index(_EMPTY)
    try:
        return _Index(read_lines(path))
    except (OSError, ValueError) as error:
        _log.error("symbol index left out: %s", error)
        return _Index(_EMPTY)


def _symbol(name: str, spelling: str, alias_of: str | None = None) -> Symbol:
    kind, signature, summary, deprecated, url, same_as, bases = json.loads(_index().records[name])
    claims = _claims(name, spelling)
    deprecated_since = claims.get("deprecated")
    return Symbol(
        name=spelling if alias_of else name,
        kind=kind,
        signature=signature,
        summary=summary,
        deprecated=deprecated or claims.get("advice"),
        url=url_from(url, name),
        alias_of=alias_of or same_as,
        bases=tuple(bases),
        since=claims.get("since"),
        removed=claims.get("removed"),
        deprecated_since=deprecated_since,
        replacement=claims.get("use"),
        changes=tuple(
            ParameterChange(parameter, since, removed)
            for parameter, (since, removed) in claims.get("parameters", {}).items()
        ),
    )


@lru_cache(maxsize=1024)
def _placed(name: str) -> Symbol | None:
    index = _index()
    owner, inner = name, ""
    while owner and owner != "torch":
        if owner in index.namespaces:
            said = json.loads(index.namespaces[owner])
            return _unrecorded(name, said["line"], said.get("behind", ()) if inner else ())
        owner, _, last = owner.rpartition(".")
        inner = f"{last}.{inner}" if inner else last
        is_private = any(part.startswith("_") for part in inner.split("."))
        if is_private and symbol(owner) is not None:
            line = f"Private to `{owner}`: undocumented, and it may change in any release."
            return _unrecorded(name, line, ())
    return None


def _unrecorded(name: str, line: str, namesakes: Iterable[str]) -> Symbol:
    """A symbol that no record describes; a public one of the same name in one of `namesakes` explains it."""
    last = name.rpartition(".")[2]
    public = resolve(f"{namespace}.{last}" for namespace in namesakes)
    summary = f"{line} Behind `{public.name}`: {public.summary}" if public else line
    return Symbol(name, "attribute", "", summary, None, url_from("", name), None, ())


def _claims(name: str, spelling: str) -> dict[str, Any]:
    """What is known of a symbol's versions, in the spelling that was asked for.

    What is not said of a member follows from its class, and that from its module: a class that another place
    got in 2.5 (`torch.distributed.tensor.DTensor`) may be older where it was before.
    """
    claims = _claimed(name)
    if spelling != name:
        claims = {key: claim for key, claim in claims.items() if key not in _EXISTENCE}
        claims.update(_claimed(spelling))
    for level in _levels(name, spelling):
        found = _claimed(level)
        for key in _EXISTENCE & found.keys():
            claims.setdefault(key, found[key])
    return claims


def _claimed(name: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(_index().ranges.get(name, "{}"))
    return claims


def _levels(name: str, spelling: str) -> Iterator[str]:
    """A name and its owners, in the spelling that was asked for as far as that is another one."""
    aliases = _index().aliases
    while spelling != name and spelling not in aliases:
        yield name
        name, spelling = name.rpartition(".")[0], spelling.rpartition(".")[0]
    while spelling:
        yield spelling
        spelling = spelling.rpartition(".")[0]


def _canonical(name: str, aliases: Mapping[str, str]) -> str | None:
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
    digits = path.name.removeprefix("torch-").removesuffix(".txt.gz").split(".")
    return tuple(int(part) for part in digits if part.isdigit())
