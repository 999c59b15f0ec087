"""What a name was last bound to, also where it is a parameter that every caller hands the same thing."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis
from torchlore.rules import arguments, bindings
from torchlore.text.nodes import nodes_in

_FEW = 3
"""Functions that hand a parameter on to one another: beyond that nobody follows it."""


def last_given(analysis: Analysis, use: ast.expr, left: int = _FEW) -> ast.expr | None:
    """As `bindings.last_value`; of a parameter the one thing that all calls of its function hand over.

    The function must stand at the top of the file, and the file must do nothing with it but call it.
    """
    found = bindings.last_value(analysis, use)
    if found is not None or not isinstance(use, ast.Name) or left == 0:
        return found
    outer = reversed(analysis.around(use) or ())
    function = next((node for node in outer if isinstance(node, ast.FunctionDef | ast.Lambda)), None)
    if not isinstance(function, ast.FunctionDef) or function.decorator_list:
        return None
    if any(bindings.binds(statement, use.id) for statement in function.body):
        return None
    handed = [last_given(analysis, argument, left - 1) for argument in _handed(analysis, function, use.id)]
    return handed[0] if handed and all(one is handed[0] for one in handed) else None


def _handed(analysis: Analysis, function: ast.FunctionDef, name: str) -> list[ast.expr]:
    """What the calls of a function hand over for a parameter; nothing where not all of them are seen."""
    tree = analysis.source.tree
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    bound = [statement for statement in tree.body if bindings.binds(statement, function.name)]
    if bound != [function] or name not in names:
        return []
    nodes = [*nodes_in(tree)]
    calls = [node for node in nodes if isinstance(node, ast.Call) and _is_named(node.func, function.name)]
    mentions = [node for node in nodes if _is_named(node, function.name)]
    plain = [call for call in calls if arguments.is_written_out(call)]
    handed = [arguments.argument(call, names.index(name), name) for call in plain]
    found = [argument for argument in handed if argument is not None]
    return found if len(found) == len(calls) == len(mentions) else []


def _is_named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
