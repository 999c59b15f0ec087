"""TL206: `torch.tensor` is made of tensors, whose graph it leaves behind."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.events import Event, Kind
from torchlore.analysis.methods import is_forward
from torchlore.analysis.queries import came_from
from torchlore.analysis.values import Const, Container, Tensor, Value
from torchlore.rules import spellings, support
from torchlore.rules.autograd._names import KEEP_TENSORS, MAKERS
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source


class TensorFromTensors(Rule):
    """
    ## What it does

    Looks for `torch.tensor(...)`, `torch.as_tensor([...])`, `torch.FloatTensor([...])` of tensors that carry
    a graph, where `backward` or the output of a module rests on the result.

    ## Why is this bad?

    These functions copy numbers. What they give has no history: gradients never reach what the tensors were
    computed from. Where the result is all that the loss is made of, `backward` raises RuntimeError; with
    `requires_grad=True` not even that, and nothing is trained. Otherwise a part of the model silently stays
    as it is.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    first = model(torch.randn(8, 4)).pow(2).mean()
    second = model(torch.randn(8, 4)).abs().mean()
    loss = torch.tensor([first, second]).sum()
    loss.backward()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    first = model(torch.randn(8, 4)).pow(2).mean()
    second = model(torch.randn(8, 4)).abs().mean()
    loss = torch.stack([first, second]).sum()
    loss.backward()
    ```

    ## Fix safety

    `torch.stack` is unsafe: it keeps the graph, but also a dimension of size one that `torch.tensor` drops.
    Of one tensor that is only copied, with no gradient in question, an *information* says that torch warns of
    it; `.detach().clone()` does the same and is safe.

    ## Known limits

    Silent where the numbers of tensors with a graph are only looked at, logged or averaged, and where the
    loss has a graph of its own beside them: they may be meant as constants.

    ## References

    - [torch.tensor](https://docs.pytorch.org/docs/stable/generated/torch.tensor.html)
    - [torch.stack](https://docs.pytorch.org/docs/stable/generated/torch.stack.html)
    """

    code = "TL206"
    name = "tensor-from-tensors"
    family = Family.AUTOGRAD
    severity = Severity.ERROR
    since = "0.1.0"
    card = "detach-clone-item"
    trigger = r"\b(?:tensor|as_tensor|Tensor|FloatTensor)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return _MADE.search(source.text) is not None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*MAKERS):
            given = call.value(0, "data")
            if given is None or not analysis.is_whole(call.node):
                continue
            if call.name not in KEEP_TENSORS and isinstance(given, Tensor):
                yield from self._of_one(analysis, call, given)
            elif isinstance(given, Container):
                yield from self._of_several(analysis, call, given)

    def _of_one(self, analysis: Analysis, call: Called, given: Tensor) -> Iterator[Finding]:
        span, argument = analysis.source.span(call.node), call.argument(0, "data")
        if not given.certain or argument is None:
            return
        harm, severity = _harm(analysis, call, given)
        name = support.written(analysis, argument)
        if harm:
            made = _maker(analysis, call)
            message = f"`{made}` copies the numbers of `{name}` and leaves its graph behind: {harm}"
            fixes = _copied(
                analysis, call, argument, "clone()", f"Keep the graph: `{name}.clone()`", safe=False
            )
            yield self.finding(message, span, fixes=fixes, severity=severity)
        elif call.name == "torch.tensor" and given.made_by:  # else an annotation may say so
            message = (
                f"`{name}` is a tensor already: torch warns of a copy that is made of it by `torch.tensor`"
            )
            title = f"Copy it without its graph: `{name}.detach().clone()`"
            fixes = _copied(analysis, call, argument, "detach().clone()", title, safe=True)
            yield self.finding(message, span, fixes=fixes, severity=Severity.INFORMATION)

    def _of_several(self, analysis: Analysis, call: Called, given: Container) -> Iterator[Finding]:
        harm, severity = _harm(analysis, call, given)
        if harm:
            made = _maker(analysis, call)
            message = f"`{made}` copies the numbers of tensors and leaves their graph behind: {harm}"
            fixes = _stacked(analysis, call)
            yield self.finding(message, analysis.source.span(call.node), fixes=fixes, severity=severity)


_MADE = re.compile(r"ensor\(\s*[\[(]*\s*-?[A-Za-z_*]")
"""Such a call of something that has a name: of numbers and strings there is nothing to say."""


def _harm(analysis: Analysis, call: Called, given: Value) -> tuple[str, Severity | None]:
    """What comes of it, and how bad that is; empty where nothing is known to come of it."""
    tensors = list(_tensors_in(given))
    if not any(tensor.certain and tensor.attached is not False for tensor in tensors):
        return "", None
    is_leaf = call.value(-1, "requires_grad") is not None
    backwards = (e for root in analysis.roots for e in root.of(Kind.BACKWARD))
    found = next((e for e in backwards if _stops_at(e, call, is_leaf)), None)
    if found is not None:
        return f"`backward` {support.on_line(analysis, found.node)} never gets there", Severity.ERROR
    outputs = (e for root in analysis.roots for e in root.of(Kind.RETURN) if _leaves_forward(analysis, e))
    have_graphs = any(tensor.certain and tensor.attached for tensor in tensors)
    if have_graphs and not is_leaf and any(_is_made_of(e.value, call) for e in outputs):
        return "what `forward` returns does not train what they come from", Severity.WARNING
    return "", None


def _tensors_in(given: Value, depth: int = 3) -> Iterator[Tensor]:
    """The tensors in a list, and in lists in it; itself, if it is one."""
    if isinstance(given, Tensor):
        yield given
    elif isinstance(given, Container) and given.kind in ("list", "tuple") and depth:
        for part in given.items or [given.element]:
            yield from _tensors_in(part, depth - 1)


def _stops_at(event: Event, call: Called, is_leaf: bool) -> bool:
    """Whether all that is differentiated comes out of the call, without a graph of its own."""
    if not _is_made_of(event.value, call) or not isinstance(event.value, Tensor):
        return False
    if is_leaf:  # of a leaf that something is computed from, somebody may want the gradient
        return event.value.leaf and event.value.made_by == call.name
    return event.value.attached is False


def _is_made_of(value: Value | None, call: Called) -> bool:
    return isinstance(value, Tensor) and came_from(value, call.node)


def _leaves_forward(analysis: Analysis, event: Event) -> bool:
    """Whether it is the one result of a module's `forward`."""
    function = analysis.run.functions.get(event.node)
    return function is not None and is_forward(function)


def _maker(analysis: Analysis, call: Called) -> str:
    return support.written(analysis, call.node.func)


def _copied(
    analysis: Analysis, call: Called, argument: ast.expr, methods: str, title: str, *, safe: bool
) -> tuple[Fix, ...]:
    """`argument.methods` in place of the call; nothing where that has other arguments than are understood."""
    keywords = {keyword.arg: keyword.value for keyword in call.node.keywords}
    requires = keywords.pop("requires_grad", None)
    flag = analysis.value(requires) if requires is not None else Const(False)
    if keywords or len(call.node.args) != 1 or not isinstance(flag, Const):
        return ()
    if flag.value and safe:
        methods += ".requires_grad_()"
    text = f"{support.bracketed(analysis, argument)}.{methods}"
    return (Fix(title, (Edit(analysis.source.span(call.node), text),), safe),)


def _stacked(analysis: Analysis, call: Called) -> tuple[Fix, ...]:
    """`torch.stack` in place of the call and, where lists stand in the list, of these too."""
    stack = spellings.spelled(analysis, call.node.func, "torch.stack")
    argument = call.argument(0, "data")
    if stack is None or argument is None or len(call.node.args) != 1 or call.node.keywords:
        return ()
    inner = _lists_in(analysis, argument)
    if inner is None:
        return ()
    edits = [Edit(analysis.source.span(call.node.func), stack)]
    for part in inner:
        edits += support.wrapped(analysis, part, f"{stack}(")
    return (Fix(f"Keep the graph: `{stack}`", tuple(edits), safe=False),)


def _lists_in(analysis: Analysis, argument: ast.expr) -> list[ast.expr] | None:
    """The lists that stand in a list of lists of tensors; None where something else is in it."""
    if not isinstance(argument, ast.List | ast.Tuple):
        value = analysis.value(argument)
        is_list = isinstance(argument, ast.ListComp) or (isinstance(value, Container) and _is_flat(value))
        return [] if is_list else None
    found: list[ast.expr] = []
    for part in argument.elts:
        if isinstance(part, ast.List | ast.Tuple):
            inside = _lists_in(analysis, part)
            if inside is None:
                return None
            found += [part, *inside]
        elif isinstance(part, ast.Constant | ast.Starred):
            return None
    is_mixed = bool(found) and any(not isinstance(part, ast.List | ast.Tuple) for part in argument.elts)
    return None if is_mixed else found


def _is_flat(value: Container) -> bool:
    return all(isinstance(part, Tensor) for part in value.items or [value.element])
