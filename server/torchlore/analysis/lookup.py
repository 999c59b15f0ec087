"""From a place in the text to the torch symbol that stands there."""

from __future__ import annotations

import ast
import io
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import PurePath

from torchlore.analysis import libraries, members, torch_facts
from torchlore.analysis.events import Kind
from torchlore.analysis.interface import dotted_module
from torchlore.analysis.names import words
from torchlore.analysis.queries import options
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Batch,
    Grads,
    Instance,
    LocalClass,
    Params,
    Ref,
    Super,
    Tensor,
    Unknown,
    Value,
)
from torchlore.text import Source, Span
from torchlore.text.nodes import nodes_in


@dataclass(frozen=True, slots=True)
class Imported:
    """A name in an import statement, and what it imports."""

    name: str


Identifier = ast.Name | ast.Attribute | Imported

_NDARRAY = words(
    """
    T all any argmax argmin argpartition argsort astype base byteswap choose clip compress conj
    conjugate copy ctypes cumprod cumsum data device diagonal dot dtype dump dumps fill flags flat
    flatten getfield imag item itemset itemsize mT max mean min nbytes ndim newbyteorder nonzero
    partition prod ptp put ravel real repeat reshape resize round searchsorted setfield setflags
    shape size sort squeeze std strides sum swapaxes take to_device tobytes tofile tolist tostring
    trace transpose var view
    """
)
"""What NumPy's arrays share with tensors: on an unknown object such a name proves nothing."""

_SHARED = _NDARRAY | words("step run load save train add name type to double log")
"""Names that are too common outside torch to prove anything by themselves."""


MAX_FOREIGN = 64
"""So many names of one file are asked about: each may take seconds."""


class Identifiers:
    """The identifiers of a file by place."""

    def __init__(self, source: Source) -> None:
        found: list[tuple[int, int, Identifier]] = []
        for node in nodes_in(source.tree):
            match node:
                case ast.Name():
                    span = source.span(node)
                    found.append((span.start, span.end, node))
                case ast.Attribute(attr=attr):
                    end = source.span(node).end
                    found.append((end - len(attr), end, node))
                case ast.Import(names=names) | ast.ImportFrom(names=names):
                    for alias in names:
                        span = source.span(alias)
                        home = f"{dotted_module(node)}." if isinstance(node, ast.ImportFrom) else ""
                        found.append((span.start, span.end, Imported(home + alias.name)))
                case _:
                    pass
        self._found = sorted(found, key=lambda item: item[0])
        self._starts = [item[0] for item in self._found]

    def at(self, offset: int) -> tuple[Span, Identifier] | None:
        """The identifier that `offset` is in or just behind."""
        index = bisect_right(self._starts, offset) - 1
        if index < 0:
            return None
        start, end, node = self._found[index]
        return (Span(start, end), node) if start <= offset <= end else None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What helps to tell what an unknown object is. Good for a hover, never for a finding.

    Attributes:
        installed: the torch classes that classes and functions of installed packages make.
        uses: the attributes that are used on each unknown object of the file.
        outputs: the calls of objects that are used like modules.
    """

    installed: Mapping[str, str]
    uses: Mapping[Unknown, set[str]]
    outputs: frozenset[ast.AST]


def evidence(run: Run, installed: Mapping[str, str]) -> Evidence:
    """Collects it from the whole file."""
    uses: dict[Unknown, set[str]] = {}
    for node, owner in run.owners.items():
        for option in options(owner):
            if isinstance(option, Unknown):
                uses.setdefault(option, set()).add(node.attr)
    modules = {value for value, attrs in uses.items() if attrs & torch_facts.MODULE_MEMBERS}
    events = (event for root in run.roots for event in root.events)
    outputs = frozenset(e.node for e in events if e.kind is Kind.FORWARD and e.subject in modules)
    return Evidence(installed, uses, outputs)


def candidates(run: Run, node: Identifier, known: Evidence) -> tuple[str, ...]:
    """The dotted torch names that an identifier may stand for, the likeliest first.

    Args:
        run: the interpretation of the file.
        node: the identifier.
        known: about its unknown objects.
    """
    match node:
        case Imported(name=name):
            return torch_only([name])
        case ast.Attribute(attr=attr):
            value = run.values.get(node)
            if isinstance(value, Ref):
                return torch_only([value.name])
            owner = run.owners.get(node)
            if owner is None:
                return ()
            return torch_only([name for option in options(owner) for name in member(option, attr, known)])
        case ast.Name():
            value = run.values.get(node)
            return torch_only([_named(option) for option in options(value)]) if value is not None else ()


def torch_only(names: list[str]) -> tuple[str, ...]:
    """Those of dotted names that are torch's, each once."""
    return tuple(dict.fromkeys(name for name in names if name == "torch" or name.startswith("torch.")))


