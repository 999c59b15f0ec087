"""TL621: a compiled function asks Python what a tensor holds."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis
from torchlore.analysis.called import MISSING, Called
from torchlore.analysis.members import lookup
from torchlore.analysis.values import Function, Instance, LocalClass, Value
from torchlore.rules import bindings, clashes, support
from torchlore.rules.model import Family, Finding, Rule, Severity
from torchlore.text import Source


class GraphBreak(Rule):
    """
    ## What it does

    Looks for `.item()`, `float(tensor)`, `if tensor > 0:` and `.data_ptr()` in functions, and in the
    `forward` of models, that `torch.compile` gets in the same file.

    ## Why is this bad?

    The compiler does not know what a tensor holds. Where Python has to know, it ends the graph, waits for the
    device, and begins another one behind that: what stands on the two sides is no longer fused, and CUDA
    graphs are torn apart. A function that asks for `data_ptr()` is not compiled at all. With `fullgraph=True`
    the branch and the pointer raise `torch._dynamo.exc.Unsupported`.

    ## Example

    ```py
    import torch


    @torch.compile
    def clipped(x: torch.Tensor) -> torch.Tensor:
        if x.norm() > 1:
            x = x / x.norm()
        return x * 2
    ```

    ## Use instead

    ```py
    import torch


    @torch.compile
    def clipped(x: torch.Tensor) -> torch.Tensor:
        x = torch.where(x.norm() > 1, x / x.norm(), x)
        return x * 2
    ```

    ## Fix safety

    There is no fix: `torch.where`, `torch.cond` and arithmetic on tensors all keep the graph whole, and what
    fits depends on what is computed.

    ## Known limits

    A warning with `fullgraph=True`, which raises; else a hint, as a graph that breaks still runs. Functions
    that the compiled one calls are not looked at, nor tensors that are so by convention only, such as
    arguments of `forward`. Silent in files that mention `is_compiling` or `capture_scalar_outputs`.

    ## References

    - [torch.compile](https://docs.pytorch.org/docs/stable/generated/torch.compile.html)
    - [torch.where](https://docs.pytorch.org/docs/stable/generated/torch.where.html)
    """

    code = "TL621"
    name = "graph-break"
    family = Family.DEVICES
    severity = Severity.WARNING
    since = "0.1.0"
    card = "torch-compile"
    trigger = r"\bcompile\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        text = source.text
        if "torch.compile" not in text and "import compile" not in text and ".compile()" not in text:
            return False
        return "is_compiling" not in text and "capture_scalar_outputs" not in text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if not self.concerns(analysis.source):
            return
        told: set[ast.AST] = set()
        for compiled in _compiled(analysis):
            if not analysis.is_whole(compiled.function):
                continue
            for node in bindings.within(compiled.function):
                broken = _broken_by(analysis, node, compiled)
                if broken is not None and node not in told:
                    told.add(node)
                    yield self._report(analysis, compiled, *broken)

    def _report(self, analysis: Analysis, compiled: _Compiled, place: ast.expr, what: str) -> Finding:
        name = f"`{compiled.function.name}`, which is compiled {support.on_line(analysis, compiled.by)},"
        if compiled.is_full:
            does = "`fullgraph=True` raises"
        else:
            does = "it is not compiled at all" if "address" in what else "its graph breaks in two"
        text = clashes.short(support.written(analysis, place))
        message = f"`{text}` in {name} {what}: {does}"
        related = support.related(analysis, compiled.by, "compiled here")
        severity = Severity.WARNING if compiled.is_full else Severity.HINT
        return self.finding(message, analysis.source.span(place), related=related, severity=severity)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A function of the file that is compiled.

    Attributes:
        by: the decorator, or the call, that does.
        is_full: whether its graph may not break.
    """

    function: ast.FunctionDef
    by: ast.expr
    is_full: bool


def _compiled(analysis: Analysis) -> Iterator[_Compiled]:
    calls = [*analysis.called("torch.compile", "Module.compile")]
    by_node = {call.node: call for call in calls}
    for call in calls:
        given = call.receiver if call.name == "Module.compile" else call.value(0, "model")
        function = _run_by(given) if given is not None else None
        if function is not None and analysis.owns(function) and _is_on(call):
            yield _Compiled(function, call.node, call.literal(-1, "fullgraph") is True)
    for function_def in analysis.source.every(ast.FunctionDef):
        for decorator in function_def.decorator_list:
            made = by_node.get(decorator)  # type: ignore[call-overload]
            if made is not None and _is_on(made):
                yield _Compiled(function_def, decorator, made.literal(-1, "fullgraph") is True)
            elif getattr(analysis.value(decorator), "name", "") == "torch.compile":
                yield _Compiled(function_def, decorator, False)


def _is_on(call: Called) -> bool:
    """Whether nothing may switch the compiler off, nor the option that decides about breaks is unknown."""
    options_known = call.value(-1, "fullgraph") is None or call.literal(-1, "fullgraph") is not MISSING
    return call.is_complete and options_known and call.value(-1, "disable") is None


def _run_by(given: Value) -> ast.FunctionDef | None:
    """The function that is compiled: itself, or the `forward` of a module."""
    found: Value | None = given
    if isinstance(given, Instance) and isinstance(given.cls, LocalClass):
        found = lookup(given.cls, "forward")
    if isinstance(found, Function) and isinstance(found.node, ast.FunctionDef):
        return found.node
    return None


def _broken_by(analysis: Analysis, node: ast.AST, compiled: _Compiled) -> tuple[ast.expr, str] | None:
    """The expression in a node by which Python asks for what a tensor holds, and for what it asks."""
    match node:
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
            return (test, "asks Python what a tensor holds") if _is_of_tensor(analysis, test) else None
        case ast.Call():
            call = analysis.call_at(node)
            if call is None:
                return None
            if call.name == "Tensor.data_ptr" and support.is_surely_tensor(call.receiver):
                return node, "asks for the address of a tensor"
            if compiled.is_full:  # then a number becomes a symbol of the graph
                return None
            numbers = call.name in ("builtins.float", "builtins.int", "builtins.bool")
            held = call.receiver if call.name == "Tensor.item" else call.value(0, "x") if numbers else None
            return (node, "asks Python what a tensor holds") if support.is_surely_tensor(held) else None
        case _:
            return None


def _is_of_tensor(analysis: Analysis, test: ast.expr) -> bool:
    """Whether the truth of a test hangs on what a tensor holds."""
    match test:
        case ast.BoolOp(values=parts):
            return any(_is_of_tensor(analysis, part) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _is_of_tensor(analysis, inner)
        case ast.Compare(left=left, ops=ops, comparators=others):
            if any(isinstance(op, ast.Is | ast.IsNot | ast.In | ast.NotIn) for op in ops):
                return False
            return any(support.is_surely_tensor(analysis.value(part)) for part in (left, *others))
        case _:
            return support.is_surely_tensor(analysis.value(test))
