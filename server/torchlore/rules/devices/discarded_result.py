"""TL601: a tensor method that gives a new tensor is called for what it does to the old one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.queries import options
from torchlore.analysis.values import BoundMethod, Container, Function, Grads, Params, Tensor, Value
from torchlore.rules import support
from torchlore.rules.devices._purpose import is_tried
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source, Span
from torchlore.text.nodes import nodes_in

_MOVES = "to|cuda|cpu|float|half|double|bfloat16|long|int|short|bool|type|type_as|detach"
_SHAPES = "contiguous|view|reshape|flatten|unflatten|permute|expand|unsqueeze|squeeze|transpose|swapaxes|t"
_VALUES = (
    "clamp|clip|add|sub|subtract|mul|multiply|div|divide|pow|neg|abs|relu|sigmoid|tanh|exp|log|sqrt|round"
    "|nan_to_num|masked_fill|masked_scatter|index_fill|index_add|index_copy|scatter|scatter_add"
)
_TWINS = frozenset(f"detach|unsqueeze|squeeze|transpose|swapaxes|t|{_VALUES}".split("|"))
"""Methods that have a twin with `_` behind its name, which works in place."""

_METHODS = frozenset(f"{_MOVES}|{_SHAPES}|{_VALUES}".split("|"))
_FOR_NOTHING_ELSE = frozenset(_MOVES.split("|")) - {"cpu"}
"""Methods that nobody calls to wait for the device, or to see whether they raise."""

_Place = ast.Name | ast.Attribute | ast.Subscript
_Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.Module


class DiscardedResult(Rule):
    """
    ## What it does

    Looks for tensor methods that give a new tensor, such as `to`, `cuda`, `float`, `detach` or `clamp`, and
    whose result is thrown away.

    ## Why is this bad?

    `module.to(device)` moves a module in place, `tensor.to(device)` does not: it returns another tensor.
    The statement does nothing at all: the tensor keeps its device, its dtype, its history and its values.
    Often the program fails somewhere else for it; weights that were to be clamped, and a hidden state that
    was to be detached, fail nowhere.

    ## Example

    ```py
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = torch.nn.Linear(4, 1).to(device)
    x = torch.randn(8, 4)
    x.to(device)
    print(model(x))
    ```

    ## Use instead

    ```py
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = torch.nn.Linear(4, 1).to(device)
    x = torch.randn(8, 4)
    x = x.to(device)
    print(model(x))
    ```

    ## Fix safety

    Not safe: the statement does nothing now, and what was written around it may rest on that.
    The result is assigned to what the method was called on, or the method's twin that works in place is
    called.

    ## Known limits

    Speaks only of what is surely a tensor: an argument that no annotation names and a batch of a loader whose
    dataset is not known are not.
    Silent in `with pytest.raises(...)`, in the body of `try`, and where the call may be there to wait for the
    device or to see whether it raises.

    ## References

    - [torch.Tensor.to](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.to.html)
    - [torch.Tensor.detach](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.detach.html)
    - [torch.Tensor.clamp](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.clamp.html)
    """

    code = "TL601"
    name = "discarded-result"
    family = Family.DEVICES
    severity = Severity.WARNING
    since = "0.1.0"
    card = "cuda-and-devices"
    trigger = rf"\b(?:{_MOVES}|{_SHAPES}|{_VALUES})\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return any(True for _ in _candidates(source))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for statement, method, place in _candidates(analysis.source):
            if _is_tensors(analysis, method) and _is_for_the_result(analysis, statement, method, place):
                yield self._report(analysis, statement, method, place)

    def _report(
        self, analysis: Analysis, statement: ast.Expr, method: ast.Attribute, place: _Place
    ) -> Finding:
        name, call = support.written(analysis, place), _shown(analysis, statement, method)
        message = f"`{call}` leaves `{name}` as it is: it gives a new tensor, which is thrown away"
        fixes = tuple(_fixes(analysis, statement, method, place))
        return self.finding(message, analysis.source.span(statement.value), fixes=fixes)


def _candidates(source: Source) -> Iterator[tuple[ast.Expr, ast.Attribute, _Place]]:
    """Statements that call such a method on something that can be assigned to."""
    for statement in source.every(ast.Expr):
        call = statement.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _METHODS:
            place = call.func.value
            if isinstance(place, _Place) and (call.func.attr != "type" or call.args):
                yield statement, call.func, place


def _shown(analysis: Analysis, statement: ast.Expr, method: ast.Attribute) -> str:
    """The call without its arguments."""
    match statement.value:
        case ast.Call(args=[], keywords=[]):
            return f"{support.written(analysis, method)}()"
        case _:
            return f"{support.written(analysis, method)}(…)"


def _is_tensors(analysis: Analysis, method: ast.Attribute) -> bool:
    """Whether this is surely a method of torch's tensors, whoever calls the function that it stands in."""
    if method.attr in analysis.run.patched_methods:
        return False
    found = options(analysis.value(method))
    if not all(isinstance(one, BoundMethod) and _is_tensor(one.receiver) for one in found):
        return False
    return _is_no_doubtful_parameter(analysis, method.value)