def _named(value: Value) -> str:
    """The symbol that a bare name stands for: what it imports, or the torch class of the object it holds."""
    match value:
        case Ref(name=name):
            return name
        case Instance(cls=str() as name):
            return name
        case _:
            return ""


def member(owner: Value, attr: str, known: Evidence) -> list[str]:
    """The dotted names that an attribute of a value may have, the likeliest first."""
    match owner:
        case Ref(name=name):
            return [f"{name}.{attr}"]
        case Tensor() | Batch() | Params() | Grads():
            return [f"torch.Tensor.{attr}"]
        case Instance():
            return _instance_member(owner, attr)
        case Super(receiver=Instance() as receiver):
            return [f"{_home(receiver)}.{attr}"] if _home(receiver) else []
        case LocalClass():
            bases = [b.name for b in members.imported_bases(owner) if isinstance(b, Ref)]
            homes = [libraries.torch_base(name) or name for name in bases]
            return [] if members.lookup(owner, attr) is not None else [f"{name}.{attr}" for name in homes]
        case Unknown():
            return [f"{home}.{attr}" for home in _likely_homes(owner, attr, known)]
        case _:
            return []


def _likely_homes(owner: Unknown, attr: str, known: Evidence) -> tuple[str, ...]:
    """The torch classes that an unknown object is likely of, by what is done with it."""
    if owner.made_by in known.installed:
        return (known.installed[owner.made_by],)
    uses = known.uses.get(owner, set())
    if uses & torch_facts.MODULE_MEMBERS:
        return ("torch.nn.Module",)
    if uses & torch_facts.TENSOR_MEMBERS or (owner.tokens & known.outputs and attr not in _everyday()):
        return ("torch.Tensor",)
    if attr in _everyday() | _SHARED:
        return ()
    return ("torch.Tensor", "torch.nn.Module", "torch.optim.Optimizer")


def foreign_classes(run: Run) -> Iterator[str]:
    """Dotted names of what installed packages define and the file calls, as far as it is worth asking about.

    Of functions only those whose results something is asked of; no more than `MAX_FOREIGN` in all.
    """
    made = (value for value in run.values.values() if isinstance(value, Unknown) and value.made_by)
    used = (option for owner in run.owners.values() for option in options(owner))
    asked = {value.made_by for value in used if isinstance(value, Unknown) and value.made_by}
    names = dict.fromkeys(value.made_by for value in made)
    worth = (name for name in names if _may_make_torch(name, is_used=name in asked))
    return islice(worth, MAX_FOREIGN)


def _may_make_torch(name: str, is_used: bool) -> bool:
    package, dot, _ = name.partition(".")
    if not package or not dot:  # a relative import, or no import at all
        return False
    if torch_facts.is_class_name(name):
        return package in libraries.packages() or not torch_facts.keeps_its_hands_off(name)
    return is_used and not torch_facts.keeps_its_hands_off(name)


def _instance_member(owner: Instance, attr: str) -> list[str]:
    if attr in owner.attributes:
        held = owner.attributes[attr]
        return [_named(option) for option in options(held) if isinstance(option, Instance)]
    if isinstance(owner.cls, LocalClass) and members.lookup(owner.cls, attr) is not None:
        return []
    home = _home(owner)
    return [f"{home}.{attr}"] if home else []


def _home(owner: Instance) -> str:
    """The torch class whose members an object has."""
    name = members.class_name(owner)
    return libraries.torch_base(name) or name


@cache
def _everyday() -> frozenset[str]:
    """Attributes that everyday Python objects have too: on an unknown object they prove nothing."""
    everyday = (
        str,
        bytes,
        list,
        dict,
        set,
        tuple,
        int,
        float,
        complex,
        object,
        io.StringIO,
        PurePath,
        range,
    )
    return frozenset(name for cls in everyday for name in dir(cls))
