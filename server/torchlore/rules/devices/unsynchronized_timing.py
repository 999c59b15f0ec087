"""TL608: work on the GPU is timed without waiting for it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from torchlore.analysis import Analysis, members
from torchlore.analysis.members import kind_of
from torchlore.analysis.names import words
from torchlore.analysis.queries import options
from torchlore.analysis.values import BoundMethod, Function, Instance, LocalClass, Ref, Tensor, Value
from torchlore.rules import indentation, spellings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source
from torchlore.text.nodes import blocks, nodes_in

_CLOCKS = frozenset(f"time.{name}" for name in words("time perf_counter monotonic time_ns perf_counter_ns"))
_WAITS = words("item tolist numpy cpu nonzero unique masked_select synchronize to equal allclose is_nonzero")
"""Methods that wait for the device, or may."""

_KINDS = frozenset({"Module", "Loss", "Optimizer", "Tensor"})
"""What does not wait when it, or one of its methods, is called."""

_FUNCTIONS = {"builtins.range"} | {
    f"torch.{name}"
    for name in words(
        """
        matmul mm bmm addmm einsum add sub mul div exp log sqrt sum mean relu sigmoid tanh softmax cat stack
        no_grad inference_mode autocast amp.autocast cuda.amp.autocast
        """
    )
}
_FUNCTIONAL = "torch.nn.functional."
_ELAPSED = re.compile(r"(?:time|perf_counter|monotonic|_ns)\(\)\s*-\s*\w")
_SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.For, ast.With)
_Work = ast.Call | ast.BinOp
_DEPTH = 3
"""So deep are modules of the file looked into."""


class UnsynchronizedTiming(Rule):
    """
    ## What it does

    Looks for `time.time()` or `time.perf_counter()` before and after work for the GPU that nothing waits for.

    ## Why is this bad?

    A CUDA call puts work into a queue and returns. The clock is read while the device has hardly begun: what
    is measured is how long the queue takes to fill, and whoever waits next pays the rest.

    ## Example

    ```py
    import time

    import torch

    model = torch.nn.Linear(4096, 4096).to("cuda")
    x = torch.randn(4096, 4096, device="cuda")
    start = time.perf_counter()
    y = model(x)
    elapsed = time.perf_counter() - start
    ```

    ## Use instead

    ```py
    import time

    import torch

    model = torch.nn.Linear(4096, 4096).to("cuda")
    x = torch.randn(4096, 4096, device="cuda")
    torch.cuda.synchronize()
    start = time.perf_counter()
    y = model(x)
    torch.cuda.synchronize()
    elapsed = time.perf_counter() - start
    ```

    ## Fix safety

    Not safe: the program waits where it did not.

    ## Known limits

    Speaks only where both readings stand in the same block, where tensors that surely are on CUDA are worked
    on between them, and where all calls between are known not to wait.

    ## References

    - [torch.cuda.synchronize](https://docs.pytorch.org/docs/stable/generated/torch.cuda.synchronize.html)
    - [CUDA semantics: asynchronous execution](https://docs.pytorch.org/docs/stable/notes/cuda.html#asynchronous-execution)
    """

    code = "TL608"
    name = "unsynchronized-timing"
    family = Family.DEVICES
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "profiling"
    trigger = r"\b(?:perf_counter|monotonic|time|time_ns|perf_counter_ns)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return "cuda" in source.text and _ELAPSED.search(source.text) is not None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_CLOCKS):
            statement = support.statement_of(analysis, call.node)
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is call.node:
                    yield from self._check_start(analysis, statement, name)

    def _check_start(self, analysis: Analysis, start: ast.Assign, name: str) -> Iterator[Finding]:
        block = support.block_of(analysis, start)
        behind = block[block.index(start) + 1 :] if start in block else []
        for index, statement in enumerate(behind):
            end = _elapsed(analysis, statement, name)
            if end is not None:
                work = _work(analysis, behind[:index])
                if work is not None and analysis.is_whole(start):
                    yield self._report(analysis, start, statement, end, work)
                return

    def _report(
        self, analysis: Analysis, start: ast.stmt, statement: ast.stmt, end: ast.expr, work: _Work
    ) -> Finding:
        clock, name = support.written(analysis, end), _shown(analysis, work)
        message = f"`{clock}` is read while a GPU has only begun with `{name}`: nothing waits for it"
        fix = _fix(analysis, work, start, statement)
        fixes = () if fix is None else (fix,)
        related = support.related(analysis, work, "this is put into a queue")
        return self.finding(message, analysis.source.span(end), fixes=fixes, related=related)


def _elapsed(analysis: Analysis, statement: ast.stmt, start: str) -> ast.expr | None:
    """The second reading of the clock, in `time.time() - start`."""
    if blocks(statement):
        return None
    for node in nodes_in(statement):
        match node:
            case ast.BinOp(left=ast.Call() as call, op=ast.Sub(), right=ast.Name(id=name)) if name == start:
                clock = analysis.value(call.func)
                return call if isinstance(clock, Ref) and clock.name in _CLOCKS else None
    return None


def _work(analysis: Analysis, between: Sequence[ast.stmt]) -> _Work | None:
    """The last expression that gives a GPU something to do; None if there is none, or something may wait."""
    found: _Work | None = None
    for statement in between:
        for node in nodes_in(statement):
            if isinstance(node, ast.stmt) and not isinstance(node, _SIMPLE):
                return None
            if isinstance(node, ast.FormattedValue | ast.Compare):  # a tensor in it would be waited for
                return None
            if isinstance(node, ast.Call) and not _returns_at_once(analysis, node, _DEPTH):
                return None
            if isinstance(node, _Work) and _device(analysis, node):
                found = node
    return found


def _returns_at_once(analysis: Analysis, call: ast.Call, depth: int) -> bool:
    return all(_is_asynchronous(analysis, callee, depth) for callee in options(analysis.value(call.func)))


def _is_asynchronous(analysis: Analysis, callee: Value, depth: int) -> bool:
    match callee:
        case Ref(name=name):
            waits = name.removeprefix(_FUNCTIONAL) in ("one_hot", "ctc_loss")
            return name in _FUNCTIONS or (name.startswith(_FUNCTIONAL) and not waits)
        case BoundMethod(receiver=receiver, name=name):
            return kind_of(receiver) in _KINDS and name not in _WAITS
        case Instance(cls=str()):
            return kind_of(callee) in _KINDS
        case Instance(cls=LocalClass() as cls):
            forward = members.lookup(cls, "forward")
            if not depth or kind_of(callee) != "Module" or not isinstance(forward, Function):
                return False
            calls = (node for node in nodes_in(forward.node) if isinstance(node, ast.Call))
            return all(_returns_at_once(analysis, inner, depth - 1) for inner in calls)
        case _:
            return False


def _device(analysis: Analysis, work: _Work) -> str:
    """Where an expression is evaluated, if that is, or may be, on CUDA."""
    given = work.args if isinstance(work, ast.Call) else [work.left, work.right]
    values = [option for argument in given for option in options(analysis.value(argument))]
    method = analysis.value(work.func) if isinstance(work, ast.Call) else None
    if isinstance(method, BoundMethod):
        values += options(method.receiver)
    devices = (value.device for value in values if isinstance(value, Tensor) and value.certain)
    return next((device for device in devices if "cuda" in device), "")


def _shown(analysis: Analysis, work: _Work) -> str:
    """The work as it is written, without the arguments of a call."""
    if isinstance(work, ast.BinOp):
        return support.written(analysis, work)
    return f"{support.written(analysis, work.func)}({'…' if work.args or work.keywords else ''})"


def _fix(analysis: Analysis, work: _Work, start: ast.stmt, end: ast.stmt) -> Fix | None:
    """Waits before each reading of the clock."""
    wait = spellings.spelled(analysis, start, "torch.cuda.synchronize")
    ask = spellings.spelled(analysis, start, "torch.cuda.is_available")
    if wait is None or ask is None:
        return None
    code = [f"{wait}()"]
    if " or " in _device(analysis, work):
        code = [f"if {ask}():", indentation.step(analysis.source) + code[0]]
    found = [support.insert_before(analysis, statement, *code) for statement in (start, end)]
    edits = [edit for edit in found if edit is not None]
    title = f"Wait for the GPU: `{wait}()`"
    return Fix(title, tuple(edits), safe=False) if len(edits) == 2 else None
