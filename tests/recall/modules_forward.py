"""Mistakes in how modules compute: `forward`, what it makes and calls, and what ignores the mode."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Edit, Source, Span

from tests.recall.arguments import given, is_seen_whole, keyword, text, value, with_keyword, without
from tests.recall.binding import Scope, held, scopes, self_attribute
from tests.recall.layers import forwards, is_layer, is_trained, makes_module, method, module_classes
from tests.recall.mutants import Mutant, mutant, plants, replaced
from tests.recall.syntax import calls, calls_of, full_name, method_call, written


@plants("missing-forward", "def forward")
def misspelled_forward(source: Source) -> Iterator[Mutant]:
    """`forward` is called `foward`; nothing in the file calls it by its name, or derives from the class."""
    bases = {written(base) for cls in source.every(ast.ClassDef) for base in cls.bases}
    for cls in module_classes(source):
        forward = method(cls, "forward")
        is_named = any(isinstance(node, ast.Attribute) and node.attr == "forward" for node in ast.walk(cls))
        if forward is None or cls.name in bases or is_named or method(cls, "__call__"):
            continue
        start = source.text.index("forward", source.span(forward).start)
        edit = Edit(Span(start, start + len("forward")), "foward")
        yield from mutant(source, forward.lineno, [edit])


@plants("dropout-ignores-eval", "F.dropout", "functional.dropout")
def dropout_without_mode(source: Source) -> Iterator[Mutant]:
    """`F.dropout(x, training=self.training)` without `training`, in `forward`."""
    names = {f"torch.nn.functional.dropout{kind}" for kind in ("", "1d", "2d", "3d")}
    for scope in scopes(source):
        if scope.cls is None or getattr(scope.node, "name", "") != "forward":
            continue
        for call in (node for node in scope.nodes if isinstance(node, ast.Call)):
            mode = given(call, 2, "training")
            shown = value(mode)
            if mode is None or shown is None or full_name(source, call.func) not in names:
                continue
            if self_attribute(shown) == "training" and len(call.args) < 4:
                yield from mutant(source, call.lineno, [without(source, call, mode)])


@plants("attention-dropout-ignores-eval", "scaled_dot_product_attention")
def attention_without_mode(source: Source) -> Iterator[Mutant]:
    """`dropout_p=self.p if self.training else 0.0` is `dropout_p=self.p`."""
    for scope in scopes(source):
        if scope.cls is None or getattr(scope.node, "name", "") != "forward":
            continue
        for call in (node for node in scope.nodes if isinstance(node, ast.Call)):
            match value(given(call, 4, "dropout_p")):
                case ast.IfExp(test=test, body=body) as choice if (
                    self_attribute(test) == "training"
                    and full_name(source, call.func) == "torch.nn.functional.scaled_dot_product_attention"
                ):
                    yield from mutant(source, call.lineno, [replaced(source, choice, text(source, body))])


@plants("squeeze-drops-batch", ".squeeze(")
def squeezes_all(source: Source) -> Iterator[Mutant]:
    """`self.fc(x).squeeze(-1)` is `self.fc(x).squeeze()`, where the layer gives one feature."""
    for scope in scopes(source):
        for call in (method_call(node, "squeeze") for node in scope.nodes if isinstance(node, ast.Call)):
            if call is None or not (call.args or call.keywords):
                continue
            inner = call.func.value if isinstance(call.func, ast.Attribute) else None
            layer = held(scope, inner.func) if isinstance(inner, ast.Call) else None
            if isinstance(layer, ast.Call) and full_name(source, layer.func) == "torch.nn.Linear":
                width = value(given(layer, 1, "out_features"))
                if isinstance(width, ast.Constant) and width.value == 1:
                    edit = Edit(Span(source.span(call.func).end, source.span(call).end), "()")
                    yield from mutant(source, call.lineno, [edit])


@plants("softmax-without-dim", "oftmax")
def softmax_of_no_dimension(source: Source) -> Iterator[Mutant]:
    """`F.softmax(x, dim=1)` or `nn.Softmax(dim=1)` without `dim`."""
    functions = [f"torch.nn.functional.{name}" for name in ("softmax", "log_softmax", "softmin")]
    layers = [f"torch.nn.{name}" for name in ("Softmax", "LogSoftmax", "Softmin")]
    for call in calls_of(source, source.tree, *functions, *layers):
        index = 0 if full_name(source, call.func) in layers else 1
        dim = given(call, index, "dim")
        if dim is not None and is_seen_whole(call) and len(call.args) <= index + 1:
            yield from mutant(source, call.lineno, [without(source, call, dim)])


@plants("rnn-dropout-without-effect", "LSTM", "GRU", "RNN")
def dropout_between_nothing(source: Source) -> Iterator[Mutant]:
    """Dropout for an LSTM, GRU or RNN of one layer."""
    for call in calls_of(source, source.tree, *(f"torch.nn.{name}" for name in ("LSTM", "GRU", "RNN"))):
        if not is_seen_whole(call) or not 2 <= len(call.args) <= 3 or keyword(call, "dropout"):
            continue
        layers = value(given(call, 2, "num_layers"))
        if layers is None or (isinstance(layers, ast.Constant) and layers.value == 1):
            yield from mutant(source, call.lineno, [with_keyword(source, call, "dropout=0.2")])


@plants("layer-made-in-forward", "def forward")
def made_at_every_call(source: Source) -> Iterator[Mutant]:
    """`self.fc(x)` is `nn.Linear(4, 2)(x)` in `forward`: the layer is made there, as it was in `__init__`."""
    for scope in forwards(source):
        for call in (node for node in scope.nodes if isinstance(node, ast.Call)):
            layer = held(scope, call.func) if self_attribute(call.func) else None
            if isinstance(layer, ast.Call) and is_layer(source, layer) and _is_literal(layer):
                yield from mutant(source, call.lineno, [replaced(source, call.func, text(source, layer))])


def _is_literal(call: ast.Call) -> bool:
    """Whether a call can stand anywhere in the file: its arguments are numbers and words."""
    values = [*call.args, *(given.value for given in call.keywords)]
    return bool(values) and all(isinstance(given, ast.Constant) for given in values)


@plants("forward-called-directly", "nn.")
def forward_by_its_name(source: Source) -> Iterator[Mutant]:
    """`self.net(x)` is `self.net.forward(x)`, where the object is a module of torch, or of the file."""
    for scope in scopes(source):
        for call in (node for node in scope.nodes if isinstance(node, ast.Call)):
            if is_trained(source, held(scope, call.func)):
                edit = replaced(source, call.func, f"{text(source, call.func)}.forward")
                yield from mutant(source, call.lineno, [edit])


@plants("bias-before-batchnorm", "bias=False")
def bias_for_nothing(source: Source) -> Iterator[Mutant]:
    """A convolution before a batch norm, in a sequence or as `self.bn(self.conv(x))`, has a bias."""
    pairs = [
        (one, other)
        for call in calls_of(source, source.tree, "torch.nn.Sequential")
        for one, other in zip(call.args, call.args[1:], strict=False)
    ]
    for scope in forwards(source):
        for node in scope.nodes:
            match node:
                case ast.Call(func=outer, args=[ast.Call(func=inner)]):
                    one, other = held(scope, inner), held(scope, outer)
                    if one is not None and other is not None:
                        pairs.append((one, other))
    for one, other in dict.fromkeys(pairs):
        bias = keyword(one, "bias") if isinstance(one, ast.Call) else None
        if not isinstance(one, ast.Call) or not isinstance(other, ast.Call) or bias is None:
            continue
        is_off = isinstance(bias.value, ast.Constant) and bias.value.value is False
        names = full_name(source, one.func), full_name(source, other.func)
        if is_off and names in {(f"torch.nn.Conv{n}d", f"torch.nn.BatchNorm{n}d") for n in (1, 2, 3)}:
            yield from mutant(source, one.lineno, [without(source, one, bias)])


@plants("load-state-dict-assigned", ".load_state_dict(")
def report_for_model(source: Source) -> Iterator[Mutant]:
    """`model.load_state_dict(...)` is `model = model.load_state_dict(...)`; the file makes the model."""
    for scope in scopes(source):
        for statement in (node for node in scope.nodes if isinstance(node, ast.Expr)):
            call = method_call(statement, "load_state_dict")
            if call is None or not isinstance(call.func, ast.Attribute):
                continue
            name = written(call.func.value)
            is_used = any(use.lineno > statement.lineno for use in module_uses(scope, name))
            if is_used and makes_module(source, held(scope, call.func.value)):
                start = source.span(statement).start
                yield from mutant(source, statement.lineno, [Edit(Span(start, start), f"{name} = ")])


def module_uses(scope: Scope, name: str) -> list[ast.Call]:
    """The calls of methods that only modules have on what is written so."""
    of_modules = ("eval", "train", "parameters", "requires_grad_", "state_dict")
    some = [call for node in scope.nodes if (call := method_call(node, *of_modules)) is node]
    return [call for call in some if call and written(call.func).rpartition(".")[0] == name]


@plants("optimizer-misses-new-layer", "optim")
def layer_after_optimizer(source: Source) -> Iterator[Mutant]:
    """`model.fc = nn.Linear(...)` comes after the optimizer over `model.parameters()`."""
    for scope in scopes(source):
        for statement in (node for node in scope.nodes if isinstance(node, ast.Assign)):
            match statement.targets:
                case [ast.Attribute(value=ast.Name(id=model))] if (
                    is_trained(source, statement.value) and model != "self"
                ):
                    optimizer = _optimizer_below(source, scope, statement, model)
                    if optimizer is not None:
                        end = source.span(optimizer).end
                        line = source.lines.start(optimizer.lineno - 1)
                        indent = source.text[line : source.span(optimizer).start]
                        moved = Edit(Span(end, end), f"\n{indent}{text(source, statement)}")
                        yield from mutant(
                            source, statement.lineno, [replaced(source, statement, "pass"), moved]
                        )


def _optimizer_below(source: Source, scope: Scope, layer: ast.stmt, model: str) -> ast.Assign | None:
    for node in scope.nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and node.lineno > layer.lineno:
            is_optimizer = full_name(source, node.value.func).startswith("torch.optim.")
            if is_optimizer and any(
                written(call) == f"{model}.parameters()" for call in calls(node, "parameters")
            ):
                return node
    return None
