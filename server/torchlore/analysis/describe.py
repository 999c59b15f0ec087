"""Says in a few words what a value is: `module torch.nn.Linear(784, 10)`, `tensor attached softmax`.

The words name the kind of thing first, then the class as it was imported, then what its constructor was
given; of a tensor its shape (`tensor[4, ?]`: the second size is not known; `tensor[..., 5]`: there may be
more before the last one). They are short enough for one line of a hover and exact enough for a test to
compare.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import members
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import is_none, options
from torchlore.analysis.shapes.shape import told as shape_in_words
from torchlore.analysis.values import (
    Arguments,
    Batch,
    BoundMethod,
    Const,
    Container,
    Function,
    Grads,
    Instance,
    Iterable,
    LocalClass,
    Number,
    OneOf,
    Params,
    Ref,
    Super,
    Tensor,
    Unknown,
    Value,
)

MAX_LENGTH = 120
"""Longer descriptions are cut in the middle of what they list, and say so with an ellipsis."""

_MAX_LITERAL = 40

_KINDS = {
    "DataLoader": "loader",
    "GradScaler": "scaler",
    "Loss": "criterion",
    "Unknown": "object",
}
"""Kinds of objects that are not simply said in lower case."""


def describe(value: Value) -> str:
    """`value` in words, at most `MAX_LENGTH` characters. Alternatives are joined with ` | `, None last."""
    words = _alternatives(value, nested=False) if isinstance(value, OneOf) else _one(value, nested=False)
    if isinstance(value, Tensor) and (value.dtype or value.device):
        words += f" ({', '.join(filter(None, (value.dtype, value.device)))})"
    return words if len(words) <= MAX_LENGTH else f"{words[: MAX_LENGTH - 1].rstrip()}…"


def _alternatives(value: OneOf, nested: bool) -> str:
    solid = {_one(option, nested) for option in value.options if not is_none(option)}
    absent = ["None"] if any(is_none(option) for option in value.options) else []
    return " | ".join([*sorted(solid), *absent])


def _one(value: Value, nested: bool) -> str:
    """One definite value. Inside another one (`nested`) objects are named without their arguments."""
    match value:
        case Ref(name=name):
            return name
        case Const(value=literal):
            text = repr(literal)
            return text if len(text) <= _MAX_LITERAL else f"{text[: _MAX_LITERAL - 1]}…"
        case Number():
            return "number"
        case Plain(kind=kind):
            return kind
        case Instance():
            return _object(value, nested)
        case Tensor():
            return _tensor(value)
        case Params() | Grads():
            return _parameters(value)
        case Container() | Iterable() | Batch():
            return _many(value, nested)
        case Function(node=ast.Lambda()):
            return "lambda"
        case Function(node=ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name)):
            return f"function {name}"
        case LocalClass(node=node):
            return f"class {node.name}"
        case OneOf():
            words = _alternatives(value, nested)
            return f"({words})" if " | " in words else words
        case BoundMethod() | Super():
            return _member(value)
        case _:
            return "unknown"


def _object(value: Instance, nested: bool) -> str:
    kind = members.kind_of(value)
    words = f"{_KINDS.get(kind, kind.lower())} {_class(value)}"
    made = value.made_with if isinstance(value.cls, LocalClass) else value.arguments
    given = "" if nested or made is None else ", ".join(_given(made))
    return f"{words}({given})" if given else words


def _class(value: Instance) -> str:
    return value.cls.node.name if isinstance(value.cls, LocalClass) else value.cls


def _given(arguments: Arguments) -> Iterator[str]:
    for argument in arguments.positional:
        yield _one(argument, nested=True)
    for name, argument in arguments.keywords.items():
        if name != "**":
            yield f"{name}={_one(argument, nested=True)}"
    if not arguments.complete:
        yield "…"


def _tensor(value: Tensor) -> str:
    """What is known of a tensor: its shape, then the graph; a word that is missing stands for "not known"."""
    graph = {True: "attached", False: "detached", None: ""}[value.attached]
    words = [
        "tensor" if value.shape is None else f"tensor{shape_in_words(value.shape)}",
        graph,
        value.activation or "",
        "parameter" if value.parameter else "",
        "" if value.certain else "by convention",
    ]
    return " ".join(word for word in words if word)


def _parameters(value: Params | Grads) -> str:
    what = "grads" if isinstance(value, Grads) else "param" if value.one else "params"
    owners = value.owners
    if not owners or any(not isinstance(owner, Instance) for owner in owners):
        return f"{what} of unknown"
    if len(owners) > 1:
        return f"{what} of {len(owners)} modules"
    return " ".join([what, "of", *(_class(owner) for owner in owners if isinstance(owner, Instance))])


def _many(value: Container | Iterable | Batch, nested: bool) -> str:
    if isinstance(value, Batch):
        return "batch"
    params = _collected(value)
    if params is not None:
        return _parameters(params)
    kind = value.kind if isinstance(value, Container) else "iterable"
    if isinstance(value, Container) and kind == "tuple" and value.items is not None:
        inner = "…" if nested else ", ".join(_one(item, nested=True) for item in value.items)
        return f"tuple({inner})"
    if isinstance(value.element, Unknown) or nested:
        return kind
    return f"{kind} of {_one(value.element, nested=True)}"


def _collected(value: Value, depth: int = 3) -> Params | None:
    """The parameters that a list (`[*a.parameters(), …]`) holds; None where it holds something else too."""
    if not isinstance(value, Container) or value.kind == "dict" or not depth:  # it may hold itself
        return None
    parts = value.items if value.items is not None else options(value.element)
    found = [part if isinstance(part, Params) else _collected(part, depth - 1) for part in parts]
    owners = [part.owners for part in found if part is not None]
    if not owners or len(owners) < len(found):
        return None
    known = [owner for owner in owners if owner is not None]
    return Params(frozenset[Value]().union(*known) if len(known) == len(owners) else None)


def _member(value: BoundMethod | Super) -> str:
    """Something of an object that only its class can tell; of an unknown object it may be anything."""
    if isinstance(value, Super):
        return f"super of {value.cls.node.name}"
    owner = value.receiver
    seen_whole = isinstance(owner, Instance) and isinstance(owner.cls, LocalClass)
    of = _one(owner, nested=True)
    if of == "unknown" or isinstance(owner, Function) or (seen_whole and members.kind_of(owner) == "Unknown"):
        return "unknown"
    return f"member {value.name} of {of}"
