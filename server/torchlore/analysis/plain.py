"""Values that are known not to be torch's: strings, arrays of NumPy, pictures, paths, parsers, loggers."""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from torchlore.analysis import python_facts
from torchlore.analysis.queries import join
from torchlore.analysis.values import Const, Container, Iterable, Number, Unknown, Value


@dataclass(eq=False, repr=False, slots=True)
class Plain(Value):
    """An object that is no tensor, module or optimizer, nor can hold one that we know of.

    Attributes:
        kind: its class by dotted name; "str", "bytes" and "bool" for Python's own.
    """

    kind: str


@lru_cache(maxsize=4096)
def of(kind: str) -> Plain:
    """The one `Plain` of a class: alternatives of the same class are one."""
    return Plain(python_facts.RENAMED.get(kind, kind))


STR = of("str")
BYTES = of("bytes")
BOOL = of("bool")
NDARRAY = of(python_facts.NDARRAY)


def made(result: str, same: Value | None = None) -> Value:
    """The value that words such as `list[str]` describe (see `python_facts`).

    Args:
        result: the words.
        same: what the word `same` stands for.
    """
    if "|" in result:
        return join([made(part, same) for part in result.split("|")])
    head, bracket, inner = result.partition("[")
    if bracket:
        item = made(inner[:-1], same)
        return Iterable(item) if head == "iter" else Container(head, None, item)
    match result:
        case "none":
            return Const(None)
        case "number":
            return Number()
        case "unknown":
            return Unknown()
        case "same":
            return same if same is not None else Unknown()
        case _:
            return of(result)


def kind_of_literal(value: object) -> str:
    """The name of a literal's type, as tables of methods know it."""
    match value:
        case bool():
            return "bool"
        case int() | float() | complex():
            return "number"
        case str():
            return "str"
        case bytes():
            return "bytes"
        case _:
            return ""


def some(literal: object) -> Value | None:
    """Some value of a literal's type; None where that is no plain one."""
    match kind_of_literal(literal):
        case "":
            return None
        case "number":
            return Number()
        case kind:
            return of(kind)


def call(kind: str, method: str) -> Value | None:
    """What a method of an object of this kind gives; None where that is not known."""
    result = _table(python_facts.METHODS.get(kind, "")).get(method)
    if kind == python_facts.NDARRAY and method in ("item", "tolist"):
        return Number() if method == "item" else Container("list", None, Unknown())
    return made(result, of(kind)) if result is not None else None


def attribute(kind: str, attr: str) -> Value | None:
    """What an attribute of an object of this kind is; None where that is not known."""
    result = _table(python_facts.ATTRIBUTES.get(kind, "")).get(attr)
    return made(result, of(kind)) if result is not None else None


def element(value: Plain) -> Value:
    """What iterating over it, or indexing it, yields."""
    match value.kind:
        case "str":
            return value
        case python_facts.NDARRAY:  # a row, or a number of NumPy's
            return Unknown(made_by=value.kind)
        case "bytes":
            return Number()
        case "io.TextIOWrapper":
            return STR
        case "io.BufferedIOBase":
            return BYTES
        case "re.Match":
            return STR
        case _:
            return Unknown()


def lacks(value: Plain, attr: str) -> bool:
    """Whether objects of this kind cannot have `attr`."""
    home = {"str": str, "bytes": bytes, "bool": bool}.get(value.kind)
    return home is not None and not hasattr(home, attr)


def arithmetic(left: Value, right: Value, op: ast.operator | None) -> Value | None:
    """The result of an operator that has a plain operand; None where neither is one."""
    for part in (left, right):
        if isinstance(part, Plain) and part.kind in _KEEP_IN_ARITHMETIC:
            return part
    if _is_text(left) and (isinstance(op, ast.Mod | ast.Mult) or _is_text(right)):
        return STR
    if isinstance(left, Plain) or isinstance(right, Plain):
        return Number() if _is_countable(left) and _is_countable(right) else Unknown()
    return None


_KEEP_IN_ARITHMETIC = frozenset({python_facts.NDARRAY, python_facts.PATH})


def _is_text(value: Value) -> bool:
    if isinstance(value, Plain):
        return value.kind == "str"
    return isinstance(value, Const) and isinstance(value.value, str)


def _is_countable(value: Value) -> bool:
    if isinstance(value, Const):
        return isinstance(value.value, int | float)
    return isinstance(value, Number) or (isinstance(value, Plain) and value.kind == "bool")


@lru_cache(maxsize=4096)
def _result(name: str) -> str:
    """What the function called `name` gives, in words; empty where that is not known."""
    exact, patterns = _functions()
    if name in exact:
        return exact[name]
    for head, tail, result in patterns:
        if name.startswith(head) and name.endswith(tail) and len(name) > len(head) + len(tail):
            return result
    package, _, rest = name.partition(".")
    if package == "numpy" and rest and not _is_class(name) and not name.startswith(_NOT_NUMERIC):
        return "" if name in python_facts.NO_ARRAYS else python_facts.NDARRAY
    if _is_class(name) and package in _PLAIN_PACKAGES and not name.startswith(_HOLDERS):
        return name
    return ""


def call_function(name: str) -> Value | None:
    """What a function (or class) known to be no part of torch gives, by dotted name; None where not known."""
    result = _result(name)
    return made(result) if result else None


def of_class(name: str) -> Value | None:
    """What an object of the class called `name` is; None where it may be torch's, or hold what is."""
    if name in python_facts.RENAMED or name == "torch.dtype":
        return made(python_facts.RENAMED.get(name, name))
    if name == python_facts.NDARRAY:
        return NDARRAY
    result = _result(name)
    return made(result) if result and _is_class(name) else None


_NOT_NUMERIC = ("numpy.testing.", "numpy.lib.", "numpy.ctypeslib.")

_PLAIN_PACKAGES = frozenset(sys.stdlib_module_names) | {"numpy", "PIL"}

_HOLDERS = (
    "collections.",
    "concurrent.",
    "contextlib.",
    "ctypes.",
    "dataclasses.",
    "enum.",
    "functools.",
    "itertools.",
    "multiprocessing.",
    "numpy.ma.",
    "operator.",
    "queue.",
    "tempfile.",
    "threading.",
    "types.",
    "typing.",
    "weakref.",
    "argparse.Namespace",
)
"""Where classes live whose objects hold or call what they are given."""


def _is_class(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last[:1].isupper() or name in ("datetime.datetime", "datetime.date", "datetime.timedelta")


@cache
def _functions() -> tuple[Mapping[str, str], tuple[tuple[str, str, str], ...]]:
    """Exact names and patterns (what stands before and behind the `*`) of `FUNCTIONS`."""
    exact: dict[str, str] = {}
    patterns: list[tuple[str, str, str]] = []
    for name, result in _pairs(python_facts.FUNCTIONS):
        if "*" in name:
            head, _, tail = name.partition("*")
            patterns.append((head, tail, result))
        else:
            exact[name] = result
    return exact, tuple(patterns)


@cache
def _table(text: str) -> Mapping[str, str]:
    return dict(_pairs(text))


def _pairs(text: str) -> list[tuple[str, str]]:
    """Name and result of every entry: the words behind `result:` up to the next one."""
    pairs: list[tuple[str, str]] = []
    result = ""
    for word in text.split():
        if word.endswith(":"):
            result = word[:-1]
        else:
            pairs.append((word, result))
    return pairs
