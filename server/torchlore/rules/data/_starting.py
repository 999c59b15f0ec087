"""Where the top level of a file starts the workers of a loader."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.events import Branch, Call, Finally, Loop, Path
from torchlore.rules.data import _loaders
from torchlore.text import Notebook, Source
from torchlore.text.nodes import nodes_in

Working = Mapping[ast.AST, Called]
"""Loaders that have workers, by the calls that make them."""

SETTERS = ("torch.multiprocessing.set_start_method", "multiprocessing.set_start_method")
"""What says for the whole program how processes are started."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where workers are started outside of `if __name__ == "__main__":`.

    Attributes:
        shown: what goes through the loader, or the function that is called at the top level and does so.
        top: the statement at the top level that it stands in.
        loader: the loader that has workers.
    """

    shown: ast.expr
    top: ast.stmt
    loader: Called


def starts(analysis: Analysis, working: Working) -> Iterator[Start]:
    """The places at the top level of a file that start workers; none in a notebook."""
    source = analysis.source
    if not working or not may_start(source):
        return
    found = list(_asked(analysis, working))
    for root in analysis.roots:
        if isinstance(root.node, ast.Module) and analysis.is_whole(root.node):
            found += _on(analysis, root.path, working)
    for shown, loader in found:
        top = _at_top(source, shown)
        if top is not None and not (isinstance(top, ast.If) and _is_main(top.test)):
            yield Start(shown, top, loader)


def may_start(source: Source) -> bool:
    """Whether something stands at the top level that may do more than to define something."""
    return not isinstance(source, Notebook) and any(map(_acts, source.tree.body))


def _acts(statement: ast.stmt) -> bool:
    """Whether a statement at the top level may do more than to define something."""
    match statement:
        case ast.If(test=test):
            return not _is_main(test)
        case ast.Expr(value=value) | ast.Assign(value=value):
            return isinstance(value, ast.Call)
        case _:
            return isinstance(statement, ast.For | ast.While | ast.With | ast.Try)


def _is_main(test: ast.expr) -> bool:
    """Whether a condition asks for `__name__`."""
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in nodes_in(test))


def _asked(analysis: Analysis, working: Working) -> Iterator[tuple[ast.expr, Called]]:
    """Where the top level asks a loader for its batches one by one: `next(iter(loader))`."""
    for call in analysis.called("builtins.iter"):
        outer = analysis.around(call.node) or ()
        if not any(isinstance(part, _FUNCTIONS) for part in outer):
            for loader in _loaders.loaders_in(analysis, call.node):
                if loader.node in working:
                    yield call.node, working[loader.node]


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _on(
    analysis: Analysis, path: Path, working: Working, shown: ast.expr | None = None
) -> Iterator[tuple[ast.expr, Called]]:
    """Where workers are started on a path: what to show of it at the top level, and the loader."""
    for step in path:
        match step:
            case Loop(node=node, body=body):
                for made in _gone_through(analysis, node, working):
                    yield shown or _iterated(node), made
                yield from _on(analysis, body, working, shown)
            case Call(node=ast.Call() as node, body=body):
                yield from _on(analysis, body, working, shown or node.func)
            case Branch(arms=arms):
                for arm in arms:
                    yield from _on(analysis, arm, working, shown)
            case Finally(body=body):
                yield from _on(analysis, body, working, shown)


def _gone_through(analysis: Analysis, loop: ast.AST, working: Working) -> Iterator[Called]:
    """The loaders with workers that a loop goes through."""
    if isinstance(loop, ast.For):
        for loader in _loaders.loaders_in(analysis, loop.iter):
            if loader.node in working:
                yield working[loader.node]


def _iterated(loop: ast.AST) -> ast.expr:
    assert isinstance(loop, ast.For)
    return loop.iter


def _at_top(source: Source, node: ast.expr) -> ast.stmt | None:
    """The statement at the top level that a node of the file lies in; None for one of another file."""
    top = (s for s in source.tree.body if s.lineno <= node.lineno <= (s.end_lineno or s.lineno))
    return next((statement for statement in top if node in nodes_in(statement)), None)
