"""TL202: a model is evaluated with gradients on."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Call, Event, Kind, Loop, Path, Place, Root, happens, places
from torchlore.analysis.members import kind_of, mro
from torchlore.analysis.queries import came_from, holds, options, reachable
from torchlore.analysis.values import Container, Instance, LocalClass, OneOf, Tensor, Unknown, Value
from torchlore.rules import alternatives, indentation, spellings, support
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.text import Edit, Source, Span
from torchlore.text.nodes import nodes_in

_FunctionDef = ast.FunctionDef | ast.AsyncFunctionDef


class EvalWithoutNoGrad(Rule):
    """
    ## What it does

    Looks for loops that run a model in evaluation mode, never call `backward`, and leave gradients on.

    ## Why is this bad?

    `eval()` changes dropout and batch norm; it does not switch autograd off.
    Every forward pass still records a graph and keeps its activations, so that validation takes more memory
    and time than it needs, and a batch size that trains may not evaluate.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


    def evaluate(batches):
        model.eval()
        total = 0.0
        for x in batches:
            total += model(x).pow(2).mean().item()
        return total


    evaluate([torch.randn(8, 4) for _ in range(3)])
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


    @torch.no_grad()
    def evaluate(batches):
        model.eval()
        total = 0.0
        for x in batches:
            total += model(x).pow(2).mean().item()
        return total


    evaluate([torch.randn(8, 4) for _ in range(3)])
    ```

    ## Fix safety

    Safe, and the values stay the same: the rule speaks only where nothing that the loop computes is
    differentiated. Where outputs are handed to code that cannot be seen, the repair is offered, not applied
    on save.

    ## Known limits

    Silent in a function that nothing in the file calls (its caller may hold `no_grad`), where the mode of the
    model is not certain, where its parameters were frozen or code that cannot be seen got hold of it, and
    inside context managers or decorators that the analysis cannot see through. Where the loop is in another
    file, the file that hands over the model is told, at the call.

    ## References

    - [torch.no_grad](https://docs.pytorch.org/docs/stable/generated/torch.no_grad.html)
    - [torch.nn.Module.eval](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.eval)
    """

    code = "TL202"
    name = "eval-without-no-grad"
    family = Family.AUTOGRAD
    severity = Severity.WARNING
    since = "0.1.0"
    card = "no-grad-vs-inference-mode"
    trigger = r"\b(?:eval|train)\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return ".eval(" in source.text or ".train(" in source.text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        reported: set[Loop] = set()
        roots = [root for root in analysis.roots if root.of(Kind.EVAL)]
        training = _training(analysis) if roots else set()
        for root in roots:
            if not root.certain and not root.of(Kind.BACKWARD):
                continue
            for place in root.places_of(Kind.FORWARD):
                if place.in_forward or not place.loops:
                    continue
                loop = place.loops[-1]
                if loop.node in training or loop in reported or not _is_certain(analysis, root, place):
                    continue
                reported.add(loop)
                yield from self._report(analysis, root, place, training)

    def _report(
        self, analysis: Analysis, root: Root, place: Place, training: set[ast.AST]
    ) -> Iterator[Finding]:
        call, shown = place.event.node, support.shown(analysis, place)
        if not isinstance(call, ast.Call) or shown is None or not _concerns_this_file(analysis, place, shown):
            return
        message = f"{_subject(analysis, call, shown)} is in evaluation mode and nothing in "
        message += "this loop" if analysis.owns(place.loops[-1].node) else "the loop around it"
        message += " calls `backward`, but gradients are on: every call records a graph"
        modes = [e.node for e in root.of(Kind.EVAL) if holds(e.subject, place.event.subject)]
        related = tuple(
            Related(
                support.code_of_line(analysis, node),
                "evaluation mode begins here",
            )
            for node in modes[:1]
            if analysis.owns(node)
        )
        fixes = _fixes(analysis, root, place, training)
        span = analysis.source.span(shown)
        yield self.finding(message, span, fixes=fixes, related=related)


def _subject(analysis: Analysis, call: ast.Call, shown: ast.expr | ast.stmt) -> str:
    """The model as it is written where it is called; in another file, by way of what leads there."""
    name = f"`{support.written(analysis, call.func)}`"
    if analysis.owns(call):
        return name
    name = f"{name}, called {support.on_line(analysis, call)},"
    return f"`{support.written(analysis, shown.func)}`: {name}" if isinstance(shown, ast.Call) else name


def _concerns_this_file(analysis: Analysis, place: Place, shown: ast.AST) -> bool:
    """Whether the loop is in this file, or at least the model that a loop in another file is given."""
    model, loop = place.event.subject, place.loops[-1].node
    if analysis.owns(place.event.node) or analysis.owns(loop) or model is None:
        return model is not None
    made = model.node if isinstance(model, Instance) else None
    return support.brings_together(analysis, shown, model, made, loop)


def _training(analysis: Analysis) -> set[ast.AST]:
    """The loops and functions that compute gradients, in any of the ways in which they are run."""
    found: set[ast.AST] = set()
    for root in analysis.roots:
        for kind in (Kind.BACKWARD, Kind.DIFFERENTIATE, Kind.STEP):
            for place in root.places_of(kind):
                found |= {step.callee if isinstance(step, Call) else step.node for step in place.within}
    return found


def _is_certain(analysis: Analysis, root: Root, place: Place) -> bool:
    event, loop = place.event, place.loops[-1]
    if event.grad is not True or event.subject is None or not analysis.is_whole(loop.node):
        return False
    if any(isinstance(step, Call) and not analysis.is_whole(step.callee) for step in place.within):
        return False
    if not _trains(root, event.subject) or not _carries_graph(root, event):
        return False
    if happens(loop.body, Kind.BACKWARD, Kind.DIFFERENTIATE, Kind.HAVOC):
        return False
    if any(_freezes(analysis, e, event.subject) for kind in _FREEZING for e in root.of(kind)):
        return False
    if any(_differentiates(e, event.node) for kind in _DIFFERENTIATING for e in root.of(kind)):
        return False
    kinds = (Kind.TRAIN, Kind.EVAL, Kind.MODE, Kind.HAVOC, Kind.RESET, Kind.FORWARD)
    on_it = alternatives.acting_on(root, event.subject, kinds[:3])
    begin = "none" if alternatives.is_made(root, event.subject) else "unknown"
    modes = walk(root.path, begin, lambda e, mode: _mode_after(e, mode, event.subject, on_it), kinds)
    return modes.get(event, set()) - {"none"} == {"eval"}


def _trains(root: Root, model: Value) -> bool:
    """Whether `model` is known to have parameters that require gradients."""
    if isinstance(model, Instance):
        return kind_of(model) == "Module" and not model.frozen
    if not isinstance(model, Unknown):
        return False
    trained = (support.owners(o) for o in support.optimizers_stepped(root))
    return any(model in owners for owners in trained if owners is not None)


def _carries_graph(root: Root, event: Event) -> bool:
    """Whether what came out has a graph: that is known, or it is how the model is trained."""
    if isinstance(event.subject, Unknown):
        return True  # a model of another file that an optimizer of this one trains
    outputs = list(_outputs(event.value))
    if any(isinstance(output, Tensor) and output.attached for output in outputs):
        return True
    is_open = any(not isinstance(output, Tensor) or output.attached is None for output in outputs)
    return is_open and _is_trained(root, event.subject)


def _is_trained(root: Root, model: Value | None) -> bool:
    """Whether `backward` goes through a model, and none of its code leaves graphs behind."""
    calls = {e.node for e in root.of(Kind.FORWARD) if e.subject is model and e.grad is True}
    through = [e for e in root.of(Kind.BACKWARD) if any(came_from(e.value, call) for call in calls)]
    if not through or model is None:
        return False
    classes = {part.cls for part in reachable(model, depth=8) if isinstance(part, Instance)}
    own = [cls for local in classes if isinstance(local, LocalClass) for cls in mro(local)]
    nodes = (node for cls in own for node in nodes_in(cls.node))
    names = (getattr(node, "attr", getattr(node, "id", "")) for node in nodes)
    return _LEAVE_GRAPHS.isdisjoint(names)


_LEAVE_GRAPHS = frozenset(
    {"data", "detach", "detach_", "inference_mode", "item", "no_grad", "numpy", "set_grad_enabled"}
)


def _outputs(value: Value | None) -> Iterator[Value]:
    """What came out of a module; the items of a tuple, where what becomes of each can be followed."""
    for option in options(value) if value is not None else ():
        if not isinstance(option, Container):
            yield option
        elif option.kind == "tuple" and not any(map(_is_opaque, option.items or ())):
            yield from option.items or ()


def _is_opaque(item: Value) -> bool:
    return isinstance(item, Container | Instance | OneOf)


_FREEZING = (Kind.ESCAPE, Kind.FREEZE)


def _freezes(analysis: Analysis, event: Event, model: Value) -> bool:
    """Whether parameters of the model stop to require gradients, or code that we cannot see has the model."""
    if event.kind is Kind.ESCAPE:
        return holds(event.value, model) and not _is_method_of(analysis, event.node, model)
    return event.subject is None or holds(event.subject, model) or holds(model, event.subject)


def _hands_out(analysis: Analysis, event: Event, forward: ast.AST) -> bool:
    """Whether code that we cannot see is given what came out of `forward`."""
    if event.value is None:
        return False
    return came_from(event.value, forward) and not _is_method_of(analysis, event.node, event.value)


def _is_method_of(analysis: Analysis, node: ast.AST, value: Value) -> bool:
    """Whether something of a class that we cannot see is only asked: `model.state_dict()`, `out.view(-1)`."""
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and analysis.run.values.get(called.value) is value


_DIFFERENTIATING = (Kind.BACKWARD, Kind.DIFFERENTIATE, Kind.RETURN, Kind.ESCAPE)


def _differentiates(event: Event, forward: ast.AST) -> bool:
    """Whether what came out of `forward` is differentiated, or handed to a caller who may do so."""
    if event.kind is Kind.ESCAPE and not isinstance(event.node, ast.Yield | ast.YieldFrom):
        return False
    return came_from(event.value, forward)


def _mode_after(event: Event, mode: str, model: Value | None, on_it: frozenset[Event]) -> str:
    """The mode of `model`: "none" before it is made, where it cannot run."""
    if mode == "none" or event.kind is Kind.RESET:
        return "unknown" if event.key is model else mode
    if event.kind in _MODES and (holds(event.subject, model) or event in on_it):
        return _MODES[event.kind]
    if event.kind is Kind.HAVOC:
        return "unknown"
    return mode


_MODES = {Kind.TRAIN: "train", Kind.EVAL: "eval", Kind.MODE: "unknown"}


def _fixes(analysis: Analysis, root: Root, place: Place, training: set[ast.AST]) -> tuple[Fix, ...]:
    """Decorates the function if it only evaluates; else wraps the loop."""
    safe = not any(_hands_out(analysis, e, place.event.node) for e in root.of(Kind.ESCAPE))
    call = next((s for s in reversed(place.within) if isinstance(s, Call) and s.forward is None), None)
    function = call.callee if call is not None and place.loops[-1] in _loops_below(call.body) else None
    if isinstance(function, ast.FunctionDef) and function not in training and analysis.owns(function):
        lines = analysis.source.lines
        first = function.lineno - 1
        start = lines.start(first)
        no_grad = spellings.spelled(analysis, function, "torch.no_grad")
        text = f"{analysis.source.indent(first)}@{no_grad}(){analysis.source.newline}"
        title = f"Evaluate without gradients: decorate `{function.name}` with `@{no_grad}()`"
        return (Fix(title, (Edit(Span(start, start), text),), safe),) if no_grad is not None else ()
    loop = place.loops[-1].node
    no_grad = spellings.spelled(analysis, loop, "torch.no_grad")
    if no_grad is None or not isinstance(loop, _Loop) or not analysis.owns(loop):
        return ()
    edits = indentation.under_header(analysis, [loop], f"with {no_grad}():")
    return (Fix(f"Run this loop in `with {no_grad}()`", tuple(edits), safe),) if edits else ()


_Loop = ast.For | ast.AsyncFor | ast.While


def _loops_below(path: Path) -> set[Loop]:
    return {loop for place in places(path) for loop in place.loops}
