"""Runs a whole file: the module first, then what nothing in the file called, as entry points of their own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import calls, classes, members, statements
from torchlore.analysis.budget import Budget
from torchlore.analysis.events import Kind, Path, Root
from torchlore.analysis.frames import Frame
from torchlore.analysis.run import Run
from torchlore.analysis.values import Function, Instance, LocalClass, Value
from torchlore.analysis.workspace import Imports
from torchlore.pausing import pause_within
from torchlore.text import Source
from torchlore.text.words import encoded, words_in

_ROUNDS = 6
"""How often those are looked for that nothing calls; functions that call each other come after that."""


def interpret(source: Source, imports: Imports | None = None) -> Run:
    """Everything that is known of a file. Never raises on a tree that `ast.parse` made.

    Args:
        source: the file.
        imports: finds the files that it imports; None where it stands alone.
    """
    module = source.tree
    frame = Frame(module)
    path = source.path if imports is None else imports.path
    run = Run(
        module,
        frame,
        frame,
        Budget.for_text(len(source.text), imports is None or imports.follow),
        path,
        imports,
        totals=_totals(source),
    )
    run.left_again, run.left_elsewhere = run.budget.again, run.budget.elsewhere
    run.frames[module] = frame
    _run_module(run, module)
    mentions: dict[ast.AST, frozenset[bytes]] = {}
    for _ in range(_ROUNDS):
        waiting = list(_waiting(run))
        if not waiting:
            return run
        for function in _uncalled(source, waiting, mentions):
            pause_within()
            _run_waiting(run, function)
    while waiting := list(_waiting(run)):
        for function in reversed(waiting):  # callers often stand below what they call
            pause_within()
            _run_waiting(run, function)
    return run


def _totals(source: Source) -> frozenset[str]:
    """The names that something is added to: `total += loss`, `total = total + loss`."""
    targets: list[ast.expr] = [node.target for node in source.every(ast.AugAssign)]
    targets += [
        node.targets[0]
        for node in source.every(ast.Assign)
        if node.value.__class__ is ast.BinOp and statements.added_to_itself(node)
    ]
    return frozenset(target.id for target in targets if isinstance(target, ast.Name))


def dissolve(run: Run) -> None:
    """Cuts what refers to one another in a circle: nearly all of a run is freed with the last who holds it.

    The collector would find it all, but walks every node of every tree to do so, which takes as long as
    parsing. Nothing may be asked of the run afterwards.
    """
    for frame in (run.home, *run.activations, *(module.frame for module in run.modules.values())):
        frame.names.clear()
        frame.stars.clear()
        frame.returns.clear()
        frame.loader = frame.parent = None
    for cls in run.classes.values():
        classes.dissolve(cls)
    for made in run.made.values():
        if isinstance(made, Instance):
            made.attributes.clear()


def run_aside(run: Run, function: Value) -> None:
    """Runs a method as an entry point while something else is being run."""
    with run.aside():
        _run_root(run, function)


def follow_aside(run: Run, function: Value) -> None:
    """Follows a method that is given unknown things, and forgets what happens meanwhile."""
    if isinstance(function, Function):
        with run.aside(), run.writing([]):
            calls.call_function(run, function, None, function.node)


def _run_module(run: Run, module: ast.Module) -> None:
    path: Path = []
    run.left = run.budget.module
    with run.writing(path):
        statements.run_block(run, module.body)
    run.roots.append(Root(module, path, certain=True))


def _waiting(run: Run) -> Iterator[Function]:
    """Functions and methods of the file that nothing has called so far."""
    for function in list(run.functions.values()):
        if function.node not in run.reached and run.is_home(function):
            yield function


def _uncalled(
    source: Source, waiting: list[Function], mentions: dict[ast.AST, frozenset[bytes]]
) -> list[Function]:
    """Those of `waiting` that no other one mentions, nor its class: these may reach the others."""
    if len(waiting) == 1:
        return waiting
    for function in waiting:
        if function.node not in mentions:
            mentions[function.node] = _mentions(source, function)
    mentioned = frozenset[bytes]().union(*(mentions[function.node] for function in waiting))
    return [function for function in waiting if mentioned.isdisjoint(map(encoded, _names(function)))]


def _names(function: Function) -> Iterator[str]:
    """The names by which a function may be called."""
    if isinstance(function.node, ast.Lambda):
        return
    name = function.node.name
    if function.owner is None or not (name == "forward" or name.startswith("__")):
        yield name
    if function.owner is not None and (name == "forward" or name.startswith("__")):
        yield function.owner.node.name


def _mentions(source: Source, function: Function) -> frozenset[bytes]:
    """The words in the text of a function, but for its own name and its class's."""
    node = function.node
    start, end = source.lines.start(node.lineno - 1), source.lines.end((node.end_lineno or node.lineno) - 1)
    return words_in(source.text[start:end]) - set(map(encoded, _names(function)))


def _run_waiting(run: Run, function: Function) -> None:
    """Runs a function, or a method on an object of its class, unless it was reached meanwhile."""
    if function.node in run.reached:
        return
    if function.owner is None:
        _run_root(run, function)
        return
    instance = _object(run, function.owner)
    if function.node not in run.reached:  # making the object may have reached it
        _run_root(run, members.bind(function, instance))


def _object(run: Run, cls: LocalClass) -> Instance:
    """An object of a class, or of the last class that derives from one that the file never makes.

    Where the file makes none, its `__init__` is given unknown arguments.
    """
    kind = cls if cls.node in run.instances else _heir(run, cls)
    instance = run.instances.get(kind.node)
    if instance is None:
        instance = run.instances[kind.node] = run.make(kind.node, kind)
        init = members.lookup(kind, "__init__")
        if isinstance(init, Function):
            _run_root(run, members.bind(init, instance))
    return instance


def _heir(run: Run, cls: LocalClass) -> LocalClass:
    """The last class that derives from one that the file never makes: its overrides are what would run."""
    if cls not in run.parents:
        return cls
    return [cls, *(c for c in run.classes.values() if c.home is run.home and cls in members.mro(c))][-1]


def _run_root(run: Run, function: Value) -> None:
    if not isinstance(function, Function):
        return
    path: Path = []
    run.left = run.budget.module
    run.grad = True
    run.is_aside = _name(function) != "__init__"  # an object is made whole before anything else happens to it
    outer = run.home.begin_trial()
    with run.writing(path):
        result = calls.call_function(run, function, None, function.node)
        run.emit(Kind.RETURN, function.node, value=result)
    run.home.merge([{}, run.home.end_trial(outer)])  # whoever calls it may do so at any time
    run.is_aside = False
    told = function.stands_for if function.stands_for is not None else function
    if run.is_home(told):  # what a decorator of another file wraps is code of this file
        run.roots.append(Root(told.node, path, certain=False))


def _name(function: Function) -> str:
    return "" if isinstance(function.node, ast.Lambda) else function.node.name
