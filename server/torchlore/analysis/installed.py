"""What classes and functions of installed packages make. The only file that imports jedi.

jedi finds where a name is defined, across packages, stubs and re-exports; which torch class is made there
is then read off the definition. Nothing of a package is run. jedi is slow, not thread-safe, and reads
whatever code lies there: `torchlore.analysis.inquiry` asks it in a process of its own, which `serve` runs.
"""

from __future__ import annotations

import ast
import faulthandler
import json
import logging
import os
import queue
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torchlore.analysis.interface import Imported, imports
from torchlore.text import decode
from torchlore.text.nodes import nodes_in
from torchlore.text.parse import parse, parse_expression

_LOG = logging.getLogger(__name__)

_MAX_STEPS = 8
"""Definitions followed from one to the next before the answer is that we do not know."""

_SELF = {"Self", "typing.Self", "typing_extensions.Self"}
_OPTIONAL = {"typing.Optional"}

_MEMORY = 2 << 30
"""Bytes of address space that the process may take, where the system can hold it to that."""


def torch_made(name: str, packages: Sequence[str]) -> str | None:
    """The torch class that calling something of an installed package makes an object of.

    Args:
        name: a dotted name as it is imported: of a class that derives from one of torch, of a function
            that says, or plainly shows, what it returns, or of a method of a class.
        packages: folders that hold installed packages (`site-packages`). Nothing in them is run.

    Returns:
        The dotted name of the torch class; None where it is not known to make one.
    """
    try:
        return _made_by_name(name, packages, _MAX_STEPS)
    except Exception as error:  # jedi raises whatever the code that it reads makes it raise
        _LOG.info("jedi could not tell what %s is: %s", name, error)
        return None


def package_folders(interpreter: str) -> list[str]:
    """The `site-packages` folders that belong to an interpreter, found by their place beside it."""
    prefix = Path(interpreter).parent.parent
    return [
        str(p)
        for p in (*sorted(prefix.glob("lib/python3*/site-packages")), prefix / "Lib/site-packages")
        if p.is_dir()
    ]


def serve(seconds: float) -> None:
    """Answers questions, one JSON object a line: `{"name": …, "packages": […]}`, then `{"made": …}`.

    Returns at the end of the input. The process ends at once when the input ends while it still works, and
    when a question takes longer than `seconds`: whoever asks has given it up by then, or is no more.
    """
    _hold_to_memory()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what jedi, or anything that it loads, prints is no answer
    questions: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read_on, args=(questions,), daemon=True).start()
    while True:
        question = json.loads(questions.get())
        faulthandler.dump_traceback_later(seconds, exit=True, file=sys.stderr)
        made = torch_made(question["name"], question["packages"])
        faulthandler.cancel_dump_traceback_later()
        answers.write(json.dumps({"made": made}) + "\n")
        answers.flush()


