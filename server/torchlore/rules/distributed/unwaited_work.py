"""TL704: an asynchronous communication is started and never waited for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.rules import arguments, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Span
from torchlore.text.nodes import nodes_in


class UnwaitedWork(Rule):
    """
    ## What it does

    Looks for `isend`, `irecv` and collectives with `async_op=True` whose result, the handle to wait on, is
    thrown away or never used.

    ## Why is this bad?

    The call only starts the communication. Until `wait()` has returned, the tensor may hold what it held
    before, or a part of what is on its way; a tensor that is being sent must not be changed. Nothing is
    reported: the numbers are wrong now and then.

    ## Example

    ```py
    import torch
    import torch.distributed as dist


    def total(loss):
        dist.all_reduce(loss, async_op=True)
        return loss / dist.get_world_size()
    ```

    ## Use instead

    ```py
    import torch
    import torch.distributed as dist


    def total(loss):
        dist.all_reduce(loss)
        return loss / dist.get_world_size()
    ```

    ## Fix safety

    Unsafe: it waits at once, which gives up what was to run meanwhile, and two processes that both wait for
    their `isend` before they receive can wait for each other. Where something is to run meanwhile, keep the
    handle and call its `wait()` before the tensor is used.

    ## Known limits

    Silent where the handle goes anywhere: into a list, to a function, to a caller; and where the function
    synchronizes the whole device by itself.

    ## References

    - [torch.distributed, Synchronous and asynchronous collective operations](https://docs.pytorch.org/docs/stable/distributed.html#synchronous-and-asynchronous-collective-operations)
    """

    code = "TL704"
    name = "unwaited-work"
    family = Family.DISTRIBUTED
    severity = Severity.WARNING
    since = "0.1.0"
    card = "collectives"
    trigger = r"\b(?:isend|irecv|async_op|batch_isend_irecv)\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_ALWAYS, *_ON_REQUEST):
            if call.name in _ON_REQUEST and call.literal(-1, "async_op") is not True:
                continue
            statement = support.statement_of(analysis, call.node)
            if statement is None or _is_waited_for(analysis, call.node, statement):
                continue
            yield self._finding(analysis, call, statement)

    def _finding(self, analysis: Analysis, call: Called, statement: ast.stmt) -> Finding:
        function = support.written(analysis, call.node.func)
        name = _kept_as(statement)
        what = f"`{name}` is never used" if name else "the handle that it gives is thrown away"
        message = (
            f"`{function}` only starts the communication, and {what}: nothing waits until "
            f"{_ABOUT.get(call.name.rpartition('.')[2], 'its result is there')}"
        )
        span = analysis.source.span(call.node.func)
        return self.finding(message, span, fixes=tuple(_fixes(analysis, call, statement, name)))


_HOME = "torch.distributed"

_ALWAYS = tuple(f"{_HOME}.{name}" for name in ("isend", "irecv", "batch_isend_irecv"))
"""What gives a handle, or several, whenever it is called."""

_ON_REQUEST = tuple(
    f"{_HOME}.{name}"
    for name in (
        "all_gather",
        "all_gather_coalesced",
        "all_gather_into_tensor",
        "all_reduce",
        "all_reduce_coalesced",
        "all_to_all",
        "all_to_all_single",
        "barrier",
        "broadcast",
        "gather",
        "reduce",
        "reduce_scatter",
        "reduce_scatter_tensor",
        "scatter",
    )
)
"""What gives a handle if it is called with `async_op=True`."""

_ABOUT = {
    "isend": "the tensor may be changed again",
    "irecv": "the tensor has arrived",
    "batch_isend_irecv": "the tensors have arrived",
    "barrier": "the others have come as far",
}
"""What there is to wait for."""


def _kept_as(statement: ast.stmt) -> str:
    """The variable that a statement binds to a handle; empty where it binds none."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
        case _:
            return ""


def _is_waited_for(analysis: Analysis, call: ast.Call, statement: ast.stmt) -> bool:
    """Whether something may wait: whoever the handle is given to, or a wait for the whole device."""
    if not isinstance(statement, ast.Expr | ast.Assign) or statement.value is not call:
        return True
    name = _kept_as(statement)
    if isinstance(statement, ast.Assign) and not name:
        return True
    outer = analysis.around(statement) or ()
    scope = next((part for part in reversed(outer) if isinstance(part, _SCOPES)), None)
    if scope is None or not analysis.is_whole(scope) or any(_gathers(part) for part in outer):
        return True
    return any(_waits(node, name) for node in nodes_in(scope))


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)


def _gathers(node: ast.AST) -> bool:
    """Whether a `with` gives one handle for all that is started in it."""
    return isinstance(node, ast.With) and any(
        "coalescing_manager" in ast.dump(item.context_expr) for item in node.items
    )


def _waits(node: ast.AST, name: str) -> bool:
    """Whether a node uses the variable `name`, or waits for a device."""
    match node:
        case ast.Name(id=used, ctx=ast.Load() | ast.Del()):
            return used == name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return name in names
        case ast.Attribute(attr="synchronize"):
            return True
        case _:
            return False


def _fixes(analysis: Analysis, call: Called, statement: ast.stmt, name: str) -> Iterator[Fix]:
    out = arguments.removed(analysis, call.node, "async_op")
    if out is not None and not name:
        yield Fix("Communicate at once: remove `async_op=True`", (out,), safe=False)
    if name:
        edit = support.insert_after(analysis, statement, f"{name}.wait()")
        if edit is not None and call.name != f"{_HOME}.batch_isend_irecv":
            yield Fix(f"Wait for `{name}`", (edit,), safe=False)
    elif call.name != f"{_HOME}.batch_isend_irecv":
        end = analysis.source.span(call.node).end
        yield Fix("Wait for it: `.wait()`", (Edit(Span(end, end), ".wait()"),), safe=False)
