"""TL203: a context manager is made and thrown away: what it should switch stays as it was."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.events import Kind
from torchlore.analysis.values import Ref
from torchlore.rules import indentation, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source, Span
from torchlore.text.nodes import nodes_in

_NO_GRAD = frozenset({"torch.no_grad", "torch.inference_mode"})
_AUTOCAST = frozenset(
    {"torch.autocast", "torch.amp.autocast", "torch.cuda.amp.autocast", "torch.cpu.amp.autocast"}
)
_CONTEXTS = {
    **dict.fromkeys(_NO_GRAD, "what follows is still recorded for `backward`"),
    **dict.fromkeys(_AUTOCAST, "what follows runs without autocast"),
    "torch.enable_grad": "gradients stay as they were",
    "torch.autograd.detect_anomaly": "anomaly detection stays off",
    "torch.autograd.graph.save_on_cpu": "tensors are saved where they are",
    "torch.autograd.graph.saved_tensors_hooks": "its hooks are never called",
    "torch.random.fork_rng": "the random state is not restored",
    "torch.cuda.device": "the device stays the same",
    "torch.cuda.stream": "the stream stays the same",
    "torch.profiler.profile": "nothing is recorded",
    "torch.profiler.record_function": "nothing is recorded",
    "Module.no_sync": "gradients are still synchronised",
}
"""What comes of each context manager of torch that does something only when it is entered."""


class ContextNotEntered(Rule):
    """
    ## What it does

    Looks for statements that make a context manager, such as `torch.no_grad()`, `torch.inference_mode()` or
    `torch.autocast(...)`, and do nothing with it; and for `with torch.no_grad:`, which makes none.

    ## Why is this bad?

    Such an object takes effect when a `with` statement enters it, or when it decorates a function. The call
    alone makes an object that is thrown away at once: the graph is still recorded, the precision is the same,
    and nothing says so. What is not called cannot be entered: `with torch.no_grad:` raises a TypeError.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    torch.no_grad()
    prediction = model(torch.randn(8, 4))
    print(prediction)
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    with torch.no_grad():
        prediction = model(torch.randn(8, 4))
        print(prediction)
    ```

    ## Fix safety

    Unsafe: what the line meant to switch is switched from then on. The rest of the block goes under `with`;
    where that calls `backward`, which needs the graph, only the removal of the line is offered.

    ## Known limits

    `torch.set_grad_enabled(...)` takes effect when it is called: it may stand alone. Silent in a `try`
    and where the call is all that stands under a `with`: it may be tried whether the call raises.

    ## References

    - [torch.no_grad](https://docs.pytorch.org/docs/stable/generated/torch.no_grad.html)
    - [Locally disabling gradient computation](https://docs.pytorch.org/docs/stable/torch.html#locally-disabling-gradient-computation)
    """

    code = "TL203"
    name = "context-not-entered"
    family = Family.AUTOGRAD
    severity = Severity.ERROR
    since = "0.1.0"
    card = "no-grad-vs-inference-mode"
    trigger = (
        r"\b(?:no_grad|inference_mode|enable_grad|autocast|detect_anomaly|save_on_cpu|saved_tensors_hooks"
        r"|fork_rng|device|stream|profile|record_function|no_sync)\b"
    )
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        if any(_last_name(statement.value) in _LAST_NAMES for statement in source.every(ast.Expr)):
            return True
        return any(_entered_uncalled(source))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for node in _entered_uncalled(analysis.source):
            value = analysis.run.values.get(node)
            if isinstance(value, Ref) and value.name in _CONTEXTS and _is_sure(analysis, node):
                yield self._report_uncalled(analysis, node, value.name)
        alone = {statement.value: statement for statement in analysis.source.every(ast.Expr)}
        for call in analysis.called(*_CONTEXTS):
            statement = alone.get(call.node)
            if statement is None or not analysis.is_whole(statement) or _is_tried(analysis, statement):
                continue
            message = f"`{_shown(analysis, call.node)}` does nothing until `with` enters it: "
            message += _CONTEXTS[call.name]
            fixes = _fixes(analysis, call, statement)
            yield self.finding(message, analysis.source.span(call.node), fixes=fixes)

    def _report_uncalled(self, analysis: Analysis, node: ast.expr, name: str) -> Finding:
        span = analysis.source.span(node)
        written = support.written(analysis, node)
        message = f"`{written}` is not called: `with` raises a TypeError"
        edit = Edit(Span(span.end, span.end), "()")
        fixes = (Fix(f"Call `{written}()`", (edit,), safe=True),) if name in _CALLED_WITH_NOTHING else ()
        return self.finding(message, span, fixes=fixes)


_CALLED_WITH_NOTHING = _NO_GRAD | {
    "torch.enable_grad",
    "torch.autograd.detect_anomaly",
    "torch.autograd.graph.save_on_cpu",
    "torch.random.fork_rng",
    "torch.profiler.profile",
}


def _entered_uncalled(source: Source) -> Iterator[ast.expr]:
    """What `with` enters that is named like a context manager of torch, and is no call."""
    for statement in source.every(ast.With):
        for item in statement.items:
            match item.context_expr:
                case ast.Name(id=name) | ast.Attribute(attr=name) if name in _LAST_NAMES:
                    yield item.context_expr


def _is_sure(analysis: Analysis, node: ast.expr) -> bool:
    """Whether it is not tried whether that raises."""
    outer = analysis.around(node) or ()
    statement = next((each for each in reversed(outer) if isinstance(each, ast.With)), None)
    return statement is not None and analysis.is_whole(statement) and not _is_tried(analysis, statement)


def _last_name(node: ast.expr) -> str | None:
    """The last part of the name of what a call calls."""
    if not isinstance(node, ast.Call):
        return None
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


_LAST_NAMES = frozenset(name.rpartition(".")[2] for name in _CONTEXTS)
"""Of the callables in `_CONTEXTS`."""


def _is_tried(analysis: Analysis, statement: ast.stmt) -> bool:
    """Whether the call may be there for what it raises: `try`, or alone under `pytest.raises(…)`."""
    outer = support.parent(analysis, statement)
    if isinstance(outer, ast.Try):
        return statement in outer.body
    return isinstance(outer, ast.With | ast.AsyncWith) and len(outer.body) == 1


def _fixes(analysis: Analysis, call: Called, statement: ast.stmt) -> tuple[Fix, ...]:
    rest = _rest(analysis, call, statement)
    wrapped = _wrapped(analysis, call.node, statement, rest) if rest else None
    others = [*_chosen(analysis, call)]
    if wrapped is not None:
        return (wrapped, *others)
    lines = support.own_lines(analysis, statement)
    is_last = len(support.block_of(analysis, statement) or analysis.source.tree.body) == 1
    if lines is not None and not is_last:
        others.append(Fix("Remove the line that does nothing", (Edit(lines, ""),), safe=False))
    return tuple(others)


def _chosen(analysis: Analysis, call: Called) -> Iterator[Fix]:
    """`torch.cuda.device(1)` is mistaken for the function that chooses the device for good."""
    if call.name == "torch.cuda.device" and isinstance(call.node.func, ast.Attribute):
        end = analysis.source.span(call.node.func).end
        edit = Edit(Span(end - len("device"), end), "set_device")
        yield Fix("Choose the device from here on: `set_device`", (edit,), safe=False)


def _rest(analysis: Analysis, call: Called, statement: ast.stmt) -> list[ast.stmt]:
    """What the context was made for: the statements behind it, if `backward` can do with that."""
    rest = indentation.following(analysis, statement)
    if any(isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for s in rest):
        return []
    first = next((i for i, s in enumerate(rest) if _computes_gradients(analysis, s)), None)
    if call.name in _AUTOCAST:  # `backward` has no place in it
        return rest[:first]
    return [] if first is not None and call.name in _NO_GRAD else rest


def _computes_gradients(analysis: Analysis, statement: ast.stmt) -> bool:
    """Whether a statement calls `backward`, itself or by way of a function; or waits for others (`yield`)."""
    own = set(nodes_in(statement))
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in own):
        return True
    kinds = (Kind.BACKWARD, Kind.DIFFERENTIATE)
    found = (place for root in analysis.roots for kind in kinds for place in root.places_of(kind))
    return any(place.event.node in own or any(s.node in own for s in place.within) for place in found)


def _wrapped(analysis: Analysis, call: ast.Call, statement: ast.stmt, rest: list[ast.stmt]) -> Fix | None:
    edits = indentation.entered(analysis, statement, rest)
    title = f"Run what follows in `with {_shown(analysis, call)}`"
    return Fix(title, edits, safe=False) if edits is not None else None


def _shown(analysis: Analysis, call: ast.Call) -> str:
    """The call without its arguments, which may be long."""
    return f"{support.written(analysis, call.func)}({'…' if call.args or call.keywords else ''})"
