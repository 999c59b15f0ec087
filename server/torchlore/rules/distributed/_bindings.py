"""What a name was last bound to, as the order of statements alone proves it.

The analysis takes what DDP gives for the module itself: the same parameters, the same outputs. Rules that
must tell the two apart ask here which of the two a name stands for.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from torchlore.analysis import Analysis
from torchlore.text.nodes import blocks

_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_SCOPES = (ast.ClassDef, ast.DictComp, ast.GeneratorExp, ast.Lambda, ast.ListComp, ast.SetComp)


def binding(analysis: Analysis, use: ast.expr) -> ast.expr | None:
    """The expression that a name, or an attribute of `self`, was surely last bound to before `use`.

    None where that depends on the path, or where another function may have bound it.
    """
    name = spelled(use)
    outer = analysis.around(use)
    if name is None or outer is None:
        return None
    inside = [*outer, use]
    for index in range(len(inside) - 2, -1, -1):
        parent, child = inside[index], inside[index + 1]
        if isinstance(child, ast.stmt) and not isinstance(parent, ast.expr):
            found = _before(parent, child, name)
            if found is not None:
                return found if isinstance(found, ast.expr) else None
        is_again = isinstance(parent, _LOOPS) or (isinstance(parent, ast.Try) and child not in parent.body)
        if is_again and _binds(parent, name):
            return None  # by an earlier iteration, or by what failed
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
            return _of_object(inside[:index], parent, name)
        if isinstance(parent, _SCOPES):
            return None
    return None


_FEW = 3
"""Functions that hand a parameter on to one another: beyond that nobody follows it."""


def given(analysis: Analysis, use: ast.expr, left: int = _FEW) -> ast.expr | None:
    """`binding`, and of a parameter what all calls of its function hand over, where that is one thing.

    The function must stand at the top of the file, and the file must do nothing with it but call it.
    """
    found = binding(analysis, use)
    if found is not None or not isinstance(use, ast.Name) or left == 0:
        return found
    outer = reversed(analysis.around(use) or ())
    function = next((node for node in outer if isinstance(node, ast.FunctionDef | ast.Lambda)), None)
    if not isinstance(function, ast.FunctionDef) or function.decorator_list:
        return None
    if any(_binds(statement, use.id) for statement in function.body):
        return None
    handed = [given(analysis, argument, left - 1) for argument in _handed(analysis, function, use.id)]
    return handed[0] if handed and all(one is handed[0] for one in handed) else None


def _handed(analysis: Analysis, function: ast.FunctionDef, name: str) -> list[ast.expr]:
    """What the calls of a function hand over for a parameter; nothing where not all of them are seen."""
    tree = analysis.source.tree
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    bound = [statement for statement in tree.body if _binds(statement, function.name)]
    if bound != [function] or name not in names:
        return []
    nodes = [*ast.walk(tree)]
    calls = [node for node in nodes if isinstance(node, ast.Call) and _is_named(node.func, function.name)]
    mentions = [node for node in nodes if _is_named(node, function.name)]
    handed = [_argument(call, names.index(name), name) for call in calls]
    found = [argument for argument in handed if argument is not None]
    return found if len(found) == len(calls) == len(mentions) else []


def _is_named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _argument(call: ast.Call, index: int, name: str) -> ast.expr | None:
    if any(isinstance(one, ast.Starred) for one in call.args) or any(not one.arg for one in call.keywords):
        return None
    named = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    return call.args[index] if index < len(call.args) else named


def spelled(node: ast.expr) -> str | None:
    """`model` or `self.model`; None of anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="self"), attr=attr):
            return f"self.{attr}"
        case _:
            return None


def _before(parent: ast.AST, child: ast.stmt, name: str) -> ast.expr | bool | None:
    """What `name` is bound to before `child` in its block; True where it is bound in another way."""
    for block in blocks(parent):
        if child in block:
            return _last(block[: block.index(child)], name)
    return None


def _last(block: Sequence[ast.stmt], name: str) -> ast.expr | bool | None:
    for statement in reversed(block):
        if isinstance(statement, ast.Assign) and any(spelled(target) == name for target in statement.targets):
            return statement.value
        if isinstance(statement, ast.AnnAssign) and spelled(statement.target) == name and statement.value:
            return statement.value
        if _binds(statement, name):
            return True
    return None


def _binds(statement: ast.AST, name: str) -> bool:
    """Whether anything in a statement may bind `name`."""
    return any(True for _ in _bound_in(statement, name))


def _bound_in(statement: ast.AST, name: str) -> Iterator[ast.AST]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name | ast.Attribute):
            if isinstance(node.ctx, ast.Store | ast.Del) and spelled(node) == name:
                yield node
        elif isinstance(node, ast.Global | ast.Nonlocal):
            if name in node.names:
                yield node
        elif name in (getattr(node, "name", None), getattr(node, "asname", None)):
            yield node  # a definition, an import, `except … as`, a pattern


def _of_object(
    outer: Sequence[ast.AST], method: ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> ast.expr | None:
    """What `__init__` last bound an attribute to, where no other method binds it or may run before."""
    cls = outer[-1] if outer else None
    if not name.startswith("self.") or not isinstance(cls, ast.ClassDef) or method.decorator_list:
        return None
    if any(not (isinstance(base, ast.Name) and base.id == "object") for base in cls.bases):
        return None
    methods = {node.name: node for node in cls.body if isinstance(node, ast.FunctionDef)}
    init = methods.get("__init__")
    if init is None or method is init or any(_binds(node, name) for node in cls.body if node is not init):
        return None
    made = next((s for s in reversed(init.body) if isinstance(s, ast.Assign) and _binds(s, name)), None)
    if made is None or _may_run(method.name, init.body[: init.body.index(made)], methods):
        return None
    found = _last(init.body, name)
    return found if isinstance(found, ast.expr) else None


def _may_run(method: str, before: Sequence[ast.stmt], methods: dict[str, ast.FunctionDef]) -> bool:
    """Whether some statements may lead to a method, by way of other methods of its class."""
    waiting: list[ast.AST] = [*before]
    reached: set[str] = set()
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Attribute) and node.attr in methods and node.attr not in reached:
                reached.add(node.attr)
                waiting.append(methods[node.attr])
    return method in reached
