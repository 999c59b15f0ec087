"""TL317: a constant tensor that a module keeps as a plain attribute."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.members import lookup
from torchlore.analysis.values import LocalClass, Ref
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import Method, assigned_to, method_around
from torchlore.text import Edit, Source, Span
from torchlore.text.nodes import nodes_in


class TensorNotInBuffer(Rule):
    """
    ## What it does

    Looks for constant tensors that `__init__` sets as plain attributes of a module, and that `forward`
    computes with: `self.mean = torch.tensor([0.5, 0.5, 0.5])`.

    ## Why is this bad?

    A module finds its parameters and buffers, not other tensors.
    After `model.to("cuda")` the tensor is where it was, and `forward` raises
    `RuntimeError: Expected all tensors to be on the same device`. It is not in the `state_dict` either.

    ## Example

    ```py
    import torch
    import torch.nn as nn


    class Normalize(nn.Module):
        def __init__(self):
            super().__init__()
            self.mean = torch.tensor([0.485, 0.456, 0.406])

        def forward(self, x):
            return x - self.mean
    ```

    ## Use instead

    ```py
    import torch
    import torch.nn as nn


    class Normalize(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]), persistent=False)

        def forward(self, x):
            return x - self.mean
    ```

    ## Fix safety

    Not safe: who moves the tensor by hand, or sets the attribute to something else later, relies on what it
    is. With `persistent=False` checkpoints stay as they are; a buffer that is saved is offered as well.

    ## Known limits

    Silent where the tensor is made on a device that is named, or may be a single number (those can be
    computed with on every device), where it is set anywhere else too, and where a use of it moves it
    (`self.mean.to(x.device)`).

    ## References

    - [torch.nn.Module.register_buffer](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_buffer)
    """

    code = "TL317"
    name = "tensor-not-in-buffer"
    family = Family.MODULES
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "parameters-and-buffers"
    trigger = r"\b__init__\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        made = [s.targets[0] for s in source.every(ast.Assign) if _makes_tensor(_origin(s.value))]
        if any(isinstance(target, ast.Attribute) for target in made):
            return True
        names = {target.id for target in made if isinstance(target, ast.Name)}
        return bool(names) and any(
            isinstance(s.targets[0], ast.Attribute) and getattr(_origin(s.value), "id", "") in names
            for s in source.every(ast.Assign)
        )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*(f"torch.{name}" for name in _FACTORIES)):
            found = assigned_to(analysis, _whole(analysis, call.node))
            if found is None or not _is_plain(call):
                continue
            method = method_around(analysis, call.node)
            if method is None or method.node.name != "__init__" or not analysis.is_whole(method.cls.node):
                continue
            for statement, target in _kept(method, *found):
                if isinstance(target.value, ast.Name) and target.value.id == method.receiver:
                    yield from self._check_attribute(analysis, method, statement, target)

    def _check_attribute(
        self, analysis: Analysis, method: Method, statement: ast.Assign | ast.AnnAssign, target: ast.Attribute
    ) -> Iterator[Finding]:
        use = _use(analysis, method, target)
        if use is None or _moves_itself(method):
            return
        name = support.written(analysis, target)
        message = (
            f"`{name}` is no buffer of `{method.cls.node.name}`: it stays where it is when the module is "
            f"moved, and `forward` computes with it {support.on_line(analysis, use)}"
        )
        fixes = _fixes(analysis, statement, target)
        related = support.related(analysis, use, "it is used here")
        yield self.finding(message, analysis.source.span(target), fixes=fixes, related=related)


_FACTORIES = ("tensor", "zeros", "ones", "arange", "linspace", "eye", "rand", "randn", "full", "empty")
"""Functions that make a tensor out of nothing but sizes and numbers."""


def _makes_tensor(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)):
            return name in _FACTORIES
        case _:
            return False


def _origin(node: ast.expr) -> ast.expr:
    """`torch.arange(3)` of `torch.arange(3).float().repeat(2, 1)`: what these methods give lies beside it."""
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _BESIDE:
        node = node.func.value
    return node


def _kept(
    method: Method, statement: ast.Assign | ast.AnnAssign, target: ast.expr
) -> Iterator[tuple[ast.Assign | ast.AnnAssign, ast.Attribute]]:
    """The attributes that hold what a statement makes: its own target, or those that its name is set to.

    Of a name that is bound to nothing else, but for the same tensor in another shape; its rows may be filled.
    """
    if isinstance(target, ast.Attribute):
        yield statement, target
    if not isinstance(target, ast.Name):
        return
    every = [s for s in nodes_in(method.node) if isinstance(s, ast.Assign)]
    mine = [s for s in every if s is not statement and _is_named(_origin(s.value), target.id)]
    bound = {part for s in (statement, *mine) for part in nodes_in(s)}
    stores = [n for n in nodes_in(method.node) if _is_named(n, target.id) and not isinstance(n.ctx, ast.Load)]
    if all(store in bound for store in stores):
        yield from ((s, s.targets[0]) for s in mine if isinstance(s.targets[0], ast.Attribute))


def _is_named(node: ast.AST, name: str) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and node.id == name


def _whole(analysis: Analysis, made: ast.Call) -> ast.Call:
    """`torch.arange(3).float().repeat(2, 1)` of `torch.arange(3)`."""
    whole = made
    for outer in reversed(analysis.around(made) or ()):
        if isinstance(outer, ast.Call) and _origin(outer) is made:
            whole = outer
        elif not isinstance(outer, ast.Attribute):
            break
    return whole


_BESIDE = frozenset(
    {"float", "double", "half", "long", "int", "bool", "repeat", "expand", "view", "reshape", "unsqueeze"}
    | {"flatten", "t", "transpose", "permute", "contiguous", "clone"}
)
"""Methods that leave a tensor on its device, with at least one dimension."""


def _is_plain(call: Called) -> bool:
    """Whether a tensor has at least one dimension, and is made where torch makes tensors by default."""
    if not call.is_complete or call.argument(-1, "device") is not None:
        return False
    if call.argument(-1, "requires_grad") is not None and call.literal(-1, "requires_grad") is not False:
        return False
    first = call.node.args[0] if call.node.args else None
    match call.name.removeprefix("torch."):
        case "tensor":
            return isinstance(first, ast.List)
        case "zeros" | "ones" | "rand" | "randn" | "empty" | "full":
            return first is not None and not (isinstance(first, ast.Tuple) and not first.elts)
        case _:
            return first is not None


def _use(analysis: Analysis, method: Method, target: ast.Attribute) -> ast.expr | None:
    """Where `forward` computes with the attribute; None if it does not, or does anything else too."""
    same = [
        part
        for part in nodes_in(method.cls.node)
        if isinstance(part, ast.Attribute) and part.attr == target.attr and part is not target
    ]
    if any(not isinstance(part.ctx, ast.Load) for part in same):
        return None
    forward = next(
        (p for p in method.cls.node.body if isinstance(p, ast.FunctionDef) and p.name == "forward"), None
    )
    if forward is None or any(part.attr == target.attr for part in _elsewhere(analysis, method)):
        return None
    inside = {part for part in nodes_in(forward) if isinstance(part, ast.Attribute)}
    uses = [part for part in same if part in inside]
    computed = [part for part in uses if _is_operand(analysis, part) or _is_handed_on(analysis, method, part)]
    return computed[0] if computed and len(computed) == len(uses) else None


def _elsewhere(analysis: Analysis, method: Method) -> Iterator[ast.Attribute]:
    """The attributes that the file sets outside of the class, on what may be one of its objects."""
    for statement in analysis.source.every(ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Attribute):
                outer = analysis.around(target) or ()
                if method.cls.node not in outer and not _is_on_another(analysis, method.cls, target):
                    yield target


def _is_on_another(analysis: Analysis, cls: LocalClass, target: ast.Attribute) -> bool:
    """Whether it is an attribute of `self`, in a class that is none of this one's."""
    setter = method_around(analysis, target)
    if setter is None or not isinstance(target.value, ast.Name) or target.value.id != setter.receiver:
        return False
    return not _derives(setter.cls, cls)


