"""Some lines of a file as a program of their own, with the imports and definitions that they need."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from torchlore.analysis.names import bound_names
from torchlore.text import Source
from torchlore.text.nodes import blocks, first_line, nodes_in

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_DEFINES = (
    *(ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Try, ast.If, ast.With),
)
"""Statements that are run for the names that they bind. A loop is not: it may be the training."""

_ALWAYS_BIND = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign)

_GIVEN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "__builtins__"}


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A program.

    Attributes:
        code: each line of it stands on the line that it has in the file; the others are empty.
        first, last: the lines that were asked for, 0-based, as far as statements stand there.
        missing: names that it needs and that only the parts that are left out bind, each with what binds it
            there: "a parameter of `train`", "a loop"; it cannot run with any.
    """

    code: str
    first: int
    last: int
    missing: tuple[tuple[str, str], ...] = ()


def excerpt(source: Source, first: int, last: int) -> Excerpt | None:
    """The statements that stand on some lines, and what they need; nothing else of the file is in it.

    What they need are the statements that bind names which they load, in the block that they stand in and in
    those around it: imports, definitions, assignments, and conditions, `try` and `with` that hold such. Where
    they stand in a function, its parameters are missing.

    Args:
        source: the file.
        first, last: lines, 0-based, both included.

    Returns:
        None where no whole statement stands there.
    """
    chosen = _chosen(source.tree.body, first, last)
    if not chosen.statements:
        return None
    needed = _Needed(chosen)
    needed.look_for(chosen.statements)
    lines = _lines(source, chosen, needed.statements)
    for number in source.parsed.blanked:  # What does not parse is left in, for Python to say so.
        if first <= number <= last:
            lines[number] = source.lines.text(number)
    until = max(_end(statement) for statement in chosen.statements)
    missing = tuple(sorted(needed.missing.items()))
    return Excerpt("\n".join(lines).rstrip("\n") + "\n", first_line(chosen.statements[0]), until - 1, missing)


