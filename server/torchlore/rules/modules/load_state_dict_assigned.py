"""TL313: what `load_state_dict` returns is taken for the object that it loads into."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Span


class LoadStateDictAssigned(Rule):
    """
    ## What it does

    Looks for `model = model.load_state_dict(...)`, for objects that are made and loaded into in one
    expression, and for methods that are called on what `load_state_dict` returns.

    ## Why is this bad?

    `load_state_dict` works in place. A module's returns a report of missing and unexpected keys, an
    optimizer's, a scheduler's and a scaler's return nothing.
    The name then holds that report, or None: the next `model(x)` or `optimizer.step()` raises a TypeError or
    an AttributeError.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 2)
    model = model.load_state_dict(torch.load("model.pt"))
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 2)
    model.load_state_dict(torch.load("model.pt"))
    ```

    ## Fix safety

    Safe: the object that the name held is what was meant, and it was lost.

    ## Known limits

    A result that is kept under a name of its own (`report = model.load_state_dict(...)`) is meant, and not
    reported, unless the module is made in the same expression, so that nothing else holds it.

    ## References

    - [torch.nn.Module.load_state_dict](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.load_state_dict)
    - [torch.optim.Optimizer.load_state_dict](https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.load_state_dict.html)
    """

    code = "TL313"
    name = "load-state-dict-assigned"
    family = Family.MODULES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "save-and-load"
    trigger = r"\bload_state_dict\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_GIVES):
            statement = support.statement_of(analysis, call.node)
            func = call.node.func
            if not isinstance(func, ast.Attribute) or not isinstance(statement, ast.Assign | ast.AnnAssign):
                continue
            target = _only_target(statement)
            if target is None or statement.value is None or not analysis.is_whole(statement):
                continue
            given = _GIVES[call.name]
            if statement.value is call.node:
                yield from self._check_result(analysis, statement, target, func, given)
            elif _is_chained(statement.value, call.node):
                yield from self._check_chain(analysis, statement, target, call.node, given)

    def _check_result(
        self,
        analysis: Analysis,
        statement: ast.Assign | ast.AnnAssign,
        target: ast.expr,
        func: ast.Attribute,
        given: str,
    ) -> Iterator[Finding]:
        """`model = model.load_state_dict(...)`, `model = Net().load_state_dict(...)`."""
        name = support.written(analysis, target)
        if _same(target, func.value):
            message = f"`{name}` is replaced by {given}: `load_state_dict` loads in place"
            fixes = _without_assignment(analysis, statement, target)
        elif _makes(analysis, func.value):
            message = f"`{name}` holds {given}, not the object: `load_state_dict` loads in place"
            fixes = _in_two_lines(analysis, statement, target, func)
        else:
            return
        yield self.finding(message, analysis.source.span(target), fixes=fixes)

    def _check_chain(
        self,
        analysis: Analysis,
        statement: ast.Assign | ast.AnnAssign,
        target: ast.expr,
        call: ast.Call,
        given: str,
    ) -> Iterator[Finding]:
        """`model = model.load_state_dict(...).to(device)`."""
        outer = support.parent(analysis, call)
        if not isinstance(outer, ast.Attribute) or outer.attr in _OF_REPORTS:
            return
        message = f"`load_state_dict` loads in place and gives {given}, which has no `{outer.attr}`"
        end = analysis.source.span(outer).end
        yield self.finding(message, Span(end - len(outer.attr), end))


_GIVES = {
    "Module.load_state_dict": "a report of missing keys",
    "Loss.load_state_dict": "a report of missing keys",
    "Optimizer.load_state_dict": "None",
    "Scheduler.load_state_dict": "None",
    "GradScaler.load_state_dict": "None",
}
"""What each `load_state_dict` of torch gives."""

_OF_REPORTS = (
    "missing_keys",
    "unexpected_keys",
    "count",
    "index",
    "_asdict",
    "_fields",
    "_replace",
    "__class__",
)
"""What the named tuple that a module's gives has."""


def _only_target(statement: ast.Assign | ast.AnnAssign) -> ast.expr | None:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    is_one = len(targets) == 1 and isinstance(targets[0], ast.Name | ast.Attribute | ast.Subscript)
    return targets[0] if is_one else None


def _same(target: ast.expr, node: ast.expr) -> bool:
    return ast.dump(target).replace("Store()", "Load()") == ast.dump(node)


def _makes(analysis: Analysis, node: ast.expr) -> bool:
    """Whether an expression makes an object, which nothing else holds then."""
    made = analysis.run.values.get(node)
    return made is not None and getattr(made, "node", None) is node


def _is_chained(value: ast.expr, call: ast.Call) -> bool:
    """Whether `value` is `call` followed by methods and attributes."""
    while isinstance(value, ast.Attribute | ast.Call) and value is not call:
        value = value.value if isinstance(value, ast.Attribute) else value.func
    return value is call


def _without_assignment(
    analysis: Analysis, statement: ast.Assign | ast.AnnAssign, target: ast.expr
) -> tuple[Fix, ...]:
    assert statement.value is not None
    start, end = analysis.source.span(statement).start, analysis.source.span(statement.value).start
    name = support.written(analysis, target)
    if analysis.source.text[start:end].rstrip()[-1:] != "=":  # the call stands in parentheses
        return ()
    return (Fix(f"Load into `{name}` in place", (Edit(Span(start, end), ""),), safe=True),)


def _in_two_lines(
    analysis: Analysis, statement: ast.Assign | ast.AnnAssign, target: ast.expr, func: ast.Attribute
) -> tuple[Fix, ...]:
    source = analysis.source
    made = source.span(func.value).end
    name = support.written(analysis, target)
    if support.own_lines(analysis, statement) is None or source.text[made : made + 1] != ".":
        return ()
    indent = source.indent(statement.lineno - 1)
    edit = Edit(Span(made, made), f"{source.newline}{indent}{name}")
    return (Fix(f"Make `{name}` first, then load into it", (edit,), safe=True),)