def _derives(cls: LocalClass, other: LocalClass) -> bool:
    return cls is other or any(_derives(base, other) for base in cls.bases if isinstance(base, LocalClass))


def _is_operand(analysis: Analysis, node: ast.expr) -> bool:
    """Whether something, or rows of it, is added to, multiplied with … something else."""
    outer = support.parent(analysis, node)
    while isinstance(outer, ast.Subscript) and outer.value is node:
        node, outer = outer, support.parent(analysis, outer)
    if isinstance(outer, ast.Call) and node in outer.args[1:]:
        value = analysis.run.values.get(outer.func)
        return isinstance(value, Ref) and value.name in _OPERATIONS
    return isinstance(outer, ast.BinOp)


_OPERATIONS = frozenset(
    [
        f"torch.{name}"
        for name in ("matmul", "mm", "bmm", "mv", "mul", "add", "sub", "div", "conv1d", "conv2d")
    ]
    + [f"torch.nn.functional.{name}" for name in ("conv1d", "conv2d", "conv3d", "linear", "conv_transpose1d")]
    + [f"torch.nn.functional.{name}" for name in ("batch_norm", "layer_norm", "group_norm")]
)
"""Functions whose other tensors must lie where the first one does."""


def _is_handed_on(analysis: Analysis, method: Method, node: ast.expr) -> bool:
    """Whether another method of the class is given it, which computes with it and does not move it."""
    match support.parent(analysis, node):
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name), args=given) if (
            owner == method.receiver and node in given
        ):
            taken = next(
                (p for p in method.cls.node.body if isinstance(p, ast.FunctionDef) and p.name == name), None
            )
        case _:
            return False
    if taken is None or taken.decorator_list or len(taken.args.args) <= given.index(node) + 1:
        return False
    parameter = taken.args.args[given.index(node) + 1].arg
    uses = [part for part in nodes_in(taken) if isinstance(part, ast.Name) and part.id == parameter]
    around = [support.parent(analysis, use) for use in uses]
    if any(isinstance(outer, ast.Attribute) and outer.attr in _MOVES for outer in around):
        return False
    return any(_is_operand(analysis, use) for use in uses)


_MOVES = frozenset(("to", "type_as", "cuda", "cpu", "type", "data", "device"))


def _moves_itself(method: Method) -> bool:
    """Whether the class says itself what happens when it is moved."""
    return any(lookup(method.cls, name) is not None for name in ("_apply", "to", "cuda", "__setattr__"))


def _fixes(
    analysis: Analysis, statement: ast.Assign | ast.AnnAssign, target: ast.Attribute
) -> tuple[Fix, ...]:
    source = analysis.source
    if not isinstance(statement, ast.Assign) or not isinstance(target.value, ast.Name):
        return ()
    start, value, end = source.span(statement).start, source.span(statement.value), source.span(statement).end
    if value.end != end or source.text[start : value.start].rstrip()[-1:] != "=":
        return ()
    opening = Edit(Span(start, value.start), f'{target.value.id}.register_buffer("{target.attr}", ')
    return (
        Fix(
            "Register it as a buffer that is not saved",
            (opening, Edit(Span(end, end), ", persistent=False)")),
            safe=False,
        ),
        Fix("Register it as a buffer that is saved", (opening, Edit(Span(end, end), ")")), safe=False),
    )
