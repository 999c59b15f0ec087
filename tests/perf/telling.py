"""Says in one word what kind of thing the analysis takes a receiver for, and whether that can be so."""

from __future__ import annotations

from torchlore.analysis.describe import describe
from torchlore.analysis.members import is_open, kind_of, lookup
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import options
from torchlore.analysis.values import (
    Batch,
    BoundMethod,
    Const,
    Container,
    Function,
    Grads,
    Instance,
    Iterable,
    LocalClass,
    LocalModule,
    Number,
    Params,
    Ref,
    Super,
    Tensor,
    Unknown,
    Value,
)
from torchlore.knowledge.symbols import resolve, symbol

UNKNOWN = "unknown"
IMPORTED = "what an import names"

_PYTHON: dict[str, type] = {
    cls.__name__: cls for cls in (str, bytes, bool, list, tuple, set, frozenset, dict)
}


def told(owner: Value | None, attr: str, own: frozenset[str]) -> tuple[str, str]:
    """The kind of thing that a receiver is said to be, and the same in more words.

    Args:
        owner: what `attr` is looked up on; None where the code never ran.
        attr: the method that is called.
        own: top-level names of the workspace's packages.
    """
    if owner is None:
        return UNKNOWN, "never evaluated"
    parts = options(owner)
    kinds = list(dict.fromkeys(_kind(part, attr, own) for part in parts))
    says = " | ".join(dict.fromkeys(_words(part) for part in parts))
    if UNKNOWN in kinds:
        return UNKNOWN, says
    return (kinds[0] if len(kinds) == 1 else "one of several kinds"), says


def _kind(value: Value, attr: str, own: frozenset[str]) -> str:
    match value:
        case Unknown() | BoundMethod():
            return UNKNOWN
        case Super(receiver=receiver):
            return _kind(receiver, attr, own)
        case Instance():
            return _kind_of_instance(value, attr, own)
        case Ref(name=name):
            return UNKNOWN if _is_own(name, own) else IMPORTED
        case LocalModule():
            return IMPORTED
        case Tensor() | Grads():
            return "Tensor"
        case Params():
            return "Parameters"
        case LocalClass() | Function():
            return "class or function"
        case Const(value=literal):
            return type(literal).__name__
        case Container(kind=kind) | Plain(kind=kind):
            return kind
        case Number() | Iterable() | Batch():
            return type(value).__name__.lower()
        case _:
            return UNKNOWN


def _kind_of_instance(value: Instance, attr: str, own: frozenset[str]) -> str:
    """A class of the workspace that was not found, or whose bases were not, may well be a module."""
    kind = kind_of(value)
    if kind != "Unknown":
        return kind
    if isinstance(value.cls, str):
        return UNKNOWN if _is_own(value.cls, own) else "other object"
    has_it = attr in value.attributes or lookup(value.cls, attr) is not None
    return "other object" if has_it or not is_open(value.cls) else UNKNOWN


def _is_own(name: str, own: frozenset[str]) -> bool:
    """Whether a dotted name leads into the workspace."""
    return name.partition(".")[0] in own or name.startswith(".")


def _words(value: Value) -> str:
    """As a hover would put it; of an unknown value, the function that made it or the attribute that it is."""
    if isinstance(value, Plain):
        return value.kind
    if isinstance(value, Unknown | BoundMethod):
        detail = value.made_by if isinstance(value, Unknown) else f"attribute {value.name}"
        return f"unknown ({detail})" if detail else "unknown"
    return describe(value)


def is_contradicted(owner: Value, attr: str) -> bool:
    """Whether nothing that `owner` may be has such an attribute, so that it must be something else."""
    return all(_lacks(part, attr) for part in options(owner))


def _lacks(value: Value, attr: str) -> bool:
    match value:
        case Const(value=literal):
            return not hasattr(literal, attr)
        case Number():
            return not hasattr(0, attr) and not hasattr(0.0, attr)
        case Container(kind=kind) | Plain(kind=kind) if kind in _PYTHON:
            return not hasattr(_PYTHON[kind], attr)
        case Tensor() | Params(one=True):
            return resolve((f"torch.Tensor.{attr}",)) is None
        case Instance(cls=str() as name, attributes=attributes) if symbol(name) is not None:
            return attr not in attributes and resolve((f"{name}.{attr}",)) is None
        case _:
            return False
