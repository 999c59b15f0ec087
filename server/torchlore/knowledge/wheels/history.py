"""What the wheels add to the symbol index: names that other versions have, and since when names exist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torchlore_agent.symbol_index import prose
from torchlore_agent.symbol_index.describe import tidy

from torchlore.knowledge.wheels.bindings import Class, Function, Module
from torchlore.knowledge.wheels.lookup import Found, State, Torch, find, maker, parent_classes
from torchlore.knowledge.wheels.public import members, passed_on, public_names
from torchlore.knowledge.wheels.ranges import deprecation, existence, parameters

_ADVISED = re.compile(
    r"(?:[Uu]se|favou?r of|(?:replaced|superseded) (?:by|with)|(?:renamed|moved|changed|migrate|switch) to)"
    r"\s+(?:the )?[`'\"]?(?P<name>[A-Za-z_]\w*(?:\.\w+)*)"
)
_NO_FILE = re.compile(r"<locals>|pybind11_detail")


def history(content: Mapping[str, Any], torches: Sequence[Torch]) -> dict[str, Any]:
    """What the versions of torch add to an index.

    Args:
        content: the index of one version, as `build_index` makes it.
        torches: of every version, oldest first.

    Returns:
        "versions": those that were read; "other_symbols": records of names that the index does not have;
        "other_aliases": further spellings of names of either; "ranges": by name what changes between
        versions, of "since", "removed", "deprecated" (versions), "advice", "use" (texts) and "parameters"
        ([since, removed] by name). The same wheels give the same history.

    Raises ValueError where the version that the index describes is not among them.
    """
    known = {*content["symbols"], *content["aliases"], *content["same_as"]}
    symbols, aliases = _other_names(content, known, torches)
    passed = aliases.keys() - known
    ranges: dict[str, dict[str, Any]] = {}
    everything = {**content["aliases"], **content["same_as"], **aliases}
    for name in sorted({*content["symbols"], *symbols, *everything}):
        if not _NO_FILE.search(name) and _can_be_told(name, known, content, torches):
            claims = _claims(name, name not in everything, torches)
            if name in passed:
                claims.pop("since", None)  # Nobody asks since when one module imports from another.
            if claims:
                ranges[name] = claims
    everywhere = {**everything, **{name: name for name in (*content["symbols"], *symbols)}}
    _add_replacements(ranges, content["symbols"], symbols, everywhere)
    ranges = _without_inherited(ranges)
    used = {claims.get("use") for claims in ranges.values()}
    symbols = {
        name: record
        for name, record in sorted(symbols.items())
        if name in used or name in ranges or _says_something(record)
    }
    targets = {*content["symbols"], *symbols}
    aliases = {name: target for name, target in sorted(aliases.items()) if target in targets}
    told = targets | aliases.keys() | content["aliases"].keys() | content["same_as"].keys()
    return {
        "versions": [torch.wheel.version for torch in torches],
        "other_symbols": symbols,
        "other_aliases": aliases,
        "ranges": {name: claims for name, claims in ranges.items() if name in told},
    }


def agreement(content: Mapping[str, Any], torch: Torch) -> tuple[int, int, int]:
    """Of the names of an index, how many the text of the same version shows, denies, and leaves open."""
    states = [find(torch, name).state for name in content["symbols"]]
    return (
        states.count(State.PRESENT),
        states.count(State.ABSENT),
        states.count(State.UNKNOWN),
    )


def described(content: Mapping[str, Any], torches: Sequence[Torch]) -> Torch:
    """The wheel of the version that the index describes, or the newest one of the same minor version."""
    wanted = str(content["torch"]).partition("+")[0].split(".")[:2]
    for torch in reversed(torches):
        if torch.wheel.version.split(".")[:2] == wanted:
            return torch
    raise ValueError(f"no wheel of torch {'.'.join(wanted)}, which the index describes, is among the wheels")


def _can_be_told(name: str, known: set[str], content: Mapping[str, Any], torches: Sequence[Torch]) -> bool:
    """Whether reading the text of the described version gives what importing it gave."""
    is_there = find(described(content, torches), name).state
    return is_there is (State.PRESENT if name in known else is_there)


def _other_names(
    content: Mapping[str, Any], known: set[str], torches: Sequence[Torch]
) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """Names that the index lacks, as records; and spellings of names that the index or those records have."""
    symbols: dict[str, list[Any]] = {}
    aliases: dict[str, str] = {}
    newest = described(content, torches)
    targets = {**content["aliases"], **content["same_as"], **{name: name for name in content["symbols"]}}
    for torch in reversed(torches):  # The newest version that has a name describes it.
        for canonical, spellings in public_names(torch).items():
            target = next((targets[each] for each in spellings if each in targets), None)
            for spelling in spellings:
                if spelling in targets or (
                    target is None and find(newest, canonical).state is State.UNKNOWN and torch is not newest
                ):
                    continue
                targets[spelling] = target or canonical
                if target or spelling != canonical:
                    aliases[spelling] = target or canonical
                else:
                    symbols[canonical] = _record(torch, canonical, targets)
        for name in _new_members(torch, targets):
            symbols[name] = _record(torch, name, targets)
            targets[name] = name
    return symbols, {**aliases, **passed_on(newest, targets, _defined(newest, targets))}


def _says_something(record: list[Any]) -> bool:
    """Whether a record is worth its place by itself: it has a line, or is what holds others."""
    kind, _, line, *_ = record
    return bool(line) or kind in ("class", "exception", "enum", "module")


def _defined(torch: Torch, targets: Mapping[str, str]) -> dict[str, str]:
    """The canonical name of each class and function by the place of its definition."""
    found = {name: find(torch, name) for name in sorted(set(targets.values()))}
    return {
        each.home: name
        for name, each in found.items()
        if each.home and isinstance(each.thing, Class | Function)
    }


def _new_members(torch: Torch, targets: Mapping[str, str]) -> Iterator[str]:
    """Members that no record has yet, of every class that has a record."""
    classes = {
        name: found.thing
        for name, target in targets.items()
        if name == target and isinstance((found := find(torch, name)).thing, Class)
    }
    homes = {f"{cls.module}.{cls.name}" for cls in classes.values()}
    for owner, cls in classes.items():
        for member in dict.fromkeys(members(torch, cls, homes)):
            name = f"{owner}.{member}"
            if name not in targets:
                yield name


def _record(torch: Torch, name: str, targets: Mapping[str, str]) -> list[Any]:
    """A record of the index, from the text alone."""
    found = find(torch, name)
    thing = found.thing
    made_by = maker(torch, found)
    last = name.rpartition(".")[2]
    doc = thing.doc if isinstance(thing, Class | Function) else ""
    signature = tidy(made_by.signature, False).removesuffix(" -> None") if made_by else ""
    return [
        _kind(torch, name, found),
        signature,
        prose.one_line(prose.split_signature(doc, last)[1]),
        thing.deprecated if isinstance(thing, Class | Function) else None,
        "",
        None,
        _bases(torch, thing, targets) if isinstance(thing, Class) else [],
    ]


def _kind(torch: Torch, name: str, found: Found) -> str:
    is_member = isinstance(find(torch, name.rpartition(".")[0]).thing, Class)
    match found.thing:
        case Module():
            return "module"
        case Class(bases=bases):
            if any(base.endswith(("Error", "Exception", "Warning")) for base in bases):
                return "exception"
            return "enum" if any(base.endswith("Enum") for base in bases) else "class"
        case Function(kind=kind):
            return "method" if is_member and kind == "function" else kind
        case _:
            return "attribute" if is_member else "constant"


def _bases(torch: Torch, cls: Class, targets: Mapping[str, str]) -> list[str]:
    """The nearest bases that the index knows."""
    found: list[str] = []
    for parent, _ in parent_classes(torch, cls):
        home = f"{parent.module}.{parent.name}"
        for name in [targets[home]] if home in targets else _bases(torch, parent, targets):
            if name not in found:
                found.append(name)
    return found


def _claims(name: str, is_canonical: bool, torches: Sequence[Torch]) -> dict[str, Any]:
    since, removed = existence(name, torches)
    deprecated, advice = deprecation(name, torches) if is_canonical else (None, None)
    changed = parameters(name, torches) if is_canonical else {}
    claims: dict[str, Any] = {"since": since, "removed": removed, "deprecated": deprecated}
    claims["advice"] = advice if deprecated or removed else None
    claims["parameters"] = {parameter: list(span) for parameter, span in changed.items()}
    return {key: claim for key, claim in claims.items() if claim}


def _add_replacements(
    ranges: dict[str, dict[str, Any]],
    described: Mapping[str, list[Any]],
    others: Mapping[str, list[Any]],
    everywhere: Mapping[str, str],
) -> None:
    """Name what to use instead: where torch's advice names it, or a spelling went and its symbol stayed."""
    records = {**others, **described}
    for name in sorted({*ranges, *(name for name, record in described.items() if record[3])}):
        claims = ranges.get(name, {})
        target = everywhere.get(name, name)
        advice = claims.get("advice") or (records[name][3] if name in records else None)
        use = _advised(name, advice, everywhere) if advice else None
        if (
            use is None
            and claims.get("removed")
            and target != name
            and not ranges.get(target, {}).get("removed")
        ):
            use = target
        if use is not None:
            ranges.setdefault(name, claims)["use"] = use


def _advised(name: str, advice: str, everywhere: Mapping[str, str]) -> str | None:
    for match in _ADVISED.finditer(advice):
        said = match["name"]
        owner = name
        candidates = [said]  # in full, or as it is spelled beside the name: the nearest is meant
        while owner := owner.rpartition(".")[0]:
            candidates.append(f"{owner}.{said}")
        for candidate in candidates:
            if candidate in everywhere and candidate.startswith("torch.") and everywhere[candidate] != name:
                return candidate
    return None


def _without_inherited(ranges: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Without what follows from the owner: the members of a class that came with it and went with it."""
    kept: dict[str, dict[str, Any]] = {}
    for name, claims in ranges.items():
        own = dict(claims)
        for key in ("since", "removed"):
            if own.get(key) and own.get(key) == _inherited(name, key, ranges):
                del own[key]
        if own:
            kept[name] = own
    return kept


def _inherited(name: str, key: str, ranges: Mapping[str, Mapping[str, Any]]) -> str | None:
    while name := name.rpartition(".")[0]:
        if found := ranges.get(name, {}).get(key):
            return str(found)
    return None
