"""TL952: a path where a state is expected."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis, python_facts
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import options
from torchlore.analysis.values import Const, Value
from torchlore.rules import spellings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit


class LoadStateDictOfPath(Rule):
    """
    ## What it does

    Looks for calls of `load_state_dict` that are given a path.

    ## Why is this bad?

    `load_state_dict` takes the dictionary that is in the file, not the file: it raises `TypeError`.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 2)
    model.load_state_dict("weights.pt")
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 2)
    model.load_state_dict(torch.load("weights.pt", weights_only=True))
    ```

    ## Fix safety

    Safe: the call raised before. The file is loaded in a way that runs no code out of it.

    ## Known limits

    Silent where the argument may be something else than a string or a path.

    ## References

    - [torch.nn.Module](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.load_state_dict)
    - [torch.load](https://docs.pytorch.org/docs/stable/generated/torch.load.html)
    """

    code = "TL952"
    name = "load-state-dict-of-path"
    family = Family.API
    severity = Severity.ERROR
    since = "0.1.0"
    card = "save-and-load"
    trigger = r"\bload_state_dict\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_NAMES):
            value, argument = call.value(0, "state_dict"), call.argument(0, "state_dict")
            if value is None or argument is None:
                continue
            if not all(map(_is_path, options(value))) and not _is_text(argument):
                continue
            if support.expects_an_error(analysis, call.node):
                continue
            span = analysis.source.span(argument)
            given, called = support.written(analysis, argument), support.written(analysis, call.node.func)
            message = (
                f"`{called}` takes a dictionary of weights, but `{given}` is a path: it raises TypeError"
            )
            yield self.finding(message, span, fixes=_fixes(analysis, argument))


_NAMES = ("Module.load_state_dict", "Optimizer.load_state_dict")


def _fixes(analysis: Analysis, argument: ast.expr) -> tuple[Fix, ...]:
    found = spellings.spelled_anyhow(analysis, argument, "torch.load")
    if found is None:
        return ()
    name, imported = found
    span = analysis.source.span(argument)
    text = f"{name}({analysis.source.segment(span)}, weights_only=True)"
    return (Fix("Load the file", (*imported, Edit(span, text)), safe=True),)


def _is_text(node: ast.expr) -> bool:
    """Whether an expression is put together with `+` of what is surely text in part, and so is text."""
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _is_text(left) or _is_text(right)
        case _:
            return False


def _is_path(value: Value) -> bool:
    if isinstance(value, Const):
        return isinstance(value.value, str)
    return isinstance(value, Plain) and value.kind in ("str", python_facts.PATH)