def with_names(source: Source, expression: str) -> Excerpt | None:
    """The definitions of the file that an expression needs, and below them the expression.

    Returns:
        None where it is no expression.
    """
    try:
        tree = ast.parse(expression, mode="eval")
    except (SyntaxError, ValueError):
        return None
    wanted = ast.Expr(tree.body)
    chosen = _Chosen((), (source.tree.body,), [wanted], len(source.lines) + 1)
    needed = _Needed(chosen)
    needed.look_for(chosen.statements)
    bound = {name for statement in source.tree.body for name in bound_names(statement)}
    missing = dict.fromkeys(_loaded(wanted) - bound, "bound in a function only") | needed.missing
    lines = [*_lines(source, _Chosen((), (), [], 0), needed.statements), expression]
    last = len(lines) - 1
    return Excerpt("\n".join(lines) + "\n", last, last, tuple(sorted(missing.items())))


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Statements of one block. `around`: the statements that this is in; `bodies`: theirs, and that one."""

    around: tuple[ast.stmt, ...]
    bodies: tuple[Sequence[ast.stmt], ...]
    statements: list[ast.stmt]
    line: int


def _chosen(body: Sequence[ast.stmt], first: int, last: int) -> _Chosen:
    """The statements that the lines touch, of the innermost block that holds them all."""
    around: tuple[ast.stmt, ...] = ()
    bodies: tuple[Sequence[ast.stmt], ...] = (body,)
    while True:
        touched = [s for s in body if first_line(s) <= last and _end(s) > first]
        inner = _inner(touched[0], first, last) if len(touched) == 1 else None
        if inner is None:
            line = first_line(touched[0]) if touched else first
            return _Chosen(around, bodies, touched, line)
        around, body = (*around, touched[0]), inner
        bodies = (*bodies, body)


def _inner(statement: ast.stmt, first: int, last: int) -> list[ast.stmt] | None:
    """The block of a statement that the lines are wholly in, where it begins on a line of its own."""
    for block in blocks(statement):
        if block and statement.lineno <= first_line(block[0]) <= first and last < _end(block[-1]):
            return block
    return None


class _Needed:
    """Collects the statements that bind what others load."""

    def __init__(self, chosen: _Chosen) -> None:
        self.chosen = chosen
        self.statements: set[ast.stmt] = set()
        self.missing: dict[str, str] = {}
        self._seen: set[str] = set()

    def look_for(self, statements: Sequence[ast.stmt]) -> None:
        """Adds what binds the names that these statements load, and what that needs in turn."""
        bound: set[str] = set()
        for statement in statements:
            self._add(_loaded(statement) - bound)
            if isinstance(statement, _ALWAYS_BIND):
                bound |= bound_names(statement)

    def _add(self, names: set[str]) -> None:
        pending = names
        while pending := pending - self._seen:
            self._seen |= pending
            found = {one for name in sorted(pending) for one in self._binding(name)}
            new = found.difference(self.statements, self.chosen.statements)
            self.statements |= new
            pending = {name for statement in new for name in _loaded(statement)}

    def _binding(self, name: str) -> list[ast.stmt]:
        """The statements that bind a name, of the innermost block that does."""
        for depth in range(len(self.chosen.bodies) - 1, -1, -1):
            body = self.chosen.bodies[depth]
            holder = self.chosen.around[depth - 1] if depth else None
            binding = [s for s in body if name in bound_names(s) and s not in self.chosen.around]
            before = [s for s in binding if first_line(s) < self.chosen.line]
            if depth == 0:  # What functions of the module name may be defined below them.
                before = before or binding
            usable: list[ast.stmt] = [s for s in before if isinstance(s, _DEFINES)]
            if usable or any(s in self.chosen.statements for s in binding):
                return usable
            why = _why_not(name, holder, before)
            if why:
                self.missing[name] = why
                return []
        return []


def _why_not(name: str, holder: ast.stmt | None, bound: Sequence[ast.stmt]) -> str:
    if isinstance(holder, _Function):
        arguments = holder.args
        parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        parameters += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
        if any(parameter.arg == name for parameter in parameters):
            return f"a parameter of `{holder.name}`"
    if isinstance(holder, ast.For | ast.AsyncFor) and name in _stored(holder.target):
        return "the variable of a loop"
    if isinstance(holder, ast.With | ast.AsyncWith):
        targets = [item.optional_vars for item in holder.items if item.optional_vars is not None]
        if any(name in _stored(target) for target in targets):
            return "what a `with` binds"
    return "bound in a loop that is not run" if bound else ""


def _loaded(node: ast.AST) -> set[str]:
    """The names that a statement reads from around itself, in the functions and classes in it, too."""
    try:
        found = set(_read(symtable.symtable(ast.unparse(node), "<excerpt>", "exec")))
    except SyntaxError:  # A `return`, say, which stands in a function; running it says so better than we can.
        found = {one.id for one in nodes_in(node) if isinstance(one, ast.Name)}
    if isinstance(node, ast.AugAssign):
        found |= _stored(node.target)
    return found - _GIVEN


def _read(table: symtable.SymbolTable) -> Iterator[str]:
    is_top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (is_top or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _read(child)


def _stored(target: ast.AST) -> set[str]:
    return {one.id for one in nodes_in(target) if isinstance(one, ast.Name)}


def _lines(source: Source, chosen: _Chosen, needed: Iterable[ast.stmt]) -> list[str]:
    """The lines of the program; a block that it is inside of begins with a condition that always holds."""
    lines = [""] * len(source.lines)
    for statement in (*needed, *chosen.statements):
        for number in range(first_line(statement), _end(statement)):
            lines[number] = source.lines.text(number)
    futures = (s for s in source.tree.body if isinstance(s, ast.ImportFrom) and s.module == "__future__")
    for statement in futures:
        lines[statement.lineno - 1] = source.lines.text(statement.lineno - 1)
    for holder, body in zip(chosen.around, chosen.bodies[1:], strict=True):
        if body[0].col_offset > holder.col_offset:  # An `elif` stands in the block of an `if`, but no deeper.
            lines[first_line(body[0]) - 1] = " " * holder.col_offset + "if True:"
    return lines


def _end(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def statement_of(source: Source, name: str) -> ast.stmt | None:
    """The function or class of the file that is called so (`Net.forward` is a method)."""
    body: Sequence[ast.stmt] = source.tree.body
    found: ast.stmt | None = None
    for part in name.split("."):
        found = next((s for s in _definitions(body) if s.name == part), None)
        if not isinstance(found, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            return None
        body = found.body
    return found


def _definitions(body: Sequence[ast.stmt]) -> Iterator[ast.ClassDef | _Function]:
    for statement in body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield statement
