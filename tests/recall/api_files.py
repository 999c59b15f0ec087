"""Mistakes in what is saved and loaded."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from torchlore.text import Edit, Source, Span

from tests.recall.arguments import given, keyword, text, value, with_keyword, without
from tests.recall.binding import Scope, held, made, scopes
from tests.recall.layers import makes_module
from tests.recall.modules_forward import module_uses
from tests.recall.mutants import Mutant, mutant, plants, replaced
from tests.recall.syntax import calls, calls_of, full_name, method_call, own_statements, written


@plants("state-dict-not-called", ".state_dict()")
def method_is_saved(source: Source) -> Iterator[Mutant]:
    """`state_dict` of what the file makes is saved, copied or loaded without parentheses."""
    for scope in scopes(source):
        for node in (node for node in scope.nodes if isinstance(node, ast.Call) and node.args):
            is_taker = full_name(source, node.func) in ("torch.save", "copy.deepcopy", "copy.copy")
            if is_taker or method_call(node, "load_state_dict"):
                for state in _states(source, scope, node.args[0]):
                    edit = Edit(Span(source.span(state.func).end, source.span(state).end), "")
                    yield from mutant(source, state.lineno, [edit])


def _states(source: Source, scope: Scope, node: ast.expr) -> list[ast.Call]:
    """`x.state_dict()` itself, or what of that a dictionary that is written there holds."""
    parts = node.values if isinstance(node, ast.Dict) else [node]
    some = [call for part in parts if (call := method_call(part, "state_dict")) and not call.args]
    return [
        call
        for call in some
        if isinstance(call.func, ast.Attribute)
        and (
            makes_module(source, held(scope, call.func.value))
            or made(source, scope, call.func.value).startswith("torch.optim.")
        )
    ]


@plants("state-dict-not-copied", "deepcopy(")
def state_is_not_copied(source: Source) -> Iterator[Mutant]:
    """`best = copy.deepcopy(model.state_dict())` is not copied, and is loaded or saved after other steps."""
    for scope in scopes(source):
        every = [node for node in scope.nodes if isinstance(node, ast.Call)]
        if not any(method_call(call, "step") for call in every):
            continue
        loops = [node for node in scope.nodes if isinstance(node, ast.For | ast.While)]
        for statement in dict.fromkeys(inner for loop in loops for inner in own_statements(loop)):
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[state]) as copied) if (
                    full_name(source, copied.func) == "copy.deepcopy" and method_call(state, "state_dict")
                ):
                    if any(_takes(source, call, name) for call in every if call.lineno > copied.lineno):
                        edit = replaced(source, copied, text(source, state))
                        yield from mutant(source, copied.lineno, [edit])


def _takes(source: Source, call: ast.Call, name: str) -> bool:
    """Whether a call loads or saves what a name holds."""
    is_taker = method_call(call, "load_state_dict") or full_name(source, call.func) == "torch.save"
    return bool(is_taker) and bool(call.args) and written(call.args[0]) == name


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
    """`model.load_state_dict(path)`, where the file shows that it is a path, without `torch.load`."""
    for scope in scopes(source):
        for call, loaded, path in _loads(source):
            if call in scope.nodes and _is_path(source, held(scope, path) or path):
                yield from mutant(source, call.lineno, [replaced(source, loaded, text(source, path))])


def _is_path(source: Source, node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod() | ast.Div(), right=right):
            return _is_path(source, left) or _is_path(source, right)
        case ast.Call(func=func):
            is_format = (
                isinstance(func, ast.Attribute) and func.attr == "format" and _is_path(source, func.value)
            )
            return is_format or full_name(source, func) in ("os.path.join", "pathlib.Path")
        case _:
            return False


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
            until = _next_binding(scope, name, call.lineno)
            is_used = any(call.lineno < use.lineno < until for use in module_uses(scope, name))
            if is_used and not any(
                given.arg in ("weights_only", "pickle_module", None) for given in loaded.keywords
            ):
                func = text(source, loaded.func)
                edit = replaced(source, statement, f"{name} = {func}({text(source, path)})")
                yield from mutant(source, statement.lineno, [edit])


def _next_binding(scope: Scope, name: str, line: int) -> float:
    """The line below `line` on which what is written so is bound anew: from there on it is another thing."""
    bound = [
        target.lineno
        for node in scope.nodes
        if isinstance(node, ast.Assign)
        for target in node.targets
        if written(target) == name and target.lineno > line
    ]
    return min(bound, default=math.inf)


@plants("whole-module-saved", "torch.save")
def whole_module_is_saved(source: Source) -> Iterator[Mutant]:
    """`torch.save(model, path)` for `torch.save(model.state_dict(), path)`."""
    for scope in scopes(source):
        for call in (node for node in scope.nodes if isinstance(node, ast.Call) and node.args):
            state = method_call(call.args[0], "state_dict")
            if full_name(source, call.func) != "torch.save" or state is None or state.args:
                continue
            if isinstance(state.func, ast.Attribute) and _is_module(source, scope, state.func.value):
                edit = replaced(source, state, text(source, state.func.value))
                yield from mutant(source, call.lineno, [edit])


def _is_module(source: Source, scope: Scope, node: ast.expr) -> bool:
    """Whether a name holds a module, by how it was made, or by what else is done with it."""
    others = [use for use in module_uses(scope, written(node)) if not method_call(use, "state_dict")]
    return bool(others) or makes_module(source, held(scope, node))


@plants("load-without-map-location", "map_location")
def loaded_where_it_was(source: Source) -> Iterator[Mutant]:
    """`map_location` is gone from a load of weights, in a file that asks whether there is a GPU."""
    if "is_available()" not in source.text or "test" in source.path or "set_default_device" in source.text:
        return
    saved = {
        written(call.args[1]) for call in calls_of(source, source.tree, "torch.save") if len(call.args) > 1
    }
    for _, loaded, path in _loads(source):
        told = keyword(loaded, "map_location")
        if told is not None and written(path) not in saved:
            yield from mutant(source, loaded.lineno, [without(source, loaded, told)])