def _read_on(questions: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        questions.put(line)
    os._exit(0)


def _hold_to_memory() -> None:
    try:
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    except (ImportError, OSError, ValueError):
        pass


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a package: its tree, what its imports bind, its classes and functions by line."""

    tree: ast.Module
    names: dict[str, str]
    module: str

    def named(self, name: str) -> ast.ClassDef | ast.FunctionDef | ast.expr | None:
        """What the file itself binds a name to, at its top level; the last binding counts."""
        for node in reversed(list(_top_level(self.tree.body))):
            match node:
                case ast.ClassDef(name=found) | ast.FunctionDef(name=found) if found == name:
                    return node
                case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                    return value
                case _:
                    pass
        return None


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module, those under `if` and `try` included."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody"):
            if isinstance(node, ast.If | ast.Try):
                yield from _top_level(getattr(node, part, []))
        if isinstance(node, ast.Try):
            for handler in node.handlers:
                yield from _top_level(handler.body)


def _made_by_name(name: str, packages: Sequence[str], steps: int) -> str | None:
    if name.startswith("torch."):
        return name
    for file, node in _definitions(name, packages) if steps > 0 else ():
        asked = name.rpartition(".")[0] if _holder(file, node) is not None else None
        made = _Follower(file, packages, steps - 1, asked).made(node)
        if made is not None:
            return made
    return None


def _holder(file: _File, node: ast.AST) -> ast.ClassDef | None:
    """The class that a method stands in."""
    return next((c for c in nodes_in(file.tree) if isinstance(c, ast.ClassDef) and node in c.body), None)


@dataclass(frozen=True, slots=True)
class _Follower:
    """Where a definition is followed from.

    Attributes:
        file: the file that it stands in.
        asked: the dotted name of the class on which the method that is followed was called.
    """

    file: _File
    packages: Sequence[str]
    steps: int
    asked: str | None

    def made(self, node: ast.AST | None) -> str | None:
        """The torch class of what calling the thing that `node` defines makes."""
        if self.steps <= 0:
            return None
        match node:
            case ast.ClassDef(bases=bases):
                found = (self._further().by_expression(base) for base in bases)
                return next((base for base in found if base is not None), None)
            case ast.FunctionDef(returns=annotation) if annotation is not None:
                return self.annotated(annotation)
            case ast.FunctionDef():
                return self._returned(node)
            case ast.Name() | ast.Attribute():  # Net = _Net
                return self._further().by_expression(node)
            case _:
                return None

    def by_expression(self, node: ast.expr) -> str | None:
        """The torch class of what calling `node`, a name as it is written in the file, makes."""
        if isinstance(node, ast.Subscript):  # Generic[T], Base[int]
            node = node.value
        if not isinstance(node, ast.Name | ast.Attribute):
            return None
        written = ast.unparse(node)
        first, dot, rest = written.partition(".")
        own = self.file.named(written) if not dot else None
        if own is not None:
            return self._further().made(own)
        if first in self.file.names:
            return _made_by_name(f"{self.file.names[first]}{dot}{rest}", self.packages, self.steps)
        return None

    def annotated(self, node: ast.expr) -> str | None:
        """The torch class that an annotation names, None aside."""
        match node:
            case ast.Constant(value=str() as text):
                try:
                    return self.annotated(parse_expression(text))
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    return None
            case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
                return self.annotated(left)
            case ast.Subscript(value=outer, slice=inner) if self._dotted(outer) in _OPTIONAL:
                return self.annotated(inner)
            case ast.Name() | ast.Attribute() if self._dotted(node) in _SELF:
                return _made_by_name(self.asked, self.packages, self.steps) if self.asked else None
            case _:
                return self.by_expression(node)

    def _dotted(self, node: ast.expr) -> str:
        first, dot, rest = ast.unparse(node).partition(".")
        return f"{self.file.names.get(first, first)}{dot}{rest}"

    def _returned(self, function: ast.FunctionDef) -> str | None:
        """What all `return`s of a function without annotation make, where that is one and the same."""
        values = [n.value for n in _own_nodes(function) if isinstance(n, ast.Return) and n.value is not None]
        made = {self._value(value, function) for value in values}
        return made.pop() if len(made) == 1 else None

    def _value(self, node: ast.expr, function: ast.FunctionDef) -> str | None:
        if isinstance(node, ast.Name):
            bound = [n for n in _own_nodes(function) if isinstance(n, ast.Name) and n.id == node.id]
            stores = [n for n in bound if isinstance(n.ctx, ast.Store)]
            assigned = [n.value for n in _own_nodes(function) if _assigns(n, node.id)]  # type: ignore[attr-defined]
            if len(stores) != 1 or len(assigned) != 1:
                return None
            node = assigned[0]
        if not isinstance(node, ast.Call):
            return None
        called = ast.unparse(node.func).partition(".")[0]
        parameters = [arg.arg for arg in nodes_in(function.args) if isinstance(arg, ast.arg)]
        if self.asked and isinstance(node.func, ast.Name) and parameters[:1] == [called]:
            return _made_by_name(self.asked, self.packages, self.steps)  # return cls(…)
        return self.by_expression(node.func) if called not in parameters else None

    def _further(self) -> _Follower:
        return _Follower(self.file, self.packages, self.steps - 1, self.asked)


def _assigns(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]


def _own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The nodes of a function, those of functions and classes in it aside."""
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))


def _definitions(name: str, packages: Sequence[str]) -> Iterator[tuple[_File, ast.AST]]:
    """The classes, functions or assignments that define `name`, in the code first, then in a stub."""
    import jedi  # 0.2 s that nobody should wait for who does not need it

    project = jedi.Project(
        packages[0] if packages else ".", sys_path=list(packages), load_unsafe_extensions=False
    )
    # The interpreter that runs us stands in for the user's, so that jedi starts none.
    environment = jedi.InterpreterEnvironment()
    seen: set[Path] = set()
    for code in _ways_to_name(name):
        script = jedi.Script(code, project=project, environment=environment)
        column = len(code.rpartition("\n")[2])
        for in_stub in (False, True):
            found: list[Any] = script.goto(2, column, follow_imports=True, prefer_stubs=in_stub)
            for definition in found:
                path, line = definition.module_path, definition.line
                if path is None or line is None or Path(path) in seen:
                    continue
                seen.add(Path(path))
                file = _file(Path(path), definition.module_name)
                node = _defined_on(file.tree, int(line), definition.name)
                if node is not None:
                    yield file, node


def _ways_to_name(name: str) -> Iterator[str]:
    """Code whose last line names it: as something of a module, or as a method of a class of one."""
    home, _, last = name.rpartition(".")
    if not home:
        return
    yield f"from {home} import {last}\n{last}"
    module, _, cls = home.rpartition(".")
    if module:
        yield f"from {module} import {cls}\n{cls}.{last}"


def _file(path: Path, module: str) -> _File:
    tree = parse(decode(path.read_bytes()))
    package = module if path.stem == "__init__" else module.rpartition(".")[0]
    names: dict[str, str] = {}
    for node in nodes_in(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for bound, what in imports(node):
                names.setdefault(bound, _absolute(what, package))
    return _File(tree, names, module)


def _absolute(what: Imported, package: str) -> str:
    """The dotted name of what a module of `package` imports, leading dots resolved."""
    module = what.module.lstrip(".")
    up = len(what.module) - len(module) - 1
    home = package.split(".") if up >= 0 else []
    return ".".join(part for part in (*home[: len(home) - max(up, 0)], module, what.name) if part)


def _defined_on(tree: ast.Module, line: int, name: str) -> ast.AST | None:
    """The class, function or assignment of `name` whose header `line` is in."""
    for node in nodes_in(tree):
        match node:
            case ast.ClassDef(name=found, body=[first, *_]) | ast.FunctionDef(name=found, body=[first, *_]):
                if found == name and node.lineno <= line <= max(node.lineno, first.lineno):
                    return node
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if (
                found == name and node.lineno == line
            ):
                return value
            case _:
                pass
    return None
