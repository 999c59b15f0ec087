"""Mistakes in what is saved and loaded."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Edit, Source, Span

from tests.recall.arguments import given, keyword, text, value, with_keyword
from tests.recall.binding import scopes
from tests.recall.modules_forward import module_uses
from tests.recall.mutants import Mutant, mutant, plants, replaced
from tests.recall.syntax import calls, calls_of, full_name, method_call, written


@plants("state-dict-not-called", ".state_dict()")
def method_is_saved(source: Source) -> Iterator[Mutant]:
    """`model.state_dict` is saved, copied or loaded, without parentheses."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        is_taker = full_name(source, node.func) in ("torch.save", "copy.deepcopy", "copy.copy")
        if not (is_taker or method_call(node, "load_state_dict")) or not node.args:
            continue
        for state in _states(node.args[0]):
            edit = Edit(Span(source.span(state.func).end, source.span(state).end), "")
            yield from mutant(source, state.lineno, [edit])


def _states(node: ast.expr) -> list[ast.Call]:
    """`x.state_dict()` itself, or what of that a dictionary that is written there holds."""
    parts = node.values if isinstance(node, ast.Dict) else [node]
    return [call for part in parts if (call := method_call(part, "state_dict")) and not call.args]


@plants("state-dict-not-copied", "deepcopy(")
def state_is_not_copied(source: Source) -> Iterator[Mutant]:
    """`copy.deepcopy(model.state_dict())` is `model.state_dict()`, in a loop."""
    for scope in scopes(source):
        for call in (node for node in scope.nodes if isinstance(node, ast.Call)):
            if full_name(source, call.func) == "copy.deepcopy" and call.args and method_call(call.args[0], "state_dict"):
                yield from mutant(source, call.lineno, [replaced(source, call, text(source, call.args[0]))])


def _loads(source: Source) -> Iterator[tuple[ast.Call, ast.Call, ast.expr]]:
    """The calls of `load_state_dict` that are given `torch.load(path)`: both calls, and the path."""
    for call in calls(source.tree, "load_state_dict"):
        loaded = call.args[0] if call.args else None
        if isinstance(loaded, ast.Call) and full_name(source, loaded.func) == "torch.load":
            path = value(given(loaded, 0, "f"))
            if path is not None:
                yield call, loaded, path


@plants("load-state-dict-of-path", ".load_state_dict(")
def path_for_state(source: Source) -> Iterator[Mutant]:
    """`model.load_state_dict(path)` for `model.load_state_dict(torch.load(path))`."""
    for call, loaded, path in _loads(source):
        yield from mutant(source, call.lineno, [replaced(source, loaded, text(source, path))])


@plants("unsafe-load", ".load_state_dict(")
def anything_is_loaded(source: Source) -> Iterator[Mutant]:
    """`weights_only=False` where weights are loaded into a model."""
    for call, loaded, _ in _loads(source):
        told = keyword(loaded, "weights_only")
        if told is None:
            yield from mutant(source, call.lineno, [with_keyword(source, loaded, "weights_only=False")])
        elif isinstance(told.value, ast.Constant) and told.value.value is True:
            yield from mutant(source, call.lineno, [replaced(source, told.value, "False")])


@plants("whole-module-loaded", ".load_state_dict(")
def whole_module_is_loaded(source: Source) -> Iterator[Mutant]:
    """`model = torch.load(path)` for `model.load_state_dict(torch.load(path))`; the model is used below."""
    loads = {call: (loaded, path) for call, loaded, path in _loads(source)}
    for scope in scopes(source):
        for statement in (node for node in scope.nodes if isinstance(node, ast.Expr)):
            call = method_call(statement, "load_state_dict")
            if call is None or call not in loads or not isinstance(call.func, ast.Attribute):
                continue
            loaded, path = loads[call]
            name = written(call.func.value)
            is_used = any(use.lineno > call.lineno for use in module_uses(scope, name))
            if is_used and not any(given.arg in ("weights_only", "pickle_module", None) for given in loaded.keywords):
                func = text(source, loaded.func)
                edit = replaced(source, statement, f"{name} = {func}({text(source, path)})")
                yield from mutant(source, statement.lineno, [edit])


@plants("whole-module-saved", "torch.save")
def whole_module_is_saved(source: Source) -> Iterator[Mutant]:
    """`torch.save(model, path)` for `torch.save(model.state_dict(), path)`; by its other uses it is a module."""
    for scope in scopes(source):
        uses = {node for node in scope.nodes if isinstance(node, ast.Call)}
        for call in calls_of(source, scope.node, "torch.save"):
            state = method_call(call.args[0], "state_dict") if call.args else None
            if call not in uses or state is None or not isinstance(state.func, ast.Attribute):
                continue
            name = written(state.func.value)
            if any(not method_call(use, "state_dict") for use in module_uses(scope, name)):
                edit = replaced(source, state, text(source, state.func.value))
                yield from mutant(source, call.lineno, [edit])
