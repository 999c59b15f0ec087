"""What can be offered where somebody types: arguments, values, members. Snippets are none of it."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from torchlore.analysis import Analysis
from torchlore.knowledge.callables import Argument, argument_at, open_arguments
from torchlore.knowledge.members import is_name_of_torch, members_like
from torchlore.knowledge.model import Symbol
from torchlore.knowledge.symbols import resolve
from torchlore.text import Edit, Source, Span
from torchlore.text.cursor import Cursor, OpenCall

_REST = re.compile(r"[\w:.-]*(?=['\"])")
_DOTTED = re.compile(r"[\w.]*\Z")

DTYPES = (
    *("float32", "bfloat16", "float16", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"),
    *("complex64", "complex128", "float8_e4m3fn", "float8_e5m2"),
)
"""The dtypes that tensors are computed with, the commonest first."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to insert.

    Attributes:
        kind: "argument", "value", "dtype", "device", "snippet", or the kind of a symbol.
        label: what the list shows.
        span: what it replaces.
        text: what it inserts.
        detail: a few words behind it.
        about: what its documentation is found by ("symbol", "argument", "value").
        typed: what must be typed for it to be found, where that is not the label.
        is_snippet: whether the text has tab stops.
        elsewhere: edits at other places: imports.
    """

    kind: str
    label: str
    span: Span
    text: str
    detail: str = ""
    about: dict[str, str] = field(default_factory=dict)
    typed: str = ""
    is_snippet: bool = False
    elsewhere: tuple[Edit, ...] = ()


def offers(analysis: Analysis, cursor: Cursor, devices: tuple[str, ...]) -> Iterator[Offer]:
    """What fits where the cursor is, the likeliest first; most often nothing.

    Args:
        analysis: of the file.
        cursor: what is being typed.
        devices: the names of the devices that there are.
    """
    if cursor.direct:
        yield from _in_call(analysis, cursor, cursor.calls[0], devices)
    if cursor.receiver:
        yield from _members(analysis, cursor)


def called_symbol(analysis: Analysis, call: OpenCall) -> Symbol | None:
    """What a call that is being typed calls, where that is torch's."""
    return resolve(analysis.called_by(call.callee, call.place))


def _in_call(analysis: Analysis, cursor: Cursor, call: OpenCall, devices: tuple[str, ...]) -> Iterator[Offer]:
    typed = analysis.source.text[call.value : cursor.offset]
    if cursor.string is None and _DOTTED.match(typed) is None:
        return  # within an expression: `lr=2 * |`
    symbol = called_symbol(analysis, call) if _may_be_torchs(analysis.source, call.callee) else None
    if symbol is None or symbol.name.endswith(".forward"):
        return  # nobody writes `criterion(input=…)`
    argument = argument_at(symbol, -1 if call.named else call.position, call.keyword)
    if argument is not None:
        yield from _values(analysis, cursor, call, symbol, argument, devices)
    if cursor.string is None and not call.keyword and not cursor.receiver:
        yield from _names(cursor, call, symbol)


def _names(cursor: Cursor, call: OpenCall, symbol: Symbol) -> Iterator[Offer]:
    """The arguments that can still be given by name."""
    for one in open_arguments(symbol, call.position, call.named):
        about = {"symbol": symbol.name, "argument": one.name}
        yield Offer("argument", f"{one.name}=", cursor.word, f"{one.name}=", one.declared, about)


