"""Where a file uses names and methods that torch removed or deprecates."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from torchlore.analysis import Analysis, torch_names
from torchlore.analysis.members import kind_of
from torchlore.analysis.values import BoundMethod, Instance, Ref, Tensor, Value
from torchlore.rules.api._table import Change, changes
from torchlore.rules.api._words import last_words
from torchlore.text.nodes import blocks, nodes_in


@dataclass(frozen=True, eq=False, slots=True)
class Use:
    """One place where a file names something, or calls a method.

    Attributes:
        change: what became of it.
        node: how it is named: `torch.qr`, `qr`, `x.qr`.
        call: the call of it, where it is called.
        is_method: whether `node` is a method of the object that stands before its dot.
        outer: the nodes around `node`, outermost first.
    """

    change: Change
    node: ast.Name | ast.Attribute
    call: ast.Call | None
    is_method: bool
    outer: tuple[ast.AST, ...]


def uses(analysis: Analysis) -> list[Use]:
    """Every use in a file, in the order of the text, but for those that first ask which torch there is."""
    if analysis not in _FOUND:
        found = [use for use in _uses(analysis) if may_be_told(analysis, use.node, use.outer)]
        _FOUND[analysis] = sorted(found, key=lambda use: (use.node.lineno, use.node.col_offset))
    return _FOUND[analysis]


_FOUND: WeakKeyDictionary[Analysis, list[Use]] = WeakKeyDictionary()


def _uses(analysis: Analysis) -> Iterator[Use]:
    known = changes()
    imported: dict[str, str] = {}
    for _, _, local, name in imports(analysis):
        imported[local] = name if imported.get(local, name) == name else ""
    imported = {local: name for local, name in imported.items() if name in known}
    attributes = last_words(analysis.source)
    calls = analysis.run.calls
    for node, value in analysis.run.values.items():
        # Nearly all nodes are something else: these questions must cost little.
        if isinstance(node, ast.Attribute):
            if node.attr not in attributes:
                continue
        elif not isinstance(node, ast.Name) or node.id not in imported:
            continue
        name = _named(value)
        if name not in known or (isinstance(node, ast.Name) and name != imported[node.id]):
            continue
        outer = analysis.around(node) if isinstance(node.ctx, ast.Load) else None
        if outer:
            call = outer[-1] if isinstance(outer[-1], ast.Call) and outer[-1].func is node else None
            called = call if call in calls else None
            yield Use(known[name], node, called, isinstance(value, BoundMethod), outer)


def _named(value: Value) -> str:
    """The dotted name of something imported, or of a method of something that is surely torch's."""
    match value:
        case Ref(name=name):
            return name
        case BoundMethod(receiver=Tensor(certain=True), name=name):
            return f"torch.Tensor.{name}"
        case BoundMethod(receiver=Instance() as receiver, name=name):
            return f"{_OWNERS.get(kind_of(receiver), '')}.{name}"
        case _:
            return ""


_OWNERS = {
    "Module": "torch.nn.Module",
    "Loss": "torch.nn.Module",
    "Scheduler": "torch.optim.lr_scheduler.LRScheduler",
}
"""The class whose methods objects of a kind have."""


def imports(analysis: Analysis) -> Iterator[tuple[ast.ImportFrom, ast.alias, str, str]]:
    """What `from … import …` binds: the statement, the entry, the local name and the public dotted name."""
    for statement in analysis.source.every(ast.ImportFrom):
        if statement.module and not statement.level:
            for alias in statement.names:
                name = torch_names.canonical(f"{statement.module}.{alias.name}")
                yield statement, alias, alias.asname or alias.name, name


def is_run(use: Use) -> bool:
    """Whether it is called here, or handed to something that surely calls it."""
    return use.call is not None or use.change.fails_by_name or _is_handed_over(use)


