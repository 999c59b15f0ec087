"""Module classes of the file: the method that a place is in, and what a module holds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis, submodules, torch_facts
from torchlore.analysis.members import attributes, is_module_like, kind_of_class
from torchlore.analysis.queries import options
from torchlore.analysis.values import Container, Function, Instance, LocalClass, Ref, Tensor, Value
from torchlore.text import Source

_DEPTH = 5
"""How deep modules are looked into for parameters, and calls are gone back to `forward`."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a module class of the file.

    Attributes:
        receiver: what the object is called in it: `self`.
    """

    cls: LocalClass
    node: ast.FunctionDef
    receiver: str


def method_around(analysis: Analysis, node: ast.AST) -> Method | None:
    """The method of a module class that `node` lies in, perhaps in a function inside of it."""
    outer = analysis.around(node) or ()
    index = next((i for i in reversed(range(len(outer))) if isinstance(outer[i], ast.ClassDef)), None)
    if index is None or index + 1 >= len(outer):
        return None
    method, cls = outer[index + 1], analysis.run.classes.get(outer[index])
    if not isinstance(method, ast.FunctionDef) or cls is None or not is_module_class(cls):
        return None
    first = [*method.args.posonlyargs, *method.args.args][:1]
    function = analysis.run.functions.get(method)
    decorators = function.decorators if function is not None else ()
    is_free = any(isinstance(d, Ref) and d.name in _UNBOUND for d in decorators)
    is_above = getattr(node, "lineno", 0) < method.body[0].lineno  # in a default, a decorator
    return Method(cls, method, first[0].arg) if first and not is_free and not is_above else None


def classes_that_may_be_modules(source: Source) -> list[ast.ClassDef]:
    """The classes of a file, as its text tells: not those without a base, nor datasets of torch."""
    classes = [node for node in source.every(ast.ClassDef) if node.bases]
    if not classes:
        return []
    others = {"object", "torch.utils.data"}
    for statement in source.every(ast.ImportFrom):
        if statement.module in _NO_MODULES:
            others.update(alias.asname or alias.name for alias in statement.names)
    for imported in source.every(ast.Import):
        others.update(alias.asname or alias.name for alias in imported.names if alias.name in _NO_MODULES)
    return [node for node in classes if any(_may_be(base, others) for base in node.bases)]


_NO_MODULES = ("torch.utils.data", "torch.utils.data.dataset", "abc", "typing", "enum")


def _may_be(base: ast.expr, others: set[str]) -> bool:
    """Whether a base class may be a module: it is not one of the names in `others`, nor of a module there."""
    if isinstance(base, ast.Subscript):  # `Dataset[Tensor]`
        base = base.value
    if isinstance(base, ast.Name):
        return base.id not in others
    if not isinstance(base, ast.Attribute):
        return True
    home, parts = base.value, list[str]()
    while isinstance(home, ast.Attribute):
        parts.append(home.attr)
        home = home.value
    first = home.id if isinstance(home, ast.Name) else ""
    return ".".join((first, *reversed(parts))) not in others


_UNBOUND = ("builtins.staticmethod", "builtins.classmethod")


def is_module_class(cls: LocalClass) -> bool:
    """Whether objects of `cls` are modules (losses are)."""
    return kind_of_class(cls) in ("Module", "Loss")


def runs_in_forward(analysis: Analysis, method: Method, depth: int = _DEPTH) -> bool:
    """Whether a method is `forward`, or is called by one that is."""
    if method.node.name == "forward":
        return True
    if method.node.name == "__init__" or not depth:
        return False
    callers = (method_around(analysis, call) for call in calls_of(analysis, method))
    return any(
        caller is not None and caller.node is not method.node and runs_in_forward(analysis, caller, depth - 1)
        for caller in callers
    )


def calls_of(analysis: Analysis, method: Method) -> Iterator[ast.Call]:
    """The calls in the file of what is surely that method."""
    for call in analysis.run.calls:
        callee = analysis.run.values.get(call.func)
        found = options(callee) if callee is not None else ()
        if found and all(isinstance(part, Function) and part.node is method.node for part in found):
            yield call


def has_parameters(module: Value, depth: int = _DEPTH) -> bool:
    """Whether a module surely has parameters that require gradients."""
    if not isinstance(module, Instance) or module.frozen is not False or not depth:
        return False
    if isinstance(module.cls, str) and not submodules.is_container(module):
        return torch_facts.has_parameters(module.cls)
    held = [part for _, part in attributes(module)]
    if submodules.is_container(module):
        held += submodules.children(module) or ()
    return any(is_parameter(part) or _is_trained(part, depth - 1) for part in held)


def _is_trained(value: Value, depth: int) -> bool:
    return is_module_like(value) and any(has_parameters(part, depth) for part in options(value))


def is_parameter(value: Value) -> bool:
    """Whether a value surely is an `nn.Parameter` that requires gradients."""
    return isinstance(value, Tensor) and value.parameter and value.attached is not False


def items_of(container: Container) -> tuple[Value, ...]:
    """What the items of a list or dict may be."""
    return options(container.element)


def assigned_to(analysis: Analysis, node: ast.expr) -> tuple[ast.Assign | ast.AnnAssign, ast.expr] | None:
    """The statement `target = node`, and its target, if that is all that it does."""
    outer = analysis.around(node)
    match outer[-1] if outer else None:
        case ast.Assign(targets=[target]) as statement:
            return statement, target
        case ast.AnnAssign(target=target) as statement:
            return statement, target
        case _:
            return None


def is_conditional(analysis: Analysis, node: ast.AST) -> bool:
    """Whether it hangs on something whether a function (or the module) comes by `node`."""
    inside = list(analysis.around(node) or ())
    index = max((i for i, outer in enumerate(inside) if isinstance(outer, _SCOPES)), default=0)
    return any(isinstance(outer, _CONDITIONS) for outer in inside[index + 1 :])


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_CONDITIONS = (ast.If, ast.IfExp, ast.While, ast.Try, ast.Match, ast.BoolOp)


def stands_whole(analysis: Analysis, *nodes: ast.AST) -> bool:
    """Whether the classes and functions at the top level that `nodes` lie in are seen whole."""
    for node in nodes:
        outer = (*(analysis.around(node) or ()), node)
        if len(outer) > 1 and not analysis.is_whole(outer[1]):
            return False
    return True
