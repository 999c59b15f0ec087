"""Mistakes of what is set on a model too late."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Edit, Source, Span

from tests.recall.arguments import text
from tests.recall.binding import held, scopes, self_attribute
from tests.recall.layers import is_layer, method, module_classes
from tests.recall.mutants import Mutant, mutant, plants
from tests.recall.syntax import calls, full_name, is_managed, written


@plants("optimizer-misses-new-layer", "optim")
def head_after_optimizer(source: Source) -> Iterator[Mutant]:
    """`model.fc = nn.Linear(64, 10)`, a layer that it has, below the optimizer over `model.parameters()`.

    The file makes the model, of a class of its own, and steps the optimizer.
    """
    layers = {cls.name: _layers(source, cls) for cls in module_classes(source)}
    for scope in scopes(source) if not is_managed(source) else ():
        for statement in (node for node in scope.nodes if isinstance(node, ast.Assign)):
            match statement:
                case ast.Assign(
                    targets=[ast.Name(id=optimizer)],
                    value=ast.Call(
                        func=func, args=[ast.Call(func=ast.Attribute(value=ast.Name() as model)) as given, *_]
                    ),
                ) if full_name(source, func).startswith("torch.optim.") and calls(given, "parameters"):
                    own = layers.get(_class_of(held(scope, model)), [])
                case _:
                    continue
            is_stepped = f"{optimizer}.step()" in source.text
            if own and is_stepped and "Parallel" not in source.text and "add_param_group" not in source.text:
                end = source.span(statement).end
                added = f"\n{' ' * statement.col_offset}{model.id}.{own[-1][0]} = {text(source, own[-1][1])}"
                yield from mutant(source, statement.lineno, [Edit(Span(end, end), added)])


def _layers(source: Source, cls: ast.ClassDef) -> list[tuple[str, ast.expr]]:
    """The layers of torch that a class makes of numbers alone, with the attributes that keep them."""
    init = method(cls, "__init__")
    made = [s for s in init.body if isinstance(s, ast.Assign)] if init is not None else []
    named = [(self_attribute(s.targets[0]), s.value) for s in made if is_layer(source, s.value)]
    return [
        (name, layer)
        for name, layer in named
        if name is not None
        and isinstance(layer, ast.Call)
        and all(
            isinstance(given, ast.Constant) for given in (*layer.args, *(k.value for k in layer.keywords))
        )
    ]


def _class_of(node: ast.expr | None) -> str:
    """`Net` of `Net(...)`, perhaps moved at once."""
    while (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("to", "cuda")
    ):
        node = node.func.value
    return written(node.func) if isinstance(node, ast.Call) else ""