def _is_handed_over(use: Use) -> bool:
    """Whether it is a decorator, or an argument: a table of functions may be there to name them only."""
    outer = use.outer[-1]
    if use.node in getattr(outer, "decorator_list", ()):
        return True
    return isinstance(outer, ast.keyword) or (isinstance(outer, ast.Call) and use.node in outer.args)


def is_type(use: Use) -> bool:
    """Whether it is only named to say, or to ask, what something is: that runs nothing of it."""
    inner: ast.AST = use.node
    for outer in reversed(use.outer):
        match outer:
            case ast.arg() | ast.ExceptHandler():
                return True
            case ast.AnnAssign(annotation=named) | ast.FunctionDef(returns=named) if named is inner:
                return True
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass")):
                return True
            case ast.stmt():
                return False
        inner = outer
    return False


def may_be_told(analysis: Analysis, node: ast.expr | ast.stmt, outer: tuple[ast.AST, ...]) -> bool:
    """Whether nothing around a node, as it is now or once it parses, says that it is meant for another torch.

    Args:
        analysis: of the file.
        node: what would be reported.
        outer: the nodes around it, outermost first.
    """
    blanked = analysis.source.parsed.blanked
    if blanked:  # the broken line may be the `except` that forgives
        scope = next((each for each in reversed(outer) if isinstance(each, _SCOPES)), None)
        if scope is None or not blanked.isdisjoint(range(scope.lineno - 1, scope.end_lineno or 0)):
            return False
    return analysis.is_whole(node) and not is_guarded(outer, node)


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef)


def is_guarded(outer: tuple[ast.AST, ...], node: ast.AST) -> bool:
    """Whether code around a node, or before it, asks which torch there is, or is ready for another one."""
    inner: ast.AST = node
    for current in reversed(outer):
        match current:
            case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if (
                test is not inner and asks(test)
            ):
                return True
            case ast.BoolOp(values=values) if asks(*(value for value in values if value is not inner)):
                return True
            case ast.Try(handlers=handlers, finalbody=last) if inner not in last and _forgives(handlers):
                return True
        for block in blocks(current):
            if inner in block and any(_leaves_by_version(before) for before in block[: block.index(inner)]):
                return True
        inner = current
    return False


def asks(*tests: ast.AST) -> bool:
    """Whether an expression looks for an attribute, or at a version."""
    for node in (node for test in tests for node in nodes_in(test)):
        match node:
            case ast.Attribute(value=ast.Name(id=part) | ast.Attribute(attr=part), attr="is_available") if (
                part in _ANYWHERE
            ):
                continue
            case ast.Name(id=name) | ast.Attribute(attr=name) if _ASKING.search(name):
                return True
    return False


_ASKING = re.compile(
    r"version|^(?:hasattr|getattr|callable)$|torch_?(?:is_)?(?:ge|gt|le|lt|v?\d)|at_?least|legacy|has_|support"
    r"|is_\w*available$|compat",
    re.IGNORECASE,
)
"""What code calls the functions and flags by which it tells one torch from another: a name is enough to say
nothing."""


_ANYWHERE = frozenset(
    ("cuda", "mps", "xpu", "cpu", "accelerator", "mkl", "mkldnn", "openmp", "cudnn", "distributed", "dist")
)
"""What any torch may have or lack: `torch.cuda.is_available()` asks for a device, not for a version."""


def _forgives(handlers: Iterable[ast.ExceptHandler]) -> bool:
    return any(handler.type is None or _FORGIVEN.search(ast.unparse(handler.type)) for handler in handlers)


_FORGIVEN = re.compile(
    r"\b(?:ImportError|ModuleNotFoundError|AttributeError|TypeError|RuntimeError|Exception|BaseException)\b"
)


def _leaves_by_version(statement: ast.stmt) -> bool:
    """`if version >= …: return …`: what stands below is for the others."""
    if not isinstance(statement, ast.If) or not asks(statement.test):
        return False
    return isinstance(statement.body[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
