"""Mistakes in what modules hold: registration, containers, parameters, and the constructor."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Edit, Source, Span

from tests.recall.arguments import is_seen_whole, text
from tests.recall.binding import Scope, held, scopes, self_attribute, spelled
from tests.recall.layers import is_trained, method, module_classes
from tests.recall.mutants import Mutant, emptied, mutant, plants, replaced
from tests.recall.syntax import calls_of, full_name, method_call, own_statements, written


@plants("missing-super-init", "super")
def base_is_not_made(source: Source) -> Iterator[Mutant]:
    """`super().__init__()` of a class that derives from `nn.Module` itself is gone."""
    for cls in module_classes(source):
        init = method(cls, "__init__")
        statements = init.body if init is not None and not init.decorator_list else []
        made = [
            s for s in statements if (call := method_call(s, "__init__")) and "super" in written(call.func)
        ]
        registers = any(
            isinstance(s, ast.Assign) and self_attribute(s.targets[0]) and is_trained(source, s.value)
            for s in statements
        )
        if len(made) == 1 and registers:
            yield from mutant(source, made[0].lineno, [emptied(source, made[0])])


@plants("unregistered-modules", "ModuleList", "ModuleDict")
def kept_in_a_list(source: Source) -> Iterator[Mutant]:
    """`self.x = nn.ModuleList([...])` is a plain list: nothing else registers them."""
    for cls in module_classes(source):
        init = method(cls, "__init__")
        scope = next((scope for scope in scopes(source) if scope.node is init), None)
        for statement in own_statements(init) if init is not None else ():
            match statement:
                case ast.Assign(targets=[target], value=ast.Call() as call) if self_attribute(target):
                    plain = _plain(source, scope, call, target) if scope is not None else None
                    if plain is not None and _is_only_a_list(cls, target):
                        yield from mutant(source, statement.lineno, [replaced(source, call, plain)])


def _plain(source: Source, scope: Scope, call: ast.Call, target: ast.expr) -> str | None:
    """The plain list or dict that holds the same modules; None where they may have no parameters."""
    name = full_name(source, call.func)
    if name not in ("torch.nn.ModuleList", "torch.nn.ModuleDict") or call.keywords:
        return None
    match call.args:
        case []:
            appended = _appended(scope, written(target))
            is_list = name.endswith("List")
            return "[]" if is_list and any(is_trained(source, item) for item in appended) else None
        case [ast.List(elts=[_, _, *_] as items) as given] if all(is_trained(source, one) for one in items):
            return text(source, given)
        case [ast.Dict(values=[_, _, *_] as items) as given] if all(is_trained(source, one) for one in items):
            return text(source, given)
        case [ast.ListComp(elt=item) as given] if is_trained(source, item):
            return text(source, given)
        case [ast.GeneratorExp(elt=item) as given] if is_trained(source, item):
            return f"list({text(source, given).removeprefix('(').removesuffix(')')})"
        case [ast.Name() as given] if isinstance(held(scope, given), ast.List):
            items = [*_appended(scope, given.id)]
            return given.id if items and all(is_trained(source, item) for item in items) else None
    return None


def _appended(scope: Scope, name: str) -> list[ast.expr]:
    """What is appended to what is written so."""
    calls = (method_call(node, "append") for node in scope.nodes if isinstance(node, ast.Call))
    return [
        call.args[0]
        for call in calls
        if call and call.args and written(call.func).removesuffix(".append") == name
    ]


def _is_only_a_list(cls: ast.ClassDef, target: ast.expr) -> bool:
    """Whether a class does with an attribute what a plain list or dict can do, and does not register it."""
    name = written(target)
    for node in ast.walk(cls):
        match node:
            case ast.Starred(value=inner) if written(inner) == name:
                return False
            case ast.Attribute(value=inner, attr=attr) if written(inner) == name and attr not in _OF_LISTS:
                return False
            case ast.Attribute(attr="add_module" | "register_module" | "_modules" | "__setattr__"):
                return False
            case ast.Name(id="setattr"):
                return False
            case ast.Assign(targets=[*targets]) if target not in targets and name in map(written, targets):
                return False
            case ast.BinOp(left=left, right=right) if name in (written(left), written(right)):
                return False
    return True


_OF_LISTS = ("append", "extend", "insert", "keys", "values", "items")


@plants("sequential-of-list", "Sequential")
def list_is_not_unpacked(source: Source) -> Iterator[Mutant]:
    """`nn.Sequential(*layers)` without the star, where `layers` is a list or a tuple."""
    for scope in scopes(source):
        for call in (node for node in scope.nodes if isinstance(node, ast.Call)):
            if full_name(source, call.func) != "torch.nn.Sequential" or len(call.args) != 1 or call.keywords:
                continue
            starred = call.args[0]
            if isinstance(starred, ast.Starred) and _is_list(scope, starred.value):
                edit = replaced(source, starred, text(source, starred.value))
                yield from mutant(source, call.lineno, [edit])


def _is_list(scope: Scope, node: ast.expr | None) -> bool:
    match node:
        case ast.List() | ast.Tuple() | ast.ListComp():
            return True
        case ast.Call(func=ast.Name(id="list" | "tuple")):
            return True
        case ast.Subscript(value=inner, slice=ast.Slice()):
            return _is_list(scope, inner)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _is_list(scope, left) or _is_list(scope, right)
        case ast.Name(id=name):
            arguments = getattr(scope.node, "args", None)
            is_rest = isinstance(arguments, ast.arguments) and arguments.vararg is not None
            return (is_rest and arguments.vararg.arg == name) or _is_list(scope, held(scope, node))
        case _:
            return False


@plants("module-list-called", "Sequential")
def sequence_is_only_a_list(source: Source) -> Iterator[Mutant]:
    """`self.x = nn.Sequential(...)`, which `forward` calls, is an `nn.ModuleList`."""
    name = spelled(source, "torch.nn.ModuleList")
    for scope in scopes(source) if name is not None else ():
        if scope.cls not in module_classes(source) or getattr(scope.node, "name", "") != "forward":
            continue
        called = {written(node.func): node.func for node in scope.nodes if isinstance(node, ast.Call)}
        for func in called.values():
            made = held(scope, func)
            if not isinstance(made, ast.Call) or full_name(source, made.func) != "torch.nn.Sequential":
                continue
            edits = _as_list(source, made)
            if edits:
                yield from mutant(source, made.lineno, [replaced(source, made.func, name or ""), *edits])


def _as_list(source: Source, call: ast.Call) -> list[Edit]:
    """The edits that make one list of the layers; none where these are not given one by one, or as a list."""
    match call.args:
        case [ast.Starred(value=layers)] if not call.keywords:
            return [replaced(source, call.args[0], text(source, layers))]
        case [ast.Name() | ast.Starred()] | []:
            return []
        case [first, *_] if is_seen_whole(call) and isinstance(first, ast.Call):
            if "Dict" in written(first.func):
                return []
            start, end = source.span(first).start, source.span(call.args[-1]).end
            return [Edit(Span(start, start), "["), Edit(Span(end, end), "]")]
    return []


@plants("repeated-layer", "ModuleList", "Sequential")
def one_layer_many_times(source: Source) -> Iterator[Mutant]:
    """`[nn.Linear(4, 4) for _ in range(n)]` is `[nn.Linear(4, 4)] * n` in a container."""
    for call in calls_of(source, source.tree, "torch.nn.ModuleList", "torch.nn.Sequential"):
        given = [arg.value if isinstance(arg, ast.Starred) else arg for arg in call.args]
        match given:
            case [
                ast.ListComp(
                    elt=item,
                    generators=[
                        ast.comprehension(
                            target=ast.Name(id=name),
                            ifs=[],
                            iter=ast.Call(func=ast.Name(id="range"), args=[n]),
                        )
                    ],
                ) as layers
            ] if is_trained(source, item):
                if not any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(item)):
                    many = f"[{text(source, item)}] * ({text(source, n)})"
                    yield from mutant(source, layers.lineno, [replaced(source, layers, many)])


@plants("parameter-not-leaf", "Parameter")
def computed_after_it_was_made(source: Source) -> Iterator[Mutant]:
    """What is done with the tensor of an `nn.Parameter` is done with the parameter itself."""
    for cls in module_classes(source):
        init = method(cls, "__init__")
        for statement in own_statements(init) if init is not None else ():
            if not isinstance(statement, ast.Assign) or not self_attribute(statement.targets[0]):
                continue
            call = statement.value
            if not isinstance(call, ast.Call) or full_name(source, call.func) != "torch.nn.Parameter":
                continue
            if len(call.args) == 1 and not call.keywords:
                edit = replaced(source, call, _computed(source, call, call.args[0]))
                yield from mutant(source, statement.lineno, [edit])


def _computed(source: Source, call: ast.Call, inner: ast.expr) -> str:
    func = text(source, call.func)
    match inner:
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=ast.Constant()):
            behind = source.text[source.span(left).end : source.span(inner).end]
            return f"{func}({text(source, left)}){behind}"
        case ast.Call(func=ast.Attribute(value=ast.Call() as before, attr=attr)) if attr in _ARRANGE:
            behind = source.text[source.span(before).end : source.span(inner).end]
            return f"{func}({text(source, before)}){behind}"
        case ast.Call(keywords=[]) if full_name(source, inner.func) in _ON_THE_CPU:
            return f"{text(source, call)}.cuda()"
        case _:
            return f"{text(source, call)} * 0.1"


_ON_THE_CPU = tuple(f"torch.{name}" for name in ("zeros", "ones", "randn", "rand", "empty", "eye"))
_ARRANGE = ("view", "reshape", "unsqueeze", "transpose", "permute")


@plants("tensor-not-in-buffer", "register_buffer")
def not_a_buffer(source: Source) -> Iterator[Mutant]:
    """`self.register_buffer("x", tensor)` is `self.x = tensor`; `forward` computes with it."""
    for cls in module_classes(source):
        init, forward = method(cls, "__init__"), method(cls, "forward")
        scope = next((scope for scope in scopes(source) if scope.node is init), None)
        for statement in init.body if init is not None and scope is not None and forward else ():
            call = method_call(statement, "register_buffer")
            match call.args if call is not None else []:
                case [ast.Constant(value=str(name)), tensor, *_]:
                    made = held(scope, tensor) if isinstance(tensor, ast.Name) else tensor
                    if _is_made_here(source, made) and _computes_with(cls, forward, name):
                        edit = replaced(source, statement, f"self.{name} = {text(source, tensor)}")
                        yield from mutant(source, statement.lineno, [edit])


_FACTORIES = ("tensor", "zeros", "ones", "arange", "linspace", "eye", "full", "randn", "rand")


def _is_made_here(source: Source, tensor: ast.expr | None) -> bool:
    """Whether a factory of torch makes a tensor of a dimension at least, on no device that is named."""
    if not isinstance(tensor, ast.Call) or any(given.arg in ("device", None) for given in tensor.keywords):
        return False
    name = full_name(source, tensor.func)
    if name not in {f"torch.{factory}" for factory in _FACTORIES} or not tensor.args:
        return False
    is_list = isinstance(tensor.args[0], ast.List | ast.Tuple) and bool(tensor.args[0].elts)
    return is_list or (name != "torch.tensor" and not isinstance(tensor.args[0], ast.Starred))


def _computes_with(cls: ast.ClassDef, forward: ast.AST | None, name: str) -> bool:
    """Whether `forward` computes with `self.x`, in place of which nothing is put, and which nothing moves."""
    uses = [node for node in ast.walk(cls) if self_attribute(node) == name]
    others = [
        node
        for node in ast.walk(cls)
        if (isinstance(node, ast.Attribute) and self_attribute(node.value) == name)
        or (isinstance(node, ast.Attribute) and node in uses and not isinstance(node.ctx, ast.Load))
    ]
    computed = [
        operand
        for node in ast.walk(forward or cls)
        if isinstance(node, ast.BinOp)
        for operand in (node.left, node.right)
        if name in (self_attribute(operand), self_attribute(getattr(operand, "value", operand)))
    ]
    return bool(computed) and not others
