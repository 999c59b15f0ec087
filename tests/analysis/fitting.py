"""Whether an object is what a description says. What a description leaves open fits everything."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Mapping
from numbers import Number

import torch

_OBJECTS = (
    "module",
    "criterion",
    "optimizer",
    "scheduler",
    "scaler",
    "loader",
    "dataset",
    "sampler",
    "device",
    "object",
)
_OPEN = ("unknown", "member ", "batch", "nothing", "super of", "param", "grads", "iterable", "groups")


def fits(words: str, value: object) -> bool:
    """Whether `value` is what `words` say, or one of their alternatives."""
    return any(_fits(part, value) for part in _split(words, " | "))


def _fits(words: str, value: object) -> bool:
    literal = _literal(words)
    if literal is not None or words == "None":
        return type(value) is type(literal) and value == literal
    head, _, rest = words.partition(" ")
    if "…" in words or words.startswith(_OPEN) or words.endswith("by convention"):
        return True
    if head == "tensor":
        return _is_tensor(rest.split(), value)
    if head.startswith("tensor["):
        shape, _, rest = words.removeprefix("tensor[").partition("]")
        return _is_tensor(rest.split(), value) and _is_shaped(shape.split(", "), value)
    if head == "number":
        return isinstance(value, Number) and not isinstance(value, bool)
    if head in _OBJECTS:
        return _is_object(rest, value)
    if head in ("list", "dict", "set"):
        return _holds(head, rest, value)
    if words.startswith("tuple("):
        parts = _split(words[len("tuple(") : -1], ", ")
        return isinstance(value, tuple) and len(parts) == len(value) and all(map(fits, parts, value))
    if head in ("function", "class", "lambda"):
        return callable(value)
    return _is_imported(words, value)


def _split(words: str, separator: str) -> list[str]:
    """`words` at the separators that stand outside brackets and quotes."""
    parts, depth, start = [], 0, 0
    quoted = False
    for at, letter in enumerate(words):
        quoted ^= letter == "'"
        depth += (letter in "([{") - (letter in ")]}")
        if not quoted and depth == 0 and words.startswith(separator, at):
            parts.append(words[start:at])
            start = at + len(separator)
    return [*parts, words[start:]] if words else []


def _literal(words: str) -> object:
    try:
        return ast.literal_eval(words)
    except (SyntaxError, ValueError):
        return None


def _is_tensor(facts: list[str], value: object) -> bool:
    if not isinstance(value, torch.Tensor):
        return False
    if "attached" in facts or "detached" in facts:
        return value.requires_grad is ("attached" in facts)
    return True


def _is_shaped(sizes: list[str], value: object) -> bool:
    """Whether a tensor has these sizes: "?" stands for any, "..." for any number of them."""
    assert isinstance(value, torch.Tensor)
    if sizes == [""]:
        return value.dim() == 0
    is_open = sizes[0] == "..."
    wanted = sizes[1:] if is_open else sizes
    if value.dim() < len(wanted) or (not is_open and value.dim() > len(wanted)):
        return False
    found = list(value.shape)[value.dim() - len(wanted) :]
    return all(size in ("?", str(real)) for size, real in zip(wanted, found, strict=True))


def _is_object(words: str, value: object) -> bool:
    """Whether `value` is of the class that is named first, and was made with the widths that follow."""
    name, _, rest = words.partition("(")
    cls, value = _imported(name), _unwrapped(value)
    if isinstance(cls, type):
        made = [_literal(part) for part in _split(rest[:-1], ", ")]
        sizes = [size for size in made[:2] if isinstance(size, int)]
        if isinstance(value, torch.nn.Linear) and len(sizes) == 2:
            return sizes == [value.in_features, value.out_features]
        return isinstance(value, cls) or _is_made_of(value, name)
    return name.startswith("torch") or name in [base.__name__ for base in type(value).__mro__]


def _unwrapped(value: object) -> object:
    """What a compiled or parallel module stands for: the analysis sees through the wrapper."""
    for name, inner in (("OptimizedModule", "_orig_mod"), ("DataParallel", "module")):
        if type(value).__name__ == name:
            return getattr(value, inner)
    return value


def _is_made_of(value: object, name: str) -> bool:
    """Whether `value` is what scripting, tracing or synchronising made of a module."""
    made = type(value).__name__
    return made in ("RecursiveScriptModule", "TopLevelTracedModule", "SyncBatchNorm") and name.startswith(
        "torch.nn"
    )


def _holds(kind: str, words: str, value: object) -> bool:
    if not isinstance(value, {"list": list, "dict": Mapping, "set": set}[kind]):
        return False
    inside = value.values() if isinstance(value, Mapping) else value
    element = (
        words.removeprefix("of ").removeprefix("(").removesuffix(")")
        if words.startswith("of (")
        else words[3:]
    )
    return not words or all(fits(element, item) for item in inside)


def _is_imported(dotted: str, value: object) -> bool:
    """Whether `value` is what a dotted name stands for, or an object of that class."""
    found = _imported(dotted)
    if found is None or found is value or (isinstance(found, type) and isinstance(value, found)):
        return True
    return getattr(found, "__name__", dotted) == getattr(value, "__name__", "")


def _imported(dotted: str) -> object:
    """What a dotted name of torch or Python means; None where it is neither."""
    first, *rest = dotted.split(".")
    try:
        found: object = importlib.import_module(first)
        path = first
        for part in rest:
            path += f".{part}"
            found = getattr(found, part) if hasattr(found, part) else importlib.import_module(path)
    except (ImportError, TypeError, ValueError):
        return None
    return found
