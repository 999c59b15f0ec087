"""TL213: gradients are switched off and not on again before they are needed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from torchlore.analysis import Analysis, torch_facts
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Event, Kind
from torchlore.analysis.queries import tokens_of
from torchlore.analysis.values import Instance, Tensor
from torchlore.rules import indentation, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source
from torchlore.text.nodes import nodes_in


class GradLeftDisabled(Rule):
    """
    ## What it does

    Looks for `torch.set_grad_enabled(False)` as a statement of its own after which `backward` is called on
    what was computed, by a model or else, with gradients still off: most often in the next epoch.

    ## Why is this bad?

    As a statement the call holds for the whole thread, until another one undoes it. A validation that leaves
    gradients off takes the graph from all training that follows: `backward` raises RuntimeError.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


    def validate():
        torch.set_grad_enabled(False)
        print(model(torch.randn(8, 4)).mean())


    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).pow(2).mean().backward()
        optimizer.step()
        validate()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)


    def validate():
        with torch.set_grad_enabled(False):
            print(model(torch.randn(8, 4)).mean())


    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).pow(2).mean().backward()
        optimizer.step()
        validate()
    ```

    ## Fix safety

    Unsafe: the rest of the block goes under `with`, so that what comes after it has gradients again.

    ## Known limits

    Silent in files that use `torch.enable_grad`, or `set_grad_enabled` in a `with` statement or with what is
    not a literal, and where code that cannot be seen may switch gradients on again.

    ## References

    - [torch.set_grad_enabled](https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad_mode.set_grad_enabled.html)
    """

    code = "TL213"
    name = "grad-left-disabled"
    family = Family.AUTOGRAD
    severity = Severity.ERROR
    since = "0.1.0"
    card = "no-grad-vs-inference-mode"
    trigger = r"\bset_grad_enabled\b"

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return "set_grad_enabled(False)" in source.text and "enable_grad" not in source.text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        alone = {statement.value: statement for statement in analysis.source.every(ast.Expr)}
        calls = list(analysis.called("torch.set_grad_enabled"))
        modes = [call.literal(0, "mode") for call in calls]
        if not all(call.node in alone for call in calls) or not all(isinstance(m, bool) for m in modes):
            return
        if analysis.source.parsed.blanked or analysis.rests_on_broken:
            return
        for call, mode in zip(calls, modes, strict=True):
            backward = _blind_backward(analysis, call.node) if mode is False else None
            if backward is not None:
                yield self._report(analysis, alone[call.node], backward)

    def _report(self, analysis: Analysis, statement: ast.Expr, backward: ast.AST) -> Finding:
        message = (
            f"`{support.written(analysis, statement.value)}` is not undone: when `backward` "
            f"{support.on_line(analysis, backward)} comes, gradients have been off"
        )
        related = support.related(analysis, backward, "there is no graph here")  # type: ignore[arg-type]
        fixes = tuple(_fixes(analysis, statement, backward))
        return self.finding(message, analysis.source.span(statement.value), fixes=fixes, related=related)


class _State(NamedTuple):
    """Where gradients are off by one call: the models that have run since, by the calls that ran them."""

    is_off: bool = False
    blind: frozenset[ast.AST] = frozenset()


def _blind_backward(analysis: Analysis, call: ast.AST) -> ast.AST | None:
    """A `backward` of what a model gave while gradients were off by `call`."""

    def move(event: Event, state: _State) -> _State:
        if event.kind is Kind.FORWARD:
            blind = state.blind | {event.node} if state.is_off else state.blind - {event.node}
            return _State(state.is_off, blind)
        if event.kind is Kind.HAVOC or (isinstance(event.key, Instance) and event.key.cls in _SWITCHES):
            return _State(event.node is call, state.blind)
        return state

    for root in analysis.roots:
        if not any(event.node is call for event in root.of(Kind.RESET)) or not root.of(Kind.BACKWARD):
            continue
        states = walk(root.path, _State(), move, _KINDS)
        for event in root.of(Kind.BACKWARD):
            if any(_is_blind(event, state) for state in states.get(event, ())):
                return event.node
    return None


_KINDS = (Kind.RESET, Kind.FORWARD, Kind.BACKWARD, Kind.HAVOC)
_SWITCHES = torch_facts.SET_GRAD | torch_facts.ENABLE_GRAD


def _is_blind(event: Event, state: _State) -> bool:
    if event.value is None or not state.is_off:
        return False
    if not state.blind.isdisjoint(tokens_of(event.value)):
        return True
    has_none = isinstance(event.value, Tensor) and event.value.attached is False
    return has_none and (bool(state.blind) or event.grad is False)


def _fixes(analysis: Analysis, statement: ast.Expr, backward: ast.AST) -> Iterator[Fix]:
    rest = indentation.following(analysis, statement)
    definitions = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    if not rest or any(isinstance(s, definitions) or backward in set(nodes_in(s)) for s in rest):
        return
    edits = indentation.entered(analysis, statement, rest)
    if edits is not None:
        yield Fix("Switch gradients off for what follows only, by `with`", edits, safe=False)