def _values(
    analysis: Analysis,
    cursor: Cursor,
    call: OpenCall,
    symbol: Symbol,
    argument: Argument,
    devices: tuple[str, ...],
) -> Iterator[Offer]:
    """What an argument may be."""
    source = analysis.source
    span = _replaced(source, cursor, call)
    for choice in argument.choices:
        text = _written(source, choice.value, cursor)
        if text:
            about = {"symbol": symbol.name, "argument": argument.name, "value": choice.value}
            typed = choice.value.strip("'") if cursor.string is None else ""
            yield Offer("value", text, span, text, argument.name, about, typed)
    if argument.wants.startswith("device"):
        for device in _fitting(devices, argument):
            text = _written(source, repr(device), cursor)
            typed = device if cursor.string is None else ""
            yield Offer("device", text, span, text, argument.wants, typed=typed)
    if cursor.string is not None:
        return
    if argument.wants == "dtype":
        for name in DTYPES:
            spelled = _spelled(source, name)
            if spelled:
                yield Offer("dtype", spelled, span, spelled, "dtype", {"symbol": f"torch.{name}"})
    if argument.name == "params" and not cursor.receiver:
        for one in analysis.names_at(cursor.offset):
            if one.kind == "Module" and one.name != "self":
                text = f"{one.name}.parameters()"
                yield Offer("value", text, span, text, "parameters")


def _fitting(devices: tuple[str, ...], argument: Argument) -> list[str]:
    """The devices that an argument may be and that are not among its choices."""
    known = {choice.value for choice in argument.choices}
    # A type of devices has no number; `meta` is one on which nothing is computed.
    possible = [one for one in devices if one.isalpha() and one != "meta"]
    return [one for one in (devices if argument.wants == "device" else possible) if repr(one) not in known]


def _replaced(source: Source, cursor: Cursor, call: OpenCall) -> Span:
    """What a value takes the place of: what is typed of it, and of a string that ends also the rest."""
    if cursor.string is None:
        return Span(call.value, cursor.offset)
    rest = _REST.match(source.text, cursor.offset)
    return Span(cursor.string.start, rest.end() if rest is not None else cursor.offset)


def _written(source: Source, value: str, cursor: Cursor) -> str:
    """A value as it is to be written: within a string without quotes, else with those that the file prefers.

    Empty for what cannot stand in a string where one is open.
    """
    try:
        literal = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return ""
    if not isinstance(literal, str):
        return "" if cursor.string is not None else value
    if cursor.string is not None:
        return literal
    quote = '"' if source.text.count('"') >= source.text.count("'") else "'"
    return f"{quote}{literal}{quote}"


def _spelled(source: Source, name: str) -> str:
    """What the file calls a name of torch; empty where it imports neither that nor torch."""
    for statement in source.every(ast.ImportFrom):
        if statement.module == "torch" and not statement.level:
            for alias in statement.names:
                if alias.name == name:
                    return alias.asname or name
    for imports in source.every(ast.Import):
        for alias in imports.names:
            if alias.name == "torch" or (alias.asname is None and alias.name.startswith("torch.")):
                return f"{alias.asname or 'torch'}.{name}"
    return ""


def _members(analysis: Analysis, cursor: Cursor) -> Iterator[Offer]:
    """The members of an object of torch's that is not imported: what other servers know least about."""
    root = cursor.receiver.partition(".")[0]
    is_plain = cursor.receiver.replace(".", "").isidentifier()
    if cursor.receiver in ("self", "cls") or (is_plain and root in _imported(analysis.source)):
        return
    prefix = analysis.source.segment(cursor.word)
    seen: set[str] = set()
    for cls in analysis.classes_of(cursor.receiver, cursor.word.start):
        for one in members_like(cls, prefix):
            name = one.name.rpartition(".")[2]
            if name not in seen:
                seen.add(name)
                yield Offer(one.kind, name, cursor.word, name, cls.rpartition(".")[2], {"symbol": one.name})


def _may_be_torchs(source: Source, callee: str) -> bool:
    """Whether a call can be of something of torch's, by its name: most are not, and need no analysis."""
    imported = _imported(source)
    if callee in imported or "." in callee:
        last = callee.rpartition(".")[2]
        return is_name_of_torch(imported.get(last, last).rpartition(".")[2])
    return is_name_of_torch(callee) and not hasattr(builtins, callee)


def _imported(source: Source) -> dict[str, str]:
    """The names that the file's imports bind, and what each was called before."""
    aliases = [alias for statement in source.every(ast.Import) for alias in statement.names]
    aliases += [alias for statement in source.every(ast.ImportFrom) for alias in statement.names]
    return {alias.asname or alias.name.partition(".")[0]: alias.name for alias in aliases}
