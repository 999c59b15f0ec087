"""TL607: a tensor grows by `torch.cat` in every iteration."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

from torchlore.analysis import Analysis
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source
from torchlore.text.nodes import nodes_in

_Loop = ast.For | ast.While
_SHORT = 4
"""A loop over so few literals may as well copy."""


class CatInLoop(Rule):
    """
    ## What it does

    Looks for a tensor that a loop grows: `out = torch.cat([out, part])`, where the loop does not look at it.

    ## Why is this bad?

    Each `cat` copies all that was collected so far into new memory: of n parts the first is copied n times.
    Time, and what autograd keeps for the backward pass, grow with the square of the number of iterations.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    outputs = torch.empty(0, 1)
    for batch in torch.randn(100, 8, 4):
        outputs = torch.cat([outputs, model(batch)])
    print(outputs.mean())
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    outputs = torch.empty(0, 1)
    outputs_parts = [outputs]
    for batch in torch.randn(100, 8, 4):
        outputs_parts.append(model(batch))
    outputs = torch.cat(outputs_parts)
    print(outputs.mean())
    ```

    ## Fix safety

    Not safe: the list holds the parts themselves. One that is a buffer, written to again in the next
    iteration, has to be cloned.

    ## Known limits

    Silent where the loop reads the tensor, as a model that generates a sequence does, in short loops, and
    about attributes.

    ## References

    - [torch.cat](https://docs.pytorch.org/docs/stable/generated/torch.cat.html)
    """

    code = "TL607"
    name = "cat-in-loop"
    family = Family.DEVICES
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "cat-stack-split"
    trigger = r"\b(?:cat|concat|concatenate)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return any(True for _ in _candidates(source))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        calls = {call.node for call in analysis.called("torch.cat", "torch.concat", "torch.concatenate")}
        for growth in _candidates(analysis.source):
            if growth.call not in calls or not analysis.is_whole(growth.statement):
                continue
            loop = _loop(analysis, growth)
            if loop is not None and not _is_short(loop) and not _is_read(loop, growth):
                yield self._report(analysis, growth, loop)

    def _report(self, analysis: Analysis, growth: _Growth, loop: _Loop) -> Finding:
        message = (
            f"`{growth.name}` is copied whole in every iteration of the loop on line {loop.lineno}: "
            "collect the parts in a list, and concatenate them once"
        )
        fix = _fix(analysis, growth, loop)
        fixes = () if fix is None else (fix,)
        return self.finding(message, analysis.source.span(growth.call), fixes=fixes)


class _Growth(NamedTuple):
    """`name = call`, where the call puts `part` behind `name`."""

    statement: ast.Assign
    name: str
    call: ast.Call
    part: ast.expr


def _candidates(source: Source) -> Iterator[_Growth]:
    for statement in source.every(ast.Assign):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(args=[parts, *_]) as call):
                match parts:
                    case (
                        ast.List(elts=[ast.Name(id=first), part]) | ast.Tuple(elts=[ast.Name(id=first), part])
                    ):
                        if first == name:
                            yield _Growth(statement, name, call, part)


def _loop(analysis: Analysis, growth: _Growth) -> _Loop | None:
    """The innermost loop around, in the same function."""
    for outer in reversed(analysis.around(growth.statement) or ()):
        if isinstance(outer, ast.For | ast.While):
            return outer
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return None
    return None


def _is_short(loop: _Loop) -> bool:
    match loop:
        case ast.For(iter=ast.List() | ast.Tuple()):
            return True
        case ast.For(iter=ast.Call(func=ast.Name(id="range"), args=[ast.Constant(value=int(count))])):
            return count <= _SHORT
        case _:
            return False


def _is_read(loop: _Loop, growth: _Growth) -> bool:
    """Whether the loop does anything else with the tensor than to begin it and to make it grow."""
    ours = {id(node) for node in nodes_in(growth.call.args[0])} | {id(growth.statement.targets[0])}
    first = {id(node) for test in _tests_for_none(loop, growth.name) for node in nodes_in(test)}
    for node in nodes_in(loop):
        if isinstance(node, ast.Global | ast.Nonlocal):
            return True
        if not isinstance(node, ast.Name) or node.id != growth.name or id(node) in ours | first:
            continue
        if isinstance(node.ctx, ast.Load) or not first:  # bound anew, it is not what the loop collects
            return True
    return any(isinstance(node, ast.Name) and node.id == growth.name for node in nodes_in(growth.part))


def _tests_for_none(loop: _Loop, name: str) -> list[ast.Compare]:
    """`name is None`: the first part is no part that grows."""
    return [
        node
        for node in nodes_in(loop)
        if isinstance(node, ast.Compare)
        and isinstance(node.left, ast.Name)
        and node.left.id == name
        and isinstance(node.comparators[0], ast.Constant)
        and node.comparators[0].value is None
    ]


def _fix(analysis: Analysis, growth: _Growth, loop: _Loop) -> Fix | None:
    """Collects the parts in a list, and what was there before."""
    source, parts = analysis.source, f"{growth.name}_parts"
    if _tests_for_none(loop, growth.name) or re.search(rf"\b{parts}\b", source.text):
        return None
    others = [*growth.call.args[1:], *(keyword.value for keyword in growth.call.keywords)]
    if not all(isinstance(other, ast.Constant | ast.UnaryOp) for other in others):
        return None
    before = support.insert_before(analysis, loop, f"{parts} = [{growth.name}]")
    first = growth.call.args[0]
    whole = source.segment(source.span(growth.call))
    at = source.span(first).start - source.span(growth.call).start
    end = source.span(first).end - source.span(growth.call).start
    joined = f"{growth.name} = {whole[:at]}{parts}{whole[end:]}"
    after = support.insert_after(analysis, loop, joined)
    has_comment = "#" in source.segment(source.span(growth.statement))
    if before is None or after is None or "\n" in joined or has_comment:
        return None
    part = source.segment(source.span(growth.part))
    inside = Edit(source.span(growth.statement), f"{parts}.append({part})")
    return Fix(f"Collect the parts in `{parts}`", (before, inside, after), safe=False)
