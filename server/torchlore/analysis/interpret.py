"""Runs a whole file: the module first, then what nothing in the file called, as entry points of their own."""

from __future__ import annotations

import ast

from torchlore.analysis import calls, members, statements
from torchlore.analysis.events import Kind, Path, Root
from torchlore.analysis.frames import Frame
from torchlore.analysis.run import BUDGET, ROOT_BUDGET, Run
from torchlore.analysis.values import Function, Instance, LocalClass, Value


def interpret(module: ast.Module) -> Run:
    """Everything that is known of a file. Never raises on a tree that `ast.parse` made."""
    frame = Frame(module)
    run = Run(module, frame)
    run.frames[module] = frame
    _run_module(run, module)
    if run.functions.keys() <= run.reached:
        return run
    mentioned = _mentions(module)
    for only_unmentioned in (True, False):
        for node, function in list(run.functions.items()):
            skip = only_unmentioned and _name(function) in mentioned
            if node not in run.reached and function.owner is None and not skip:
                _run_root(run, function)
        for cls in list(run.classes.values()):
            _run_methods(run, cls, mentioned if only_unmentioned else set())
    return run


def _mentions(module: ast.Module) -> set[str]:
    """Names that are read somewhere. Functions that are never read are entry points before others."""
    names: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
    return names


def _run_module(run: Run, module: ast.Module) -> None:
    path: Path = []
    run.left = BUDGET
    with run.writing(path):
        statements.run_block(run, module.body)
    run.roots.append(Root(module, path, certain=True))


def _name(function: Function) -> str:
    return "" if isinstance(function.node, ast.Lambda) else function.node.name


def _run_methods(run: Run, cls: LocalClass, but: set[str]) -> None:
    """Methods that nothing called run on an object of their class, after its `__init__`."""
    waiting = [f for f in cls.attributes.values() if _is_waiting(run, f, but)]
    if not waiting:
        return
    kind = cls if cls.node in run.instances else _heir(run, cls)
    instance = run.instances.get(kind.node)
    if instance is None:
        instance = _make(run, kind)
    for function in waiting:
        if isinstance(function, Function) and function.node not in run.reached:
            _run_root(run, members.bind(function, instance))


def _heir(run: Run, cls: LocalClass) -> LocalClass:
    """The last class that derives from one that the file never makes: its overrides are what would run."""
    return [cls, *(c for c in run.classes.values() if cls in members.mro(c))][-1]


def _is_waiting(run: Run, value: Value, but: set[str]) -> bool:
    if not isinstance(value, Function) or value.owner is None or isinstance(value.node, ast.Lambda):
        return False
    return value.node not in run.reached and value.node.name not in but


def _make(run: Run, cls: LocalClass) -> Instance:
    """An object of a class that the file never makes, its `__init__` given unknown arguments."""
    instance = Instance(cls, cls.node)
    init = members.lookup(cls, "__init__")
    if isinstance(init, Function):
        _run_root(run, members.bind(init, instance))
    return instance


def _run_root(run: Run, function: Value) -> None:
    if not isinstance(function, Function):
        return
    path: Path = []
    run.left = ROOT_BUDGET
    run.grad = True
    with run.writing(path):
        result = calls.call_function(run, function, None, function.node)
        run.emit(Kind.RETURN, function.node, value=result)
    run.roots.append(Root(function.node, path, certain=False))
