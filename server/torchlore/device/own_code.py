"""What of the user's own code is run when they point at it: nothing more than that needs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis
from torchlore.analysis.excerpt import Excerpt, excerpt, statement_of, with_names
from torchlore.analysis.values import Const, Instance, LocalClass, Tensor
from torchlore.device.measured import Input, Optimizer
from torchlore.device.trust import NotAllowed
from torchlore.text import Notebook, Source
from torchlore.text.nodes import nodes_in

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_CELL = re.compile(r"^# ?%%", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file that can be run by itself.

    Attributes:
        title: what it is: "lines 3 to 5", "the cell", "`main()`".
        code: its program; lines stand where they do in the file.
        lines: the first and the last one that were meant, from 1; None of a call that stands nowhere in it.
    """

    title: str
    code: str
    lines: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class ModelCode:
    """A program whose last expression is a function that makes a model.

    Attributes:
        made: how: "Net(10)".
        inputs: of its `forward`, where the file shows them; None where it does not.
        optimizer: the one that the file uses, with what it is given as plain numbers; None where it uses
            none, or several.
    """

    made: str
    code: str
    inputs: tuple[Input, ...] | None
    optimizer: Optimizer | None


def selection(source: Source, first: int, last: int) -> Part:
    """The statements that stand on some lines, 0-based.

    Raises:
        NotAllowed: none do, or they need what cannot be had without running more.
    """
    found = excerpt(source, first, last)
    if found is None:
        raise NotAllowed("There is no whole statement to run on these lines.")
    many = f"lines {found.first + 1} to {found.last + 1}"
    title = many if found.last > found.first else f"line {found.first + 1}"
    return _part(title, _complete(found, title))


def under_cursor(source: Source, line: int) -> Part:
    """The cell, else the function without parameters, else the statement that a line (0-based) is in.

    Raises:
        NotAllowed: as `selection`.
    """
    cell = _cell(source, line)
    if cell is not None:
        found = excerpt(source, *cell)
        if found is None:
            raise NotAllowed("There is nothing to run in this cell.")
        return _part("the cell", _complete(found, "the cell"))
    function = next((s for s in source.tree.body if isinstance(s, _Function) and _is_on(s, line)), None)
    if function is not None:
        return called(source, function.name)
    return selection(source, line, line)


def called(source: Source, name: str) -> Part:
    """A call of a function of the file that needs no arguments.

    Raises:
        NotAllowed: there is none of that name, or it needs arguments.
    """
    function = statement_of(source, name)
    if not isinstance(function, _Function) or "." in name:
        raise NotAllowed(f"There is no function `{name}` at the top of this file.")
    needs = _required(function.args)
    if needs:
        listed = ", ".join(f"`{one}`" for one in needs)
        raise NotAllowed(f"`{name}` needs {listed}: select a call of it, and that is run.")
    call = f"{name}()"
    found = with_names(source, f"__import__('asyncio').run({call})" if _is_async(function) else call)
    assert found is not None
    return Part(f"`{call}`", _complete(found, f"`{call}`").code, None)


def model(analysis: Analysis, name: str, arguments: str | None = None) -> ModelCode:
    """A program that makes a model of the file.

    Args:
        analysis: of the file.
        name: of the class.
        arguments: of its constructor, as Python writes them; None for those that the file itself gives it.

    Raises:
        NotAllowed: there is no such class, or nothing tells how it is made.
    """
    node = statement_of(analysis.source, name)
    if not isinstance(node, ast.ClassDef) or "." in name:
        raise NotAllowed(f"There is no class `{name}` at the top of this file.")
    made, code = _made(analysis, node, arguments)
    return ModelCode(made, code, _inputs(analysis, node), _optimizer(analysis))


def _made(analysis: Analysis, node: ast.ClassDef, arguments: str | None) -> tuple[str, str]:
    if arguments is not None:
        made = f"{node.name}({arguments})"
        found = with_names(analysis.source, f"lambda: {made}")
        if found is None:
            raise NotAllowed(f"`{made}` is no call that Python can read.")
        return made, _complete(found, f"`{made}`").code
    for made in _ways(analysis, node):
        found = with_names(analysis.source, f"lambda: {made}")
        if found is not None and not found.missing:
            return made, found.code
    raise NotAllowed(
        f"The file does not tell how a `{node.name}` is made: give the arguments of its constructor."
    )


