"""Calls that are written anew: arguments are bound to the old parameters and put where they belong today."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping

from torchlore.analysis import Analysis
from torchlore.analysis.values import Const, Ref
from torchlore.rules.api._table import Form
from torchlore.text import Source

_REST = "*"


def bound(
    source: Source, call: ast.Call, receiver: ast.expr | None, parameters: str
) -> dict[str, ast.expr] | None:
    """Which parameter each argument is for; None where they do not fit, or not all of them are seen.

    Args:
        source: the file.
        call: the call.
        receiver: what the method is called on: the first parameter.
        parameters: `input, some=True`, or `*matrices`.
    """
    names = [name.partition("=")[0] for name in parameters.split(", ")]
    given = [*([receiver] if receiver is not None else []), *call.args]
    strange = (ast.Starred, ast.GeneratorExp, ast.NamedExpr)
    if any(isinstance(each, strange) for each in given) or any(k.arg not in names for k in call.keywords):
        return None
    if names[0].startswith(_REST):
        return {f"{_REST}{at}": each for at, each in enumerate(given)} or None
    if len(given) > len(names):
        return None
    found = dict(zip(names, given, strict=False))
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg in found:
            return None
        found[keyword.arg] = keyword.value
    required = [name for name in parameters.split(", ") if "=" not in name]
    return found if all(name in found for name in required) else None


def defaults(parameters: str) -> dict[str, object]:
    """The default of each parameter that has one."""
    pairs = [name.split("=") for name in parameters.split(", ") if "=" in name]
    return {name: ast.literal_eval(default) for name, default in pairs}


def written(
    analysis: Analysis,
    form: Form,
    given: Mapping[str, ast.expr],
    absent: Mapping[str, object],
    spell: Callable[[str], str | None],
) -> str | None:
    """The call in its new form; None where that form is for other calls, or an argument has no place in it.

    Args:
        analysis: of the file.
        form: the new form.
        given: the arguments by parameter.
        absent: the defaults.
        spell: how the file spells a dotted name.
    """
    wanted = form.when.items()
    if not all(_holds(analysis, each, given.get(name), absent.get(name)) for name, each in wanted):
        return None
    placed = {name for name, _ in _HOLE.findall(form.write)} | {
        name for name, each in wanted if _settles(each)
    }
    if not all(name in placed or name.startswith(_REST) for name in given):
        return None
    names = {name: spell(name) for name in _DOTTED.findall(form.write)}
    if None in names.values():
        return None
    source = analysis.source
    rest = ", ".join(_text(source, each) for name, each in given.items() if name.startswith(_REST))
    text = _DOTTED.sub(lambda match: names[match[0]] or "", form.write)
    return _HOLE.sub(lambda m: rest if m[1] == _REST else _filled(source, given[m[1]], m[2]), text)


def _settles(wanted: object) -> bool:
    """Whether an argument for which this holds need not be written any more."""
    return wanted not in ("absent", "given", "integer", "number")


_HOLE = re.compile(r"\{([\w*]+):?(\w*)\}")
_DOTTED = re.compile(r"\btorch(?:\.\w+)+")


def _holds(analysis: Analysis, wanted: object, given: ast.expr | None, default: object) -> bool:
    match wanted:
        case "absent":
            return given is None
        case "given":
            return given is not None
        case "any":
            return True
        case "integer":
            return _literal(given).__class__ is int
        case "number":
            return _literal(given).__class__ in (int, float)
        case str() if wanted.startswith("torch."):
            value = None if given is None else analysis.value(given)
            return (isinstance(value, Ref) and value.name == wanted) or (
                isinstance(value, Const) and value.value == wanted
            )
        case _:
            return (default if given is None else _literal(given)) is wanted


def _literal(node: ast.expr | None) -> object:
    """The literal that an expression is, None where it is none."""
    try:
        return None if node is None else ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _filled(source: Source, node: ast.expr, how: str) -> str:
    literal = _literal(node)
    match how:
        case "next" if isinstance(literal, int):
            return str(literal + 1)
        case "float":
            return f"{literal}.0"
        case _:
            return _text(source, node)


def _text(source: Source, node: ast.expr) -> str:
    return source.segment(source.span(node))
