"""What a piece of text means that is being typed: no syntax tree of the file has it yet.

Names, attributes and what they hold are looked up in the scope as it is at its end. Nothing is evaluated that
would leave a trace in the run: of a call only what it surely makes is said.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import lookup, members, scope, torch_facts, torch_names
from torchlore.analysis.frames import Frame
from torchlore.analysis.names import words
from torchlore.analysis.queries import is_none, options
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Batch,
    BoundMethod,
    Instance,
    LocalClass,
    LocalModule,
    OneOf,
    Params,
    Ref,
    Tensor,
    Unknown,
    Value,
)
from torchlore.text import Source
from torchlore.text.parse import parse_expression


def called(source: Source, run: Run, known: lookup.Evidence, text: str, offset: int) -> tuple[str, ...]:
    """Dotted torch names of what a call of `text` at `offset` calls, the likeliest first.

    Of an object that is called it is its `forward`.

    Args:
        source: the file.
        run: its interpretation.
        known: about its unknown objects.
        text: an expression.
        offset: where it stands, in code points.
    """
    node, frame = _expression(text), _frame(source, run, offset)
    if node is None or frame is None:
        return ()
    names: list[str] = []
    for value in options(_value(run, frame, node)):
        if isinstance(value, Ref):
            names.append(value.name)
        elif isinstance(value, Instance) and members.is_module_like(value) and isinstance(value.cls, str):
            names.append(f"{value.cls}.forward")
    if not names and isinstance(node, ast.Attribute):
        for owner in options(_value(run, frame, node.value)):
            names += lookup.member(owner, node.attr, known)
    return lookup.torch_only(names)


def homes(source: Source, run: Run, text: str, offset: int) -> tuple[str, ...]:
    """The torch classes that the object `text` at `offset` is of; none where another tool can tell as well.

    That is so of what is imported, of modules, and of objects of the user's own classes.

    Args:
        source: the file.
        run: its interpretation.
        text: an expression.
        offset: where it stands, in code points.
    """
    node, frame = _expression(text), _frame(source, run, offset)
    if node is None or frame is None:
        return ()
    found = [_home(value) for value in options(_value(run, frame, node)) if not is_none(value)]
    return lookup.torch_only(found) if all(found) else ()


def _home(value: Value) -> str:
    match value:
        case Tensor():
            return "torch.Tensor"
        case Params(one=True):
            return "torch.nn.Parameter"
        case Instance(cls=str() as name) if not members.is_module_like(value):
            return name
        case _:
            return ""


_LONGEST = 300
"""Longer texts are not looked at: nobody types one to have it completed."""


def _expression(text: str) -> ast.expr | None:
    if len(text) > _LONGEST:
        return None
    try:
        return parse_expression(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _frame(source: Source, run: Run, offset: int) -> Frame | None:
    """The innermost scope around a place that was run."""
    frames = (run.frames.get(node) for node in scope.scopes_at(source, offset))
    return next((frame for frame in frames if frame is not None), None)


def _value(run: Run, frame: Frame, node: ast.expr) -> Value:
    match node:
        case ast.Name(id=name):
            return frame.lookup(name)
        case ast.Attribute(value=inner, attr=attr):
            return _joined(_attribute(option, attr) for option in options(_value(run, frame, inner)))
        case ast.Call(func=func):
            return _joined(_made(option, node) for option in options(_value(run, frame, func)))
        case ast.Subscript(value=inner) if isinstance(_value(run, frame, inner), Tensor | Batch):
            return Tensor(certain=False)
        case _:
            return Unknown()


def _joined(values: Iterator[Value]) -> Value:
    found = tuple(values)
    return found[0] if len(found) == 1 else OneOf(found)


def _attribute(owner: Value, attr: str) -> Value:
    match owner:
        case Ref(name=name):
            return torch_names.member(name, attr)
        case Instance() if attr in owner.attributes:
            return owner.attributes[attr]
        case LocalModule(frame=frame):
            return frame.find(attr) or Unknown()
        case Tensor() if attr in _TENSORS:
            return Tensor(certain=owner.certain)
        case Tensor() | Instance():
            return BoundMethod(owner, attr)
        case _:
            return Unknown()


_TENSORS = frozenset({"T", "mT", "H", "data", "real", "imag"})


def _made(callee: Value, node: ast.Call) -> Value:
    """What a call makes, where that is plain from what is called."""
    match callee:
        case Ref(name=name) if torch_facts.returns_tensor(name):
            return Tensor()
        case Ref(name=name) if torch_facts.is_class_name(name) and name.startswith("torch."):
            return Instance(name, node)
        case Instance() if members.is_module_like(callee) and not isinstance(callee.cls, LocalClass):
            return Tensor(certain=False)
        case BoundMethod(receiver=Tensor() as tensor, name=name) if name in _COMPUTE:
            return Tensor(certain=tensor.certain)
        case BoundMethod(receiver=Instance() as owner, name=name) if name in _SELF:
            return owner
        case _:
            return Unknown()


_COMPUTE = words(
    """
    abs add argmax argmin bfloat16 bool clamp clone contiguous cpu cuda cumsum detach div double exp expand
    flatten float gather half int long log log_softmax matmul mean mul norm permute pow prod relu repeat
    requires_grad_ reshape sigmoid softmax sqrt squeeze std sub sum tanh to transpose unsqueeze var view
    """
)
"""Methods of tensors that give one tensor (`mean` and its like but for a rare form of each)."""

_SELF = words("to cuda cpu train eval half float double bfloat16 requires_grad_")
"""The methods of modules that give the module."""
