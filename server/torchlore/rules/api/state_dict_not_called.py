"""TL950: `model.state_dict` without its parentheses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.members import kind_of
from torchlore.analysis.queries import reachable
from torchlore.analysis.values import BoundMethod, Function, Value
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source, Span


class StateDictNotCalled(Rule):
    """
    ## What it does

    Looks for `state_dict` of a module, optimizer, scheduler or scaler that is not called where it is saved,
    copied or loaded: by itself, or in a dictionary.

    ## Why is this bad?

    Without parentheses it is the method. `torch.save` writes it all the same, and with it the whole object:
    nothing is reported until the file is loaded, which may be after a long training, and then it holds no
    weights.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 2)
    torch.save({"model": model.state_dict, "epoch": 3}, "checkpoint.pt")
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 2)
    torch.save({"model": model.state_dict(), "epoch": 3}, "checkpoint.pt")
    ```

    ## Fix safety

    Safe: a method can neither be loaded as weights nor be saved to any use.

    ## Known limits

    Silent where it is not known what `state_dict` is an attribute of: objects of one's own may well have
    one.

    ## References

    - [torch.nn.Module](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.state_dict)
    - [torch.save](https://docs.pytorch.org/docs/stable/generated/torch.save.html)
    """

    code = "TL950"
    name = "state-dict-not-called"
    family = Family.API
    severity = Severity.ERROR
    since = "0.1.0"
    card = "save-and-load"
    trigger = r"\bstate_dict\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return _NOT_CALLED.search(source.text) is not None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if not self.concerns(analysis.source):
            return
        methods = dict(_methods(analysis))
        for call in analysis.called(*_TAKES):
            value = call.value(0, _TAKES[call.name])
            for part in reachable(value) if value is not None else ():
                node = methods.pop(part, None)
                if node is not None:
                    yield self._report(analysis, node, call)

    def _report(self, analysis: Analysis, node: ast.Attribute, call: Called) -> Finding:
        written, what = support.written(analysis, node), support.written(analysis, call.node.func)
        where = (
            ""
            if support.line(call.node) == support.line(node)
            else f" {support.on_line(analysis, call.node)}"
        )
        message = f"`{written}` is not called: `{what}`{where} gets the method, not the weights"
        end = analysis.source.span(node).end
        fix = Fix(f"Call `{written}()`", (Edit(Span(end, end), "()"),), safe=True)
        return self.finding(message, analysis.source.span(node), fixes=(fix,))


_NOT_CALLED = re.compile(r"\.state_dict\b(?!\s*\()")
_KINDS = frozenset({"Module", "Loss", "Metric", "Optimizer", "Scheduler", "GradScaler"})
_TAKES = {
    "torch.save": "obj",
    "copy.copy": "x",
    "copy.deepcopy": "x",
    "Module.load_state_dict": "state_dict",
    "Optimizer.load_state_dict": "state_dict",
    "Scheduler.load_state_dict": "state_dict",
    "GradScaler.load_state_dict": "state_dict",
}
"""What takes a state, and the parameter that it is given for."""


def _methods(analysis: Analysis) -> Iterator[tuple[Value, ast.Attribute]]:
    """The places of this file that read `state_dict` of something and do not call it, by what they read."""
    called = {call.func for call in analysis.run.calls}
    for node, owner in analysis.run.owners.items():
        if node.attr != "state_dict" or node in called or kind_of(owner) not in _KINDS:
            continue
        value = analysis.run.values.get(node)
        if isinstance(value, BoundMethod | Function) and analysis.owns(node):
            yield value, node
