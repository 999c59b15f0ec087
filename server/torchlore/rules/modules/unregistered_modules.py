"""TL302: modules or parameters that a module keeps in a plain list or dict."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis
from torchlore.analysis.events import Event, Kind
from torchlore.analysis.members import imported_bases, is_module_like, kind_of_class, lookup, mro
from torchlore.analysis.queries import options, reachable
from torchlore.analysis.values import Container, Instance, LocalClass, Ref, Value
from torchlore.rules import spellings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import (
    classes_that_may_be_modules,
    has_parameters,
    is_module_class,
    is_parameter,
    items_of,
)
from torchlore.text import Edit, Source
from torchlore.text.nodes import nodes_in


class UnregisteredModules(Rule):
    """
    ## What it does

    Looks for modules with parameters, and for parameters, that an `nn.Module` keeps in a plain list, tuple or
    dict: `self.layers = [nn.Linear(4, 4) for _ in range(3)]`.

    ## Why is this bad?

    A module finds its parts among its attributes, and does not look into lists.
    Their parameters are missing from `parameters()` and from `state_dict()`: no optimizer updates them, no
    checkpoint holds them, `to(device)`, `train()` and `eval()` pass them by. Nothing is reported.

    ## Example

    ```py
    import torch.nn as nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(4, 4) for _ in range(3)]

        def forward(self, x):
            for layer in self.layers:
                x = layer(x).relu()
            return x
    ```

    ## Use instead

    ```py
    import torch.nn as nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])

        def forward(self, x):
            for layer in self.layers:
                x = layer(x).relu()
            return x
    ```

    ## Fix safety

    Not safe: checkpoints get the parameters that they lacked, so that older ones no longer load strictly.

    ## Known limits

    Silent where the same modules are registered in another way as well (`add_module`, `setattr`,
    `nn.Sequential(*self.layers)`), where their parameters are asked for one by one, where they are frozen or
    handed to code that cannot be seen, and for a list of a single item: that is how people keep a module
    from being registered on purpose.

    ## References

    - [torch.nn.ModuleList](https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleList.html)
    - [torch.nn.ParameterList](https://docs.pytorch.org/docs/stable/generated/torch.nn.ParameterList.html)
    """

    code = "TL302"
    name = "unregistered-modules"
    family = Family.MODULES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "module-containers"
    trigger = r"\b__init__\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        if not classes_that_may_be_modules(source):
            return False
        values = [s.value for s in source.every(ast.Assign) if isinstance(s.targets[0], ast.Attribute)]
        values += [
            s.value for s in source.every(ast.AnnAssign) if isinstance(s.target, ast.Attribute) and s.value
        ]
        return any(map(_makes_some, values)) or (any(map(_is_empty, values)) and _is_filled(source))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for kept in _kept_plainly(analysis):
            if not _is_registered(analysis, kept) and not _is_cared_for(analysis, kept):
                yield self._found(analysis, kept)

    def _found(self, analysis: Analysis, kept: _Kept) -> Finding:
        name = support.written(analysis, kept.target)
        what = "parameters" if is_parameter(kept.items[0]) else "modules"
        owned = "they are" if what == "parameters" else "their parameters are"
        message = (
            f"`{name}` keeps its {what} in a plain {kept.kind}: {owned} not registered, "
            f"so that `{kept.cls.node.name}.parameters()` and `state_dict()` leave them out"
        )
        return self.finding(message, analysis.source.span(kept.target), fixes=_fixes(analysis, kept, what))


@dataclass(frozen=True, slots=True)
class _Kept:
    """Plain containers of modules or parameters, one for each object, and where they are set."""

    cls: LocalClass
    target: ast.Attribute
    containers: tuple[Container, ...]
    items: tuple[Value, ...]

    @property
    def kind(self) -> str:
        return self.containers[0].kind


def _makes_some(value: ast.expr) -> bool:
    """Whether an expression may make a container of objects: most lists are of numbers and names."""
    match value:
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return any(isinstance(part, ast.Call) for part in parts)
        case ast.Dict(values=parts):
            return any(isinstance(part, ast.Call) for part in parts)
        case ast.ListComp(elt=part) | ast.DictComp(value=part):
            return isinstance(part, ast.Call)
        case ast.Call(func=ast.Name(id="list" | "tuple"), args=[ast.GeneratorExp(elt=part)]):
            return isinstance(part, ast.Call)
        case ast.BinOp(left=left, right=right):
            return _makes_some(left) or _makes_some(right)
        case _:
            return False


def _is_empty(value: ast.expr) -> bool:
    """Whether an expression is an empty container, or a name, which may be of one that was filled before."""
    match value:
        case ast.List(elts=[]) | ast.Dict(keys=[]) | ast.Name():
            return True
        case ast.Call(func=ast.Name(id="list" | "dict"), args=[], keywords=[]):
            return True
        case _:
            return False


def _is_filled(source: Source) -> bool:
    """Whether the file puts something that it makes into a list or dict."""
    appended = (s.value for s in source.every(ast.Expr))
    if any(
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("append", "insert", "extend")
        and any(isinstance(given, ast.Call | ast.List | ast.Name) for given in call.args)
        for call in appended
    ):
        return True
    return any(
        isinstance(s.targets[0], ast.Subscript) and isinstance(s.value, ast.Call)
        for s in source.every(ast.Assign)
    )


def _kept_plainly(analysis: Analysis) -> Iterator[_Kept]:
    """The attributes of modules of the file that hold a plain container of modules or parameters.

    Of several places that set one, the last is told of.
    """
    found: dict[tuple[LocalClass, str], _Kept] = {}
    for root in analysis.roots:
        for event in root.of(Kind.RESET):
            target = event.node
            if not isinstance(target, ast.Attribute) or not isinstance(event.key, tuple):
                continue
            owner = event.key[0]
            if not isinstance(owner, Instance) or not isinstance(owner.cls, LocalClass):
                continue
            containers = _plain(owner.attributes.get(target.attr))
            value = _assigned(analysis, target) if containers else None
            if value is None or not (_makes_some(value) or _is_empty(value)):
                continue
            items = tuple(item for container in containers for item in items_of(container))
            hides = any(_hides_one(value, container) for container in containers)
            if _is_of_one_sort(items) and not hides and _is_plain_module(analysis, owner.cls):
                found[owner.cls, target.attr] = _Kept(owner.cls, target, containers, items)
    yield from found.values()


def _plain(value: Value | None) -> tuple[Container, ...]:
    """The containers of one kind that an attribute may hold; none where it may hold anything else."""
    held = options(value) if value is not None else ()
    found = tuple(part for part in held if isinstance(part, Container))
    return found if len(found) == len(held) and len({part.kind for part in found}) == 1 else ()


def _assigned(analysis: Analysis, target: ast.Attribute) -> ast.expr | None:
    """What a statement of the file sets an attribute to."""
    statement = support.statement_of(analysis, target) if analysis.owns(target) else None
    return statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None


def _is_plain_module(analysis: Analysis, cls: LocalClass) -> bool:
    """Whether objects register their parts as `nn.Module` does, and in no way of their own."""
    if not is_module_class(cls):
        return False
    for base in imported_bases(cls):
        is_known = isinstance(base, Ref) and (kind_of_class(base) != "Unknown" or base.name in _HARMLESS)
        if not is_known:
            return False
    return all(lookup(cls, name) is None for name in _OVERRIDES) and analysis.is_whole(cls.node)


_HARMLESS = ("builtins.object", "abc.ABC", "typing.Generic")
_OVERRIDES = (
    "__setattr__",
    "__getattr__",
    "parameters",
    "named_parameters",
    "modules",
    "state_dict",
    "_apply",
)
"""What a module that cares for its parts itself has."""


def _is_of_one_sort(items: tuple[Value, ...]) -> bool:
    """Whether all are modules, some of them surely with parameters, or all are parameters."""
    if all(map(is_parameter, items)):
        return True
    return all(map(is_module_like, items)) and any(map(has_parameters, items))


def _hides_one(value: ast.expr, container: Container) -> bool:
    """Whether a module is put into a list of one, which keeps it from being registered."""
    if container.items is not None:
        return len(container.items) == 1
    return isinstance(value, ast.List | ast.Tuple) and len(value.elts) == 1


def _is_registered(analysis: Analysis, kept: _Kept) -> bool:
    """Whether some of the items are registered in another way, or in hands that cannot be seen."""
    for root in analysis.roots:
        if any(_reaches(event.value, kept) for event in root.of(Kind.REGISTER)):
            return True
        handed_over = (event for event in root.of(Kind.ESCAPE) if _hands_over(event, kept))
        if not all(_is_in_forward(analysis, event.node) for event in handed_over):
            return True
    return any(_names_its_modules(analysis, cls) for cls in mro(kept.cls))


def _names_its_modules(analysis: Analysis, cls: LocalClass) -> bool:
    """Whether the code of a class mentions the dictionary in which modules are registered."""
    source = analysis.source_of(cls.node)
    return re.search(r"\b_modules\b", source.segment(source.span(cls.node))) is not None


def _reaches(value: Value | None, kept: _Kept) -> bool:
    """Whether an item hangs on something that is registered, by ways that registration takes."""
    if value is None:
        return False
    return any(part is item for part in reachable(value) for item in kept.items) and not _holds_it(
        value, kept
    )


def _holds_it(value: Value, kept: _Kept) -> bool:
    """Whether the module that is registered is the one that keeps the plain container, or holds that one."""
    return any(
        isinstance(part, Instance)
        and any(held in kept.containers for held in _plain(part.attributes.get(kept.target.attr)))
        for part in reachable(value)
    )


def _hands_over(event: Event, kept: _Kept) -> bool:
    given = options(event.value) if event.value is not None else ()
    parts = [*given, *(part for value in given if isinstance(value, Container) for part in items_of(value))]
    return any(part in kept.containers or part in kept.items for part in parts)


def _is_in_forward(analysis: Analysis, node: ast.AST) -> bool:
    """Whether a node stands in a `forward`: what is registered there has missed the optimizer."""
    outer = analysis.around(node) or ()
    function = next((part for part in reversed(outer) if isinstance(part, ast.FunctionDef)), None)
    return function is not None and function.name == "forward"


def _is_cared_for(analysis: Analysis, kept: _Kept) -> bool:
    """Whether the file asks the items for their parameters, or for what is saved of them, one by one."""
    for call in analysis.called(*_ASKS):
        if call.receiver is not None and any(
            part is item for part in options(call.receiver) for item in kept.items
        ):
            return True
    return False


_ASKS = tuple(
    f"{kind}.{method}"
    for kind in ("Module", "Loss")
    for method in ("parameters", "named_parameters", "state_dict", "load_state_dict", "requires_grad_")
)


def _fixes(analysis: Analysis, kept: _Kept, what: str) -> tuple[Fix, ...]:
    value = _assigned(analysis, kept.target)
    if value is None or (isinstance(value, ast.Name) and _is_used_after(analysis, value)):
        return ()
    is_dict = kept.kind == "dict"
    if is_dict and not _has_good_keys(kept.containers[0], value):
        return ()
    short = f"{'Parameter' if what == 'parameters' else 'Module'}{'Dict' if is_dict else 'List'}"
    name = spellings.spelled(analysis, kept.target, f"torch.nn.{short}")
    if name is None:
        return ()
    title = f"Keep them in an `nn.{short}`"
    span = analysis.source.span(value)
    is_empty = _is_empty(value) and not isinstance(value, ast.Name)
    text = f"{name}({'' if is_empty else analysis.source.segment(span)})"
    return (Fix(title, (Edit(span, text),), safe=False),)


def _is_used_after(analysis: Analysis, name: ast.Name) -> bool:
    """Whether a variable is used below in its function: what is done to the list would not reach the copy."""
    function = next(
        (f for f in reversed(analysis.around(name) or ()) if isinstance(f, ast.FunctionDef)), None
    )
    return function is None or any(
        isinstance(part, ast.Name) and part.id == name.id and part.lineno > name.lineno
        for part in nodes_in(function)
    )


def _has_good_keys(container: Container, value: ast.expr) -> bool:
    """Whether all keys can be names of modules: strings without a dot, none of them a method's name."""
    keys = list(container.keyed)
    if not isinstance(value, ast.Dict) or len(keys) != len(value.keys) or not keys:
        return False
    return all(isinstance(key, str) and key.isidentifier() and key not in _METHODS for key in keys)


_METHODS = ("keys", "values", "items", "pop", "clear", "update", "type", "train", "eval", "forward", "to")
