"""What the libraries that everybody uses beside torch give: a table, one file per library.

`library_facts/<package>.toml` says what objects of a library's classes are, what its functions and methods
give, and whether it keeps its hands off what it is given. Everything in it was checked against the release
that it names (`checked`); nothing is run or imported here. A file is read when code first uses its library.

    checked     the release that the facts were checked with
    same_as     the package is published under this name too; there is nothing else in such a file
    hands_off   whether its code clears no gradients and keeps no hold of what it is given
    but         dotted parts (patterns) of names to which that does not apply
    family      classes with the same facts, the first that matches counts:
        classes, but    patterns of the last part of the dotted name; functions that make an object too
        within          submodules that the name has to be in
        is              the torch class that they derive from, or "object" where they derive from none
        kind            the kind of their objects, where it is another than that of `is`
        trains          a new object has parameters that require gradients
        never_made      factories: `is` holds of what their class methods give, not of themselves
        output          what calling an object gives
        methods, attributes     what these give; `like` names the family to take further ones from
    functions   what functions give, by the last part, or the last two, of the dotted name
    output      the classes of results: what their attributes are (a tensor, tensors: a tuple of them, or an
                object of a class), and ("[]") their items

What something "gives" is said in the words of `library_calls`.
"""

from __future__ import annotations

import fnmatch
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FACTS = Path(__file__).parent / "library_facts"


@dataclass(frozen=True, slots=True)
class Fact:
    """What a call gives, and does.

    Attributes:
        gives: in the words of `library_calls`.
        does: what happens on the way, likewise.
        unless: keywords with which it gives something else.
        over, at: the argument that it is about, by keyword and position; the first where nothing is said.
        then: a keyword whose value is given back behind the others.
        otherwise: the class of the result where what should be given back is not known.
        when: keywords and the literals that they must have; else it gives something else.
    """

    gives: str
    does: tuple[str, ...] = ()
    unless: frozenset[str] = frozenset()
    over: str = ""
    at: int = 0
    then: str = ""
    otherwise: str = ""
    when: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """Classes of one library that have the same facts. The module's documentation explains the fields."""

    base: str
    kind: str
    trains: bool
    hands_off: bool
    output: Fact | None
    methods: Mapping[str, Fact]
    attributes: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class _Pattern:
    family: Family
    names: re.Pattern[str]
    within: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Library:
    """The facts about one library.

    Attributes:
        patterns: which names belong to which family, in order.
        functions: by the last part or parts of their names; `globs` are patterns of the last part.
        outputs: by class: what the attributes of a result are.
        grasping: the parts of names that may keep hold of what they are given.
    """

    checked: str
    hands_off: bool
    grasping: re.Pattern[str]
    patterns: tuple[_Pattern, ...]
    functions: Mapping[str, Fact]
    globs: tuple[tuple[re.Pattern[str], Fact], ...]
    outputs: Mapping[str, Mapping[str, str]]


@lru_cache(maxsize=4096)
def family(name: str) -> Family | None:
    """What is known of a class (or a function that makes an object) by its dotted name as imported."""
    found, path = _library(name)
    if found is None or not path:
        return None
    home = ".".join(path[:-1])
    for pattern in found.patterns:
        if pattern.names.match(path[-1]) and _is_within(home, pattern.within):
            return pattern.family
    return None


@lru_cache(maxsize=4096)
def function(name: str) -> Fact | None:
    """What is known of a function, or a method called on its class, by its dotted name as imported."""
    found, path = _library(name)
    if found is None or not path:
        return None
    fact = found.functions.get(".".join(path[-2:])) or found.functions.get(path[-1])
    if fact is not None:
        return fact
    if len(path) > 1:
        owner = family(name.rpartition(".")[0])
        method = owner.methods.get(path[-1]) if owner is not None else None
        if method is not None:
            return method if method.gives == "object" else None
    return next((fact for pattern, fact in found.globs if pattern.match(path[-1])), None)


