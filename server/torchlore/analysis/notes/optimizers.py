"""What an optimizer updates: whose parameters, how many, in which groups."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import submodules
from torchlore.analysis.notes.certainty import way
from torchlore.analysis.notes.sizes import size
from torchlore.analysis.queries import options
from torchlore.analysis.run import Run
from torchlore.analysis.values import Const, Instance, Value
from torchlore.text import Source

_MOST_GROUPS = 4


def groups(source: Source, run: Run, optimizer: Instance) -> Iterator[str]:
    """Lines of Markdown about the parameter groups; none where they are not written where it is made."""
    given = _given(optimizer)
    written = _written_groups(given) if given is not None else []
    if not written:
        return
    yield f"It is made with {len(written)} parameter group{'s' if len(written) > 1 else ''}:"
    for group in written[:_MOST_GROUPS]:
        yield f"  - {_told(source, run, group)}"
    if len(written) > _MOST_GROUPS:
        yield f"  - … and {len(written) - _MOST_GROUPS} more"


def parameters(run: Run, optimizer: Instance) -> int | None:
    """How many parameters an optimizer was given; None where that is not certain."""
    given = _given(optimizer)
    if given is None or _is_extended(run, optimizer):
        return None
    written = _written_groups(given)
    counts = [_count(run, part) for part in (map(_params, written) if written else [given])]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def _given(optimizer: Instance) -> ast.expr | None:
    """The parameters, as they are written where the optimizer is made."""
    call = optimizer.node
    if not isinstance(call, ast.Call):
        return None
    named = next((keyword.value for keyword in call.keywords if keyword.arg == "params"), None)
    first = call.args[0] if call.args and not isinstance(call.args[0], ast.Starred) else None
    return first or named


def _is_extended(run: Run, optimizer: Instance) -> bool:
    """Whether a group may be added to it later."""
    for node, owner in run.owners.items():
        is_groups = isinstance(node.value, ast.Attribute) and node.value.attr == "param_groups"
        if node.attr == "add_param_group" and any(option is optimizer for option in options(owner)):
            return True
        if is_groups and node.attr in ("append", "extend", "insert", "pop", "clear"):
            return True
    return False


def _written_groups(given: ast.expr) -> list[dict[str, ast.expr]]:
    """The groups of `[{"params": …, "lr": …}, …]`; none where it is something else."""
    if not isinstance(given, ast.List | ast.Tuple):
        return []
    found: list[dict[str, ast.expr]] = []
    for item in given.elts:
        pairs = _pairs(item)
        if "params" not in pairs:
            return []
        found.append(pairs)
    return found


def _pairs(item: ast.expr) -> dict[str, ast.expr]:
    match item:
        case ast.Dict(keys=keys, values=values):
            named = [key.value if isinstance(key, ast.Constant) else None for key in keys]
            pairs = zip(named, values, strict=True)
            return {key: value for key, value in pairs if isinstance(key, str)}
        case ast.Call(func=ast.Name(id="dict"), args=[], keywords=keywords):
            return {keyword.arg: keyword.value for keyword in keywords if keyword.arg is not None}
        case _:
            return {}


def _params(group: dict[str, ast.expr]) -> ast.expr:
    return group["params"]


def _told(source: Source, run: Run, group: dict[str, ast.expr]) -> str:
    """`net.head.parameters()` (5,130) with `lr=1e-3`."""
    count = _count(run, group["params"])
    many = f" ({count:,})" if count is not None else ""
    settings = ", ".join(f"`{name}={_text(source, n)}`" for name, n in group.items() if name != "params")
    return f"`{_text(source, group['params'])}`{many}{f' with {settings}' if settings else ''}"


def _text(source: Source, node: ast.expr) -> str:
    text = " ".join(source.segment(source.span(node)).split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def _count(run: Run, given: ast.expr) -> int | None:
    """How many parameters `module.parameters()` gives; None where it is something else, or not certain."""
    match given:
        case ast.Call(func=ast.Attribute(attr="parameters", value=module), args=[], keywords=[]):
            value = _module(run, module)
            is_sure = isinstance(value, Instance) and way(run, value) is not None
            found = size(run, value) if is_sure and value is not None else None
            return found.parameters if found is not None else None
        case _:
            return None


def _module(run: Run, node: ast.expr) -> Value | None:
    """The module that an expression gives, also as an item of a container: `model[0]`."""
    match node:
        case ast.Subscript(value=whole, slice=ast.Constant(value=int() as place)):
            held = _module(run, whole)
            is_known = isinstance(held, Instance) and submodules.is_container(held)
            return submodules.item(held, Const(place)) if isinstance(held, Instance) and is_known else None
        case _:
            return run.values.get(node)
