"""Mistakes in what models are given and what becomes of it: the batch, the mode, layers for nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from torchlore.text import Edit, Source, Span

from tests.recall.arguments import keyword, text, without
from tests.recall.binding import Scope, held, scopes, self_attribute
from tests.recall.layers import forwards, is_layer, makes_module, method, module_classes
from tests.recall.mutants import Mutant, emptied, mutant, plants, replaced
from tests.recall.syntax import full_name, method_call, own_statements, statement_call, written


@plants("flatten-drops-batch", "flatten(", ".view(")
def all_in_one_row(source: Source) -> Iterator[Mutant]:
    """`torch.flatten(x)` for `torch.flatten(x, 1)`, `x.view(-1)` for `x.view(x.size(0), -1)`.

    A convolution stands above it, and a linear layer takes the result on the next line.
    """
    for scope in forwards(source):
        body = getattr(scope.node, "body", [])
        for at, (statement, below) in enumerate(pairwise(body)):
            flat = _flattened(source, statement)
            if flat is None or not isinstance(statement, ast.Assign):
                continue
            name = written(statement.targets[0])
            above = [call for s in body[:at] for call in ast.walk(s) if isinstance(call, ast.Call)]
            next_ones = [call for call in ast.walk(below) if isinstance(call, ast.Call)]
            is_fed = any(
                _is_of(source, scope, call, "Linear") and [*map(written, call.args)] == [name]
                for call in next_ones
            )
            if is_fed and any(_is_of(source, scope, call, "Conv", "BatchNorm2d") for call in above):
                yield from mutant(source, statement.lineno, [replaced(source, statement.value, flat)])


def _flattened(source: Source, statement: ast.stmt) -> str | None:
    """The same without the batch, of `x = torch.flatten(x, 1)`, `x.flatten(1)`, `x.view(x.size(0), -1)`."""
    call = statement.value if isinstance(statement, ast.Assign) else None
    match call:
        case ast.Call(func=func, args=[x, ast.Constant(value=1)], keywords=[]) if (
            full_name(source, func) == "torch.flatten"
        ):
            return f"{text(source, func)}({text(source, x)})"
        case ast.Call(func=ast.Attribute(value=x, attr="flatten"), args=[ast.Constant(value=1)], keywords=[]):
            return f"{text(source, x)}.flatten()"
        case ast.Call(func=ast.Attribute(value=x, attr="view" | "reshape" as attr), args=[first, last]):
            sizes = (f"{written(x)}.size(0)", f"{written(x)}.shape[0]")
            if written(first) in sizes and written(last) == "-1":
                return f"{text(source, x)}.{attr}(-1)"
    return None


def _is_of(source: Source, scope: Scope, call: ast.Call, *kinds: str) -> bool:
    """Whether a layer of torch is called whose class begins with one of these names."""
    layer = held(scope, call.func)
    name = full_name(source, layer.func) if isinstance(layer, ast.Call) else ""
    return any(name.startswith(f"torch.nn.{kind}") for kind in kinds)


@plants("missing-eval-after-load", ".load_state_dict(")
def loaded_and_used_in_training_mode(source: Source) -> Iterator[Mutant]:
    """`model.eval()` is gone where a function loads the weights of a model and runs it without gradients."""
    if "backward(" in source.text or ".train(" in source.text or "no_grad" not in source.text:
        return
    if not any(word in source.text for word in ("Dropout", "BatchNorm", "torchvision.models")):
        return
    for scope in scopes(source):
        every = [node for node in scope.nodes if isinstance(node, ast.Call)]
        loaded = {written(c.func.value) for c in every if method_call(c, "load_state_dict")}  # type: ignore[attr-defined]
        told = [s for s in scope.nodes if isinstance(s, ast.Expr) and statement_call(s, "eval")]
        for name in sorted(loaded & {written(call.func) for call in every}):
            mine = [s for s in told if written(s) == f"{name}.eval()"]
            model = ast.parse(name, mode="eval").body
            if (
                mine
                and makes_module(source, held(scope, model))
                and source.text.count(".eval()") == len(mine)
            ):
                yield from mutant(source, mine[0].lineno, [emptied(source, s) for s in mine])


@plants("batch-taken-for-steps", "batch_first=True")
def steps_come_first(source: Source) -> Iterator[Mutant]:
    """`batch_first=True` is gone from a recurrent layer of whose output `forward` takes the last step."""
    for scope in forwards(source):
        for statement in (node for node in scope.nodes if isinstance(node, ast.Assign)):
            call, target = statement.value, statement.targets[0]
            made = (
                held(scope, call.func) if isinstance(call, ast.Call) and self_attribute(call.func) else None
            )
            name = full_name(source, made.func) if isinstance(made, ast.Call) else ""
            if name not in ("torch.nn.LSTM", "torch.nn.GRU", "torch.nn.RNN") or not isinstance(
                made, ast.Call
            ):
                continue
            told = keyword(made, "batch_first")
            out = written(target.elts[0]) if isinstance(target, ast.Tuple) and target.elts else ""
            if told is not None and written(told.value) == "True" and _takes_last(scope, out):
                yield from mutant(source, made.lineno, [without(source, made, told)])


def _takes_last(scope: Scope, name: str) -> bool:
    """Whether `out[:, -1]` is read, of an `out` that nothing else is bound to until then."""
    stores = [
        n for n in scope.nodes if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
    ]
    reads = [
        n.lineno
        for n in scope.nodes
        if isinstance(n, ast.Subscript) and written(n) in (f"{name}[:, -1]", f"{name}[:, -1, :]")
    ]
    lines = sorted(store.lineno for store in stores)
    return bool(reads) and all(line >= reads[0] for line in lines[1:])


@plants("unused-layer", "def forward")
def layer_for_nothing(source: Source) -> Iterator[Mutant]:
    """One more layer below the last that `__init__` makes; nothing uses it, and nothing asks by name."""
    if any(word in source.text for word in _BY_NAME):
        return
    for cls in module_classes(source):
        init = method(cls, "__init__")
        layers = [
            s
            for s in (own_statements(init) if init is not None and method(cls, "forward") else ())
            if isinstance(s, ast.Assign) and self_attribute(s.targets[0]) and is_layer(source, s.value)
        ]
        linear = [s for s in layers if _is_linear(source, s.value)]
        if linear:
            end = source.span(linear[-1]).end
            layer = linear[-1].value
            added = f"\n{' ' * linear[-1].col_offset}self.not_used = {text(source, layer)}"
            yield from mutant(source, linear[-1].lineno, [Edit(Span(end, end), added)])


_BY_NAME = ("getattr(", "children()", "modules()", "get_submodule(", "__dict__", "_modules", "module(")


def _is_linear(source: Source, node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and full_name(source, node.func) == "torch.nn.Linear"