def torch_base(name: str) -> str:
    """The torch class that a library's class derives from; empty where it derives from none."""
    known = family(name)
    return known.base if known is not None and known.base.startswith("torch.") else ""


def fields(name: str) -> Mapping[str, str]:
    """What the attributes of a result are, by the dotted name of its class."""
    found, _ = _library(name)
    return found.outputs.get(name, {}) if found is not None else {}


@lru_cache(maxsize=4096)
def keeps_its_hands_off(name: str) -> bool:
    """Whether code of a library clears no gradients and keeps no hold of what it is given."""
    found, path = _library(name)
    if found is None:
        return False
    for length in range(len(path), 0, -1):
        owner = family(".".join([name.partition(".")[0], *path[:length]]))
        if owner is not None:
            return owner.hands_off
    return found.hands_off and not any(found.grasping.match(part) for part in path)


def _is_within(home: str, places: tuple[str, ...]) -> bool:
    return not places or any(home == place or home.startswith(f"{place}.") for place in places)


def _library(name: str) -> tuple[Library | None, tuple[str, ...]]:
    """The library that a dotted name belongs to, and the rest of the name."""
    top, *path = name.split(".")
    return (library(top), tuple(path)) if top in packages() else (None, ())


@lru_cache(maxsize=1)
def packages() -> frozenset[str]:
    """The top-level names of the packages that there are facts about."""
    return frozenset(path.stem for path in FACTS.glob("*.toml"))


@cache
def library(package: str) -> Library:
    """The facts about a package of `packages()`."""
    table = tomllib.loads((FACTS / f"{package}.toml").read_text(encoding="utf-8"))
    if "same_as" in table:
        return library(table["same_as"].partition(".")[0])
    hands_off = table.get("hands_off", False)
    grasping = _matcher(table.get("but", []))
    named = {entry["name"]: entry for entry in table.get("family", []) if "name" in entry}
    functions = {name: _fact(entry) for name, entry in table.get("functions", {}).items()}
    return Library(
        checked=table["checked"],
        hands_off=hands_off,
        grasping=grasping,
        patterns=tuple(_patterns(table.get("family", []), named, hands_off, grasping)),
        functions={name: fact for name, fact in functions.items() if "*" not in name},
        globs=tuple((_matcher([name]), fact) for name, fact in functions.items() if "*" in name),
        outputs=table.get("output", {}),
    )


def _patterns(
    entries: list[dict[str, Any]],
    named: dict[str, dict[str, Any]],
    hands_off: bool,
    grasping: re.Pattern[str],
) -> Iterator[_Pattern]:
    for entry in entries:
        like = named.get(entry.get("like", ""), {})
        methods = {**like.get("methods", {}), **entry.get("methods", {})}
        attributes = {**like.get("attributes", {}), **entry.get("attributes", {})}
        made = Family(
            base=entry["is"],
            kind=entry.get("kind", ""),
            trains=entry.get("trains", False),
            hands_off=entry.get("hands_off", hands_off),
            output=_fact(entry["output"]) if "output" in entry else None,
            methods={name: _fact(given) for name, given in methods.items()},
            attributes={name: _fact(given) for name, given in attributes.items()},
        )
        yield _Pattern(made, _matcher(entry["classes"], entry.get("but", [])), tuple(entry.get("within", ())))


def _fact(entry: str | dict[str, Any]) -> Fact:
    if isinstance(entry, str):
        return Fact(entry)
    return Fact(
        **{
            **entry,
            "does": tuple(entry.get("does", ())),
            "unless": frozenset(entry.get("unless", ())),
            "when": tuple(entry.get("when", {}).items()),
        }
    )


def _matcher(patterns: list[str], but: list[str] | None = None) -> re.Pattern[str]:
    """Matches the names that one of `patterns` matches and none of `but`."""
    wanted = "|".join(map(fnmatch.translate, patterns)) or r"(?!)"
    unwanted = "|".join(map(fnmatch.translate, but or []))
    return re.compile(f"(?!{unwanted})(?:{wanted})" if unwanted else wanted)