def _is_tensor(value: Value) -> bool:
    match value:
        case Tensor(certain=certain):
            return certain
        case Params(one=one):
            return one
        case _:
            return isinstance(value, Grads)


def _is_no_doubtful_parameter(analysis: Analysis, place: ast.expr) -> bool:
    """Whether `place` is no parameter, or one that an annotation names or every call gives a tensor."""
    scope = _scope(analysis, place)
    if not isinstance(place, ast.Name) or isinstance(scope, ast.Module):
        return True
    arguments = [*scope.args.posonlyargs, *scope.args.args]
    index = next((i for i, a in enumerate(arguments) if a.arg == place.id), -1)
    if index < 0 or arguments[index].annotation is not None:
        return True
    for node, given in analysis.run.calls.items():
        callee = analysis.value(node.func)
        if isinstance(callee, Function) and callee.node is scope:
            at = index if callee.receiver is None else index - 1
            values = [known.get(at, place.id) for known in given]
            if not all(value is not None and all(map(_is_tensor, options(value))) for value in values):
                return False
    return True


def _is_for_the_result(analysis: Analysis, statement: ast.Expr, method: ast.Attribute, place: _Place) -> bool:
    """Whether the call is there to change the tensor: not to wait, to measure, or to see what happens."""
    if not analysis.is_whole(statement) or is_tried(analysis, statement):
        return False
    if any(_waits(analysis, other) for other in support.block_of(analysis, statement)):
        return False
    if not isinstance(place, ast.Name) or _is_read_later(analysis, statement, place):
        return True
    return method.attr in _FOR_NOTHING_ELSE and _comes_from_elsewhere(analysis, statement, place)


