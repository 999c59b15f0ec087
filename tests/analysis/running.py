"""Runs a case on real torch and shows what its expressions really are.

A case that stops half-way (it needs a package that is not installed, a second device, a file) has shown
what came before. `input()` is answered without a user, so that a case can be run down both of its ways.
"""

from __future__ import annotations

import ast
import builtins
import io
import os
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import torch
from describing import Case, written

_LOOK = "__look__"
_PATCHED = (torch, torch.nn.functional, torch.optim.Optimizer)  # what cases set attributes of
_MAX_LOOKS = 2000
_MAX_LOOKS_AT_ONE = 8
_MAX_ANSWERED = 5

Look = Callable[[ast.AST, object], None]


class _Enough(BaseException):
    """A loop without end has shown what it does. Not an `Exception`: no case shall catch it."""


def run(case: Case, tree: ast.Module, root: Path, look: Look) -> None:
    """Runs a case and calls `look` with every name, attribute and call that is read, and what it was.

    Args:
        case: any case whose main file parses.
        tree: the tree of its main file, to whose nodes `look` is to be called.
        root: an empty folder.
        look: what to do with a node and its value.
    """
    written(case, root)
    asks = any("input(" in text for text in case.files.values())
    for answers in (("", "x"), ("x", "")) if asks else (("", ""),):
        copy = ast.parse(case.code)
        looking = _Looking(dict(zip(ast.walk(copy), ast.walk(tree), strict=True)))
        code = compile(ast.fix_missing_locations(looking.visit(copy)), case.main, "exec")
        names = {**vars(builtins), _LOOK: _looker(looking.shown, look)}
        with _as_a_script(case, root, answers):
            try:
                exec(code, {"__name__": "__main__", "__builtins__": names})  # noqa: S102
            except (Exception, SystemExit, _Enough):  # what it lacks here is not what is asked
                pass


def _looker(shown: list[ast.AST], look: Look) -> Callable[[int, object], object]:
    counts: Counter[int] = Counter()

    def looker(index: int, value: object) -> object:
        counts[index] += 1
        if counts.total() > _MAX_LOOKS:
            raise _Enough
        if counts[index] <= _MAX_LOOKS_AT_ONE:
            look(shown[index], value)
        return value

    return looker


class _Looking(ast.NodeTransformer):
    """Wraps expressions in calls of the looker. This class is the interface of `ast`."""

    def __init__(self, originals: dict[ast.AST, ast.AST]) -> None:
        self._originals = originals
        self.shown: list[ast.AST] = []

    def visit(self, node: ast.AST) -> ast.AST:
        original = self._originals.get(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.match_case):
            node.body = [self.visit(statement) for statement in node.body]  # type: ignore[misc]
            return node
        if isinstance(node, ast.AnnAssign):
            node.value = self.visit(node.value) if node.value is not None else None  # type: ignore[assignment]
            return node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super":
            return node  # it finds its class by the frame that calls it
        self.generic_visit(node)
        read = isinstance(node, ast.Name | ast.Attribute | ast.Call)
        if original is None or not read or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return node
        self.shown.append(original)
        call = ast.Call(ast.Name(_LOOK, ast.Load()), [ast.Constant(len(self.shown) - 1), node], [])
        return ast.copy_location(call, node)


@contextmanager
def _as_a_script(case: Case, root: Path, answers: tuple[str, str]) -> Iterator[None]:
    """The folder, the import path, the modules and the settings of torch as a script finds and leaves them."""
    path, modules, folder = list(sys.path), set(sys.modules), Path.cwd()
    kept = {home: dict(vars(home)) for home in _PATCHED}
    asked, connect = builtins.input, socket.socket.connect
    sys.path[:0] = [str((root / case.main).parent), str(root), str(root / "src")]
    os.chdir(root)
    builtins.input = _answering(answers)
    socket.socket.connect = _no_network  # type: ignore[method-assign, assignment]
    torch.manual_seed(0)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        os.chdir(folder)
        sys.path[:] = path
        builtins.input, socket.socket.connect = asked, connect  # type: ignore[method-assign]
        for home, names in kept.items():
            for name, value in names.items():
                if vars(home).get(name) is not value:
                    setattr(home, name, value)
        torch.set_grad_enabled(True)
        torch.set_default_dtype(torch.float32)
        for name in [name for name in sys.modules if name not in modules and _is_of(root, name)]:
            del sys.modules[name]


def _answering(answers: tuple[str, str]) -> Callable[..., str]:
    """Answers the first few questions, then all others: a loop on an answer ends."""
    count = 0

    def answer(*_: object) -> str:
        nonlocal count
        count += 1
        if count > 10 * _MAX_ANSWERED:
            raise _Enough
        return answers[count > _MAX_ANSWERED]

    answer.__name__ = "input"
    return answer


def _no_network(*_: object) -> None:
    raise OSError("cases run without a network")


def _is_of(root: Path, name: str) -> bool:
    module = sys.modules[name]
    places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", [])]
    return any(str(place).startswith(str(root)) for place in places)
