"""TL307: a layer with parameters that `forward` makes anew in every call."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis, torch_facts
from torchlore.analysis.called import Called
from torchlore.analysis.members import lookup
from torchlore.analysis.values import Function
from torchlore.rules import support
from torchlore.rules.arguments import is_written_out
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import Method, method_around, runs_in_forward
from torchlore.rules.triggers import words_of
from torchlore.text import Edit, Source
from torchlore.text.nodes import nodes_in
from torchlore.text.words import encoded


class LayerMadeInForward(Rule):
    """
    ## What it does

    Looks for layers with parameters (`nn.Linear`, `nn.Conv2d`, `nn.BatchNorm2d`, …) that are made and called
    in `forward`, or in a method that it calls.

    ## Why is this bad?

    Every call makes the layer anew, with fresh random weights. They belong to no module, so that no optimizer
    updates them and no `state_dict` holds them: the model computes something else each time, and this layer
    never learns. Nothing is reported, unless the model is moved to another device.

    ## Example

    ```py
    import torch.nn as nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(4, 8)

        def forward(self, x):
            return nn.Linear(8, 2)(self.hidden(x).relu())
    ```

    ## Use instead

    ```py
    import torch.nn as nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(4, 8)
            self.linear = nn.Linear(8, 2)

        def forward(self, x):
            return self.linear(self.hidden(x).relu())
    ```

    ## Fix safety

    Not safe: the layer keeps its weights from then on, and checkpoints get its parameters. Offered where
    what it is made with is known in `__init__` already: literals, and attributes that are set there.

    ## Known limits

    Silent where anything else is done with the layer than calling it: its weights may be set, or it may be
    kept (a layer that is made in the first call). Layers without parameters (`nn.ReLU()`) are not reported.

    ## References

    - [torch.nn.Module](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html)
    - [torch.nn.Parameter](https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html)
    """

    code = "TL307"
    name = "layer-made-in-forward"
    family = Family.MODULES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "forward-method"
    trigger = r"\bforward\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        made = [f"{word.decode()}(" for word in _NAMES & words_of(source.text)]
        return bool(made) and any(_may_make(source, node, made) for node in source.every(ast.ClassDef))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_LAYERS):
            if not _is_trained(call):
                continue
            method = method_around(analysis, call.node)
            if method is None or not analysis.is_whole(method.node) or not runs_in_forward(analysis, method):
                continue
            if _is_only_called(analysis, method, call.node):
                name = support.written(analysis, call.node.func)
                message = (
                    f"`{name}` is made anew in every call of `{method.cls.node.name}.{method.node.name}`: "
                    "its parameters are never trained nor saved"
                )
                fixes = _fixes(analysis, method, call.node)
                yield self.finding(message, analysis.source.span(call.node), fixes=fixes)


_LAYERS = tuple(
    f"torch.nn.{name}"
    for name in sorted(torch_facts.PLAIN_LAYERS)
    if torch_facts.has_parameters(f"torch.nn.{name}")
)
"""The layers of torch that have parameters of their own."""

_NAMES = frozenset(encoded(name.rpartition(".")[2]) for name in _LAYERS)


def _may_make(source: Source, node: ast.ClassDef, made: list[str]) -> bool:
    """Whether a class with a `forward` calls one of some layers in a method but `__init__`."""
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
    if all(method.name != "forward" for method in methods):
        return False
    start, text = source.lines.start, source.text
    spans = [
        (start(method.lineno - 1), start(method.end_lineno or method.lineno))
        for method in methods
        if method.name != "__init__"
    ]
    return any(text.find(call, *span) >= 0 for span in spans for call in made)


def _is_trained(call: Called) -> bool:
    """Whether a layer has parameters as it is made: norms may be told to have none."""
    is_plain = any(call.argument(-1, name) is not None for name in ("affine", "elementwise_affine"))
    return not is_plain and is_written_out(call.node)


def _is_only_called(analysis: Analysis, method: Method, made: ast.Call) -> bool:
    """Whether nothing is done with a layer but calling it: `nn.Linear(4, 2)(x)`, `fc = …; fc(x)`."""
    outer = analysis.around(made) or ()
    node: ast.AST = made
    while len(outer) > 1 and _is_moved(outer, node):
        node, outer = outer[-2], outer[:-2]
    match outer[-1] if outer else None:
        case ast.Call(func=func):
            return func is node
        case ast.Assign(targets=[ast.Name(id=name)]):
            uses = [part for part in nodes_in(method.node) if isinstance(part, ast.Name) and part.id == name]
            called = {part.func for part in nodes_in(method.node) if isinstance(part, ast.Call)}
            loads = [part for part in uses if isinstance(part.ctx, ast.Load)]
            return bool(loads) and len(uses) == len(loads) + 1 and all(part in called for part in loads)
        case _:
            return False


def _is_moved(outer: tuple[ast.AST, ...], node: ast.AST) -> bool:
    """Whether a layer is moved as it is made: `nn.Linear(4, 2).to(x.device)`."""
    match outer[-2:]:
        case [
            ast.Call(func=func),
            ast.Attribute(value=value, attr="to" | "cuda" | "double" | "half") as moved,
        ]:
            return func is moved and value is node
        case _:
            return False


def _fixes(analysis: Analysis, method: Method, made: ast.Call) -> tuple[Fix, ...]:
    """Makes the layer at the end of `__init__`, as an attribute with a name that is free."""
    init = method.cls.attributes.get("__init__")
    if not isinstance(init, Function) or init.owner is not method.cls or isinstance(init.node, ast.Lambda):
        return ()
    receiver = [*init.node.args.posonlyargs, *init.node.args.args][:1]
    given = [*made.args, *(keyword.value for keyword in made.keywords)]
    if not receiver or receiver[0].arg != method.receiver:
        return ()
    if not all(_is_known_in_init(init.node, method, node) for node in given):
        return ()
    name = f"{method.receiver}.{_free_name(analysis, method, made)}"
    code = f"{name} = {support.written(analysis, made)}"
    last = init.node.body[-1]
    edit = None if isinstance(last, ast.Return) else support.insert_after(analysis, last, code)
    if edit is None or last.lineno == init.node.lineno:
        return ()
    edits = (edit, Edit(analysis.source.span(made), name))
    return (Fix(f"Make `{name}` once, in `__init__`", edits, safe=False),)


def _is_known_in_init(init: ast.FunctionDef | ast.AsyncFunctionDef, method: Method, node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.Tuple(elts=parts):
            return all(_is_known_in_init(init, method, part) for part in parts)
        case ast.BinOp(left=left, right=right):
            return all(_is_known_in_init(init, method, part) for part in (left, right))
        case ast.Attribute(value=ast.Name(id=owner), attr=attr) if owner == method.receiver:
            return any(
                isinstance(part, ast.Attribute) and part.attr == attr and isinstance(part.ctx, ast.Store)
                for part in nodes_in(init)
            )
        case _:
            return False


def _free_name(analysis: Analysis, method: Method, made: ast.Call) -> str:
    """The variable that holds the layer now, or its class in small letters; with a number if it is taken."""
    outer = analysis.around(made) or (None,)
    wanted = support.written(analysis, made.func).rpartition(".")[2].lower()
    match outer[-1]:
        case ast.Assign(targets=[ast.Name(id=variable)]):
            wanted = variable
    taken = {part.attr for part in nodes_in(method.cls.node) if isinstance(part, ast.Attribute)}
    names = (wanted, *(f"{wanted}{number}" for number in range(2, 100)))
    return next(name for name in names if name not in taken and lookup(method.cls, name) is None)