def _waits(analysis: Analysis, statement: ast.stmt) -> bool:
    """Whether a statement waits for the device: what stands beside it is measured."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="synchronize" | "record"))):
            return True
        case _:
            return False


def _is_read_later(analysis: Analysis, statement: ast.stmt, name: ast.Name) -> bool:
    """Whether the name is read behind the statement, or before it in the next iteration of a loop.

    Other statements that do nothing to it do not count: so do tests and benchmarks look.
    """
    inside = {id(node) for node in nodes_in(statement)}
    inside.update(id(place) for _, _, place in _candidates(analysis.source))
    loops = [node for node in analysis.around(statement) or () if isinstance(node, ast.For | ast.While)]
    anew = [loop for loop in loops if not (isinstance(loop, ast.For) and _binds(loop.target, name.id))]
    ranges = [range(loop.lineno, (loop.end_lineno or loop.lineno) + 1) for loop in anew]
    for node in nodes_in(_scope(analysis, statement)):
        if isinstance(node, ast.Name) and node.id == name.id and isinstance(node.ctx, ast.Load):
            behind = node.lineno > statement.lineno or any(node.lineno in lines for lines in ranges)
            if behind and id(node) not in inside:
                return True
    return False


def _comes_from_elsewhere(analysis: Analysis, statement: ast.stmt, name: ast.Name) -> bool:
    """Whether it is a parameter, or what a loop goes over: somebody else is to see it changed."""
    scope = _scope(analysis, statement)
    if not isinstance(scope, ast.Module) and any(a.arg == name.id for a in scope.args.args):
        return True
    around = analysis.around(statement) or ()
    return any(isinstance(node, ast.For) and _binds(node.target, name.id) for node in around)


def _binds(target: ast.expr, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in nodes_in(target))


def _scope(analysis: Analysis, node: ast.AST) -> _Scope:
    around = reversed(analysis.around(node) or ())
    return next((outer for outer in around if isinstance(outer, _Scope)), analysis.source.tree)


def _fixes(analysis: Analysis, statement: ast.Expr, method: ast.Attribute, place: _Place) -> Iterator[Fix]:
    """Assigns the result, or works in place. Parameters cannot be assigned a tensor that is none."""
    name = support.written(analysis, place)
    in_place = _in_place(analysis, method, name) if method.attr in _TWINS else None
    holds_data = isinstance(place, ast.Attribute) and place.attr in ("data", "grad")
    if in_place is not None and holds_data:
        yield in_place
        return
    target = _target(analysis, statement, place)
    if target:
        start = analysis.source.span(statement).start
        title = f"Assign the result: `{target} = {_shown(analysis, statement, method)}`"
        yield Fix(title, (Edit(Span(start, start), f"{target} = "),), safe=False)
        if in_place is not None and _carries_no_graph(analysis, method):
            yield in_place


def _in_place(analysis: Analysis, method: ast.Attribute, name: str) -> Fix:
    end = analysis.source.span(method).end
    title = f"Change `{name}` in place: `{method.attr}_`"
    return Fix(title, (Edit(Span(end, end), "_"),), safe=False)


def _carries_no_graph(analysis: Analysis, method: ast.Attribute) -> bool:
    """Whether an operation in place disturbs no backward pass."""
    found = options(analysis.value(method))
    tensors = [one.receiver for one in found if isinstance(one, BoundMethod)]
    return all(isinstance(tensor, Tensor) and tensor.attached is False for tensor in tensors)


def _target(analysis: Analysis, statement: ast.Expr, place: _Place) -> str:
    """What to assign the result to; empty where that would not help."""
    stored = _stored_in(analysis, statement, place) if isinstance(place, ast.Name) else ""
    if stored:
        return stored
    if isinstance(place, ast.Name):
        return place.id if _is_read_later(analysis, statement, place) else ""
    values = options(analysis.value(place))
    if any(isinstance(value, Params) or (isinstance(value, Tensor) and value.parameter) for value in values):
        return ""
    if isinstance(place, ast.Subscript):
        holders = options(analysis.value(place.value))
        if any(isinstance(holder, Tensor) or _is_tuple(holder) for holder in holders):
            return ""
    return support.written(analysis, place)


def _is_tuple(value: Value) -> bool:
    return isinstance(value, Container) and value.kind == "tuple"


def _stored_in(analysis: Analysis, statement: ast.Expr, place: ast.Name) -> str:
    """`batch[key]`, where the loop around goes over `key, value in batch.items()`."""
    match support.parent(analysis, statement):
        case ast.For(
            target=ast.Tuple(elts=[ast.Name(id=key), ast.Name(id=value)]),
            iter=ast.Call(func=ast.Attribute(value=holder, attr="items"), args=[]),
        ) if value == place.id and isinstance(holder, ast.Name | ast.Attribute):
            return f"{support.written(analysis, holder)}[{key}]"
        case _:
            return ""
