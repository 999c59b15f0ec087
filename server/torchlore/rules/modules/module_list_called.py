"""TL310: a container of modules is called, which has no `forward`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.members import attributes
from torchlore.analysis.queries import options
from torchlore.analysis.values import Instance
from torchlore.rules import spellings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import is_conditional, stands_whole
from torchlore.text import Edit, Span
from torchlore.text.nodes import nodes_in


class ModuleListCalled(Rule):
    """
    ## What it does

    Looks for calls of an `nn.ModuleList`, `nn.ModuleDict`, `nn.ParameterList` or `nn.ParameterDict`.

    ## Why is this bad?

    These hold modules or parameters, in no particular way of running them: they have no `forward`, and the
    call raises `NotImplementedError` (of parameters a `RuntimeError`). `nn.Sequential` is the one that runs
    its layers in turn.

    ## Example

    ```py
    import torch.nn as nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(4, 4), nn.ReLU()])

        def forward(self, x):
            return self.layers(x)
    ```

    ## Use instead

    ```py
    import torch.nn as nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(*[nn.Linear(4, 4), nn.ReLU()])

        def forward(self, x):
            return self.layers(x)
    ```

    ## Fix safety

    Not safe: the layers may have been meant to run in another way. The names in the `state_dict` stay.

    ## Known limits

    Classes that derive from a container are not reported: they may have a `forward`. Silent where the call
    hangs on a condition and the container is also used as a list: something else may have been put in its
    place.

    ## References

    - [torch.nn.ModuleList](https://docs.pytorch.org/docs/stable/generated/torch.nn.ModuleList.html)
    - [torch.nn.Sequential](https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html)
    """

    code = "TL310"
    name = "module-list-called"
    family = Family.MODULES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "module-containers"
    trigger = r"\b(?:ModuleList|ModuleDict|ParameterList|ParameterDict)\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_CONTAINERS):
            containers = options(call.receiver) if call.receiver is not None else ()
            if any("forward" in dict(attributes(c)) for c in containers if isinstance(c, Instance)):
                continue
            if is_conditional(analysis, call.node) and _is_list_too(analysis, call):
                continue  # where a flag says so, something else may have taken its place
            if not stands_whole(
                analysis, call.node, *(c.node for c in containers if isinstance(c, Instance))
            ):
                continue
            name = support.written(analysis, call.node.func)
            cls = call.name.removeprefix("torch.").removesuffix("()")
            message = f"`{name}` is an `{cls}`, which has no `forward`: calling it raises"
            yield self.finding(message, analysis.source.span(call.node.func), fixes=_fixes(analysis, call))


_CONTAINERS = tuple(
    f"torch.nn.{name}()" for name in ("ModuleList", "ModuleDict", "ParameterList", "ParameterDict")
)


def _is_list_too(analysis: Analysis, call: Called) -> bool:
    """Whether something is done with the container, as it is called there, that only a list can do."""
    name = ast.dump(call.node.func)
    for node in nodes_in(analysis.source.tree):
        match node:
            case ast.For(iter=held) | ast.comprehension(iter=held) | ast.Subscript(value=held):
                looked_at = [held]
            case ast.Attribute(value=held, attr=attr) if attr in _OF_LISTS:
                looked_at = [held]
            case ast.Call(func=ast.Name(), args=args):
                looked_at = args
            case _:
                continue
        if any(ast.dump(held) == name for held in looked_at if isinstance(held, ast.Name | ast.Attribute)):
            return True
    return False


_OF_LISTS = ("append", "extend", "insert", "pop", "keys", "values", "items", "update", "clear", "get")
"""Methods of containers that other modules have not."""


def _fixes(analysis: Analysis, call: Called) -> tuple[Fix, ...]:
    """Makes an `nn.Sequential` of the items, where the list is made in this file, of one argument."""
    made = call.receiver.node if isinstance(call.receiver, Instance) else None
    if call.name != "torch.nn.ModuleList()" or not isinstance(made, ast.Call) or not analysis.owns(made):
        return ()
    if len(made.args) != 1 or made.keywords or len(call.node.args) != 1 or call.node.keywords:
        return ()
    name = spellings.spelled(analysis, made.func, "torch.nn.Sequential")
    given = made.args[0]
    start = analysis.source.span(given).start
    if name is None or isinstance(given, ast.GeneratorExp | ast.Starred):
        return ()
    edits = (Edit(analysis.source.span(made.func), name), Edit(Span(start, start), "*"))
    return (Fix(f"Make `{support.written(analysis, call.node.func)}` an `nn.Sequential`", edits, safe=False),)
