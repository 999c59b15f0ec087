"""What a symbol does in the code at hand: the lines under "In your code" of a hover.

Every line is certain: where something is not known, nothing is said of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import lookup, members
from torchlore.analysis.notes import loaders, optimizers
from torchlore.analysis.notes.certainty import way
from torchlore.analysis.notes.order import ORDERED, order
from torchlore.analysis.notes.sizes import Size, size, told
from torchlore.analysis.queries import options
from torchlore.analysis.run import Run
from torchlore.analysis.values import BoundMethod, Instance, LocalClass, Params, Value
from torchlore.text import Source


def notes(source: Source, run: Run, node: lookup.Identifier, call: ast.Call | None) -> tuple[str, ...]:
    """Lines of Markdown about `node`; none where nothing certain can be said.

    Args:
        source: the file.
        run: its interpretation.
        node: a name or an attribute.
        call: the call of it, where it is called.
    """
    if isinstance(node, lookup.Imported):
        return ()
    lines = list(_about_made(source, run, call)) if call is not None else []
    lines = lines or list(_about_object(source, run, node))
    if call is not None and _last(node) in ORDERED:
        lines += order(run, call, is_whole=not source.parsed.blanked)
    return tuple(dict.fromkeys(lines))


def is_own_object(run: Run, node: lookup.Identifier, call: ast.Call | None) -> bool:
    """Whether `node` names, or makes, an object whose class is of the workspace and derives from torch's.

    Args:
        run: the interpretation of the file.
        node: a name or an attribute.
        call: the call of it, where it is called.
    """
    if isinstance(node, lookup.Imported) or (isinstance(node, ast.Name) and node.id == "self"):
        return False  # who reads `self` is looking at its class
    value = run.values.get(node)
    if isinstance(value, LocalClass):
        value = run.values.get(call) if call is not None else None
    return value is not None and any(
        isinstance(option, Instance)
        and isinstance(option.cls, LocalClass)
        and members.kind_of(option) not in ("Unknown", "Tensor")
        for option in options(value)
    )


def _last(node: ast.Attribute | ast.Name) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id


def _about_made(source: Source, run: Run, call: ast.Call) -> Iterator[str]:
    """About the one object that a call makes."""
    made = run.values.get(call)
    if not isinstance(made, Instance) or made.node is not call:
        return
    count = optimizers.parameters(run, made) if members.kind_of(made) == "Optimizer" else None
    if count is not None:
        yield f"It is given {count:,} parameters."
    yield from _details(source, run, made)


def _about_object(source: Source, run: Run, node: ast.Attribute | ast.Name) -> Iterator[str]:
    """About what a name holds, or what a method is called on."""
    value = run.values.get(node)
    is_object = value is not None and any(isinstance(option, Instance) for option in options(value))
    if isinstance(node, ast.Attribute) and not is_object:
        value = run.owners.get(node)
        node = node.value  # type: ignore[assignment]
    if value is None or isinstance(value, BoundMethod):
        return
    if isinstance(node, ast.Call):  # `nn.Linear(2, 2).to(device)`
        yield from _about_made(source, run, node)
        return
    written = source.segment(source.span(node))
    several = options(value)
    for option in several:
        yield from _about(source, run, written, option)
    if len(several) == 1 and isinstance(several[0], Instance) and members.kind_of(several[0]) != "Module":
        yield from _details(source, run, several[0])


def _about(source: Source, run: Run, written: str, value: Value) -> Iterator[str]:
    """What the object is, where it was made and over what."""
    if not isinstance(value, Instance) or len(written) > 40 or "\n" in written:
        return
    kind = members.kind_of(value)
    if kind == "Unknown":
        return
    name = value.cls.node.name if isinstance(value.cls, LocalClass) else value.cls
    line = getattr(value.node, "lineno", None)
    is_made = isinstance(value.node, ast.Call) and bool(line)
    made = f", made on line {line}" if is_made else ""
    over = _over(run, value) if kind == "Optimizer" else ""
    many = _size_told(source, run, value) if kind == "Module" and is_made else ""
    yield f"`{written}` is a `{name}`{over}{made}{f' with {many}' if many else ''}."


def _details(source: Source, run: Run, value: Instance) -> Iterator[str]:
    """What is to be said of an object besides what it is called and where it was made."""
    match members.kind_of(value):
        case "Module":
            many = _size_told(source, run, value)
            if many:
                yield f"As it is made here: {many}."
        case "Optimizer":
            yield from optimizers.groups(source, run, value)
        case "DataLoader" if way(run, value) is not None:
            yield from loaders.told(value)


def _size_told(source: Source, run: Run, module: Instance) -> str:
    """How large a module is, and by way of which line, where others give it other arguments."""
    came = way(run, module)
    known = size(run, module) if came is not None else None
    if came is None or known is None or not known.parameters:
        return ""
    if "set_default_dtype" in source.text:
        known = Size(known.parameters, "")
    return f"{told(known)}{f', by way of line {came.line}' if came.line else ''}"


def _over(run: Run, optimizer: Instance) -> str:
    given = optimizer.arguments.get(0, "params") if optimizer.arguments is not None else None
    if not isinstance(given, Params) or not given.owners:
        return ""
    names = [name for owner in given.owners for name in _names_of(run, owner)]
    if not names:
        return ""
    count = optimizers.parameters(run, optimizer)
    many = f"{count:,} " if count is not None else ""
    return f" over the {many}parameters of {', '.join(f'`{n}`' for n in sorted(set(names)))}"


def _names_of(run: Run, value: Value) -> list[str]:
    """A variable that holds `value`, other than its own `self`; its class where there is none."""
    for frame in run.frames.values():
        own = isinstance(value, Instance) and frame.names.get("self") is value
        held = [
            name for name, bound in frame.names.items() if bound is value and not (own and name == "self")
        ]
        if held:
            return held[:1]
    if isinstance(value, Instance):
        return [value.cls.node.name if isinstance(value.cls, LocalClass) else value.cls]
    return []
