"""TL204: whether gradients are required is set where torch does not look."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Kind
from torchlore.analysis.members import is_open, kind_of, mro
from torchlore.analysis.queries import is_none, options
from torchlore.analysis.values import Instance, LocalClass, Params, Tensor, Value
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source, Span
from torchlore.text.nodes import nodes_in

_MISSPELLED = frozenset(
    {
        "require_grad",
        "require_grads",
        "required_grad",
        "requires_grads",
        "requires_grad_",
        "require_gradient",
        "requires_gradient",
        "requires_gradients",
    }
)
"""What `requires_grad` is mistaken for. Python lets any attribute be set on a tensor."""


class IneffectiveRequiresGrad(Rule):
    """
    ## What it does

    Looks for assignments that should switch gradients on or off and that torch does not see: to a misspelled
    attribute of a tensor (`parameter.require_grad = False`), and to `requires_grad` of a module, which has
    parameters that require gradients but no such attribute itself (`model.backbone.requires_grad = False`).

    ## Why is this bad?

    Python sets the attribute, and nothing ever reads it. The layers that should be frozen are trained, and no
    message says so.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    for parameter in model.parameters():
        parameter.require_grad = False
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    for parameter in model.parameters():
        parameter.requires_grad = False
    ```

    ## Fix safety

    Correcting the name is safe for parameters and other leaves: that is what the line says. Calling
    `requires_grad_` on a module instead is unsafe, as it reaches every parameter below it. So is correcting
    the name for a tensor that was computed, of which torch lets nobody switch gradients off.

    ## Known limits

    Silent about modules whose class has, or reads, an attribute `requires_grad` of its own, and about those
    whose class derives from code that cannot be seen.

    ## References

    - [torch.Tensor.requires_grad](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.requires_grad.html)
    - [torch.nn.Module.requires_grad_](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.requires_grad_)
    """

    code = "TL204"
    name = "ineffective-requires-grad"
    family = Family.AUTOGRAD
    severity = Severity.ERROR
    since = "0.1.0"
    card = "freeze-and-finetune"
    trigger = (
        r"\b(?:requires_grad|require_grad|require_grads|required_grad|requires_grads|requires_grad_"
        r"|require_gradient|requires_gradient|requires_gradients)\b"
    )
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        parameters = _looped_over(source)
        return any(
            target.attr in _MISSPELLED
            or not isinstance(target.value, ast.Name)
            or target.value.id not in parameters
            for _, target in _assigned(source)
        )

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for statement, target in _assigned(analysis.source):
            found = _owners(analysis, target)
            if not found or not analysis.is_whole(statement):
                continue
            if target.attr in _MISSPELLED and all(map(_is_tensor, found)):
                yield self._of_tensor(analysis, target, found)
            elif all(map(_is_plain_module, found)) and not _is_somebodys(analysis, target):
                yield self._of_module(analysis, statement, target)

    def _of_tensor(self, analysis: Analysis, target: ast.Attribute, found: list[Value]) -> Finding:
        name = support.written(analysis, target.value)
        message = (
            f"`{support.written(analysis, target)}` is nothing that torch reads: "
            f"whether `{name}` requires gradients stays as it was"
        )
        span = _attribute(analysis, target)
        is_safe = all(
            isinstance(option, Params) or (isinstance(option, Tensor) and option.leaf) for option in found
        )
        fix = Fix("Correct the name to `requires_grad`", (Edit(span, "requires_grad"),), is_safe)
        return self.finding(message, span, fixes=(fix,))

    def _of_module(self, analysis: Analysis, statement: ast.Assign, target: ast.Attribute) -> Finding:
        name = support.written(analysis, target.value)
        message = (
            f"`{support.written(analysis, target)}` is nothing that torch reads: `{name}` is a module, "
            "and whether its parameters require gradients stays as it was"
        )
        span, end = _attribute(analysis, target), analysis.source.span(statement).end
        equals = _EQUALS.match(analysis.source.text, span.end)
        fixes: tuple[Fix, ...] = ()
        if len(statement.targets) == 1 and equals is not None:
            edits = (Edit(Span(span.start, equals.end()), "requires_grad_("), Edit(Span(end, end), ")"))
            fixes = (Fix(f"Reach the parameters: `{name}.requires_grad_(…)`", edits, safe=False),)
        return self.finding(message, span, fixes=fixes)


_EQUALS = re.compile(r"[ \t]*=[ \t]*")


def _owners(analysis: Analysis, target: ast.Attribute) -> list[Value]:
    """What the attribute may be set on: as an item of a container (`model[0]`), the events tell."""
    value = analysis.value(target.value)
    if isinstance(target.value, ast.Subscript):
        events = (event for root in analysis.roots for event in root.of(Kind.RESET) if event.node is target)
        found = [event.key[0] for event in events if isinstance(event.key, tuple)]
        return [owner for owner in found if isinstance(owner, Value)]
    return [option for option in options(value) if not is_none(option)]


def _assigned(source: Source) -> Iterator[tuple[ast.Assign, ast.Attribute]]:
    """Assignments to what may be meant for `requires_grad`, or is it."""
    for statement in source.every(ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Attribute) and target.attr in _MEANT:
                yield statement, target


_MEANT = _MISSPELLED | {"requires_grad"}


def _looped_over(source: Source) -> set[str]:
    """The names of parameters in loops over them, of which `requires_grad` is an attribute."""
    found: set[str] = set()
    for loop in source.every(ast.For):
        calls = (node for node in nodes_in(loop.iter) if isinstance(node, ast.Attribute))
        if any(node.attr in ("parameters", "named_parameters") for node in calls):
            found.update(node.id for node in nodes_in(loop.target) if isinstance(node, ast.Name))
    return found


def _is_tensor(value: Value) -> bool:
    """Whether it is surely a tensor: a parameter, or what a function of torch gave."""
    return isinstance(value, Params) or (isinstance(value, Tensor) and value.certain)


def _is_plain_module(value: Value) -> bool:
    """Whether it is a module to which an attribute of this name means nothing."""
    if not isinstance(value, Instance) or kind_of(value) != "Module":
        return False
    if isinstance(value.cls, str):
        return True
    return not is_open(value.cls) and not any(map(_knows, mro(value.cls)))


def _knows(cls: LocalClass) -> bool:
    """Whether a class has, or reads, an attribute like it; or sees itself to what is set on its objects."""
    reads = (node for node in nodes_in(cls.node) if isinstance(node, ast.Attribute) and _is_load(node))
    names = {node.attr for node in reads}
    return not names.isdisjoint(_OWN) or not _OWN.isdisjoint(cls.attributes)


_OWN = _MEANT - {"requires_grad_"} | {"__setattr__", "__getattr__"}


def _is_load(node: ast.Attribute) -> bool:
    return isinstance(node.ctx, ast.Load)


def _is_somebodys(analysis: Analysis, target: ast.Attribute) -> bool:
    """Whether somebody reads it, or may: the file, or who knows the object whose own method sets it."""
    if analysis.source.parsed.blanked or analysis.rests_on_broken:
        return True
    outer = reversed(analysis.around(target) or ())
    function = next((n for n in outer if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)), None)
    first = [*function.args.posonlyargs, *function.args.args][:1] if function is not None else []
    if isinstance(target.value, ast.Name) and any(target.value.id == arg.arg for arg in first):
        return True
    reads = (owner for n, owner in analysis.run.owners.items() if n.attr == target.attr and _is_load(n))
    return any(isinstance(option, Instance) for owner in reads for option in options(owner))


def _attribute(analysis: Analysis, target: ast.Attribute) -> Span:
    """The name of the attribute alone."""
    end = analysis.source.span(target).end
    return Span(end - len(target.attr), end)