def _ways(analysis: Analysis, node: ast.ClassDef) -> Iterator[str]:
    """Calls of the class in the file, the first of the text first, then one without arguments."""
    for call in _calls(analysis):
        value = analysis.value(call)
        if isinstance(value, Instance) and _is_of(value, node) and not _is_super(call):
            given = [_text(analysis, one) for one in call.args]
            given += [
                f"{one.arg}={_text(analysis, one.value)}" if one.arg else f"**{ast.unparse(one.value)}"
                for one in call.keywords
            ]
            yield f"{node.name}({', '.join(given)})"
    constructor = next((s for s in node.body if isinstance(s, _Function) and s.name == "__init__"), None)
    if constructor is None or not _required(constructor.args)[1:]:
        yield f"{node.name}()"


def _text(analysis: Analysis, argument: ast.expr) -> str:
    """An argument as it can be written anywhere: a name of a function's own stands for a literal."""
    value = analysis.value(argument)
    if isinstance(value, Const) and isinstance(value.value, str | int | float | bool | None):
        written = repr(value.value)
        if written not in ("inf", "-inf", "nan"):  # Those are names of nothing.
            return written
    return ast.unparse(argument)


def _inputs(analysis: Analysis, node: ast.ClassDef) -> tuple[Input, ...] | None:
    """What the model is called with somewhere in the file, where all sizes of that are certain."""
    for call in _calls(analysis):
        value = analysis.value(call.func)
        if not isinstance(value, Instance) or not _is_of(value, node) or call.keywords:
            continue
        given = [_input(analysis, one) for one in call.args]
        found = tuple(one for one in given if one is not None)
        if found and len(found) == len(given):
            return found
    return None


def _input(analysis: Analysis, argument: ast.expr) -> Input | None:
    value = analysis.value(argument)
    if not isinstance(value, Tensor) or value.shape is None or value.shape.is_open:
        return None
    sizes = [size for size in value.shape.dims if size is not None]
    return Input(tuple(sizes), value.dtype or "float32") if len(sizes) == len(value.shape.dims) else None


def _optimizer(analysis: Analysis) -> Optimizer | None:
    made = (analysis.value(call) for call in _calls(analysis))
    found = {
        Optimizer(one.cls.rpartition(".")[2], _options(one))
        for one in made
        if isinstance(one, Instance)
        and isinstance(one.cls, str)
        and one.cls.startswith("torch.optim.")
        and one.cls.count(".") == 2
    }
    return found.pop() if len(found) == 1 else None


def _options(optimizer: Instance) -> tuple[tuple[str, bool | int | float], ...]:
    """What it is given by name, where that is a number: a momentum, which it keeps a tensor for."""
    given = optimizer.arguments.keywords if optimizer.arguments is not None else {}
    values = ((name, value.value) for name, value in given.items() if isinstance(value, Const))
    return tuple((name, value) for name, value in values if isinstance(value, bool | int | float))


def _calls(analysis: Analysis) -> list[ast.Call]:
    calls = [node for node in nodes_in(analysis.source.tree) if isinstance(node, ast.Call)]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _is_of(value: Instance, node: ast.ClassDef) -> bool:
    return isinstance(value.cls, LocalClass) and value.cls.node is node


def _is_super(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "super"


def _required(arguments: ast.arguments) -> list[str]:
    plain = [*arguments.posonlyargs, *arguments.args]
    needed = plain[: len(plain) - len(arguments.defaults)]
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return [one.arg for one in (*needed, *(one for one, default in named if default is None))]


def _is_async(function: ast.stmt) -> bool:
    return isinstance(function, ast.AsyncFunctionDef)


def _is_on(statement: _Function, line: int) -> bool:
    return statement.lineno - 1 <= line < (statement.end_lineno or statement.lineno)


def _cell(source: Source, line: int) -> tuple[int, int] | None:
    """The lines of the notebook's cell, or those between two that begin with `# %%`."""
    lines = source.lines
    if isinstance(source, Notebook):
        cell = source.cell_at(lines.start(line))
        if cell is None:
            return None
        start = source.start(cell)
        return lines.line_of(start), lines.line_of(start + max(len(cell.text) - 1, 0))
    marks = [lines.line_of(match.start()) for match in _CELL.finditer(source.text)]
    if not marks:
        return None
    first = max((mark for mark in marks if mark <= line), default=0)
    last = min((mark for mark in marks if mark > line), default=len(lines)) - 1
    return first, last


def _complete(found: Excerpt, what: str) -> Excerpt:
    if found.missing:
        listed = ", ".join(f"`{name}` ({why})" for name, why in found.missing)
        raise NotAllowed(f"Without running more of the file, {what} cannot be run: it needs {listed}.")
    return found


def _part(title: str, found: Excerpt) -> Part:
    return Part(title, found.code, (found.first + 1, found.last + 1))
