"""TL953: a file that holds a whole module, loaded as if it held weights."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.rules import arguments, support
from torchlore.rules.api import _loads
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source


class WholeModuleLoaded(Rule):
    """
    ## What it does

    Looks for what `torch.load` gives being used as a module (`model.eval()`, `model(x)`), where
    `weights_only` is not set.

    ## Why is this bad?

    Since torch 2.6 `torch.load` reads weights only: of a file that holds a whole module it raises
    `UnpicklingError`. Such a file is a pickle: to load it runs code out of it, and breaks when the class
    has moved or changed.

    ## Example

    ```py
    import torch

    model = torch.load("model.pt")
    model.eval()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.load("model.pt", weights_only=False)
    model.eval()
    ```

    ## Fix safety

    Not applied on save: the file may run any code, so that it has to be one of your own. Better, save
    `model.state_dict()` and load that into a model that you make.

    ## Known limits

    Silent where the file handles the error, allows classes with `add_safe_globals` or `safe_globals`, gives
    another `pickle_module`, or asks first what was loaded. With torch before 2.6 the code works, and stops
    working when torch is updated.

    ## References

    - [torch.load](https://docs.pytorch.org/docs/stable/generated/torch.load.html)
    - [Saving and loading models](https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html)
    """

    code = "TL953"
    name = "whole-module-loaded"
    family = Family.API
    severity = Severity.WARNING
    since = "0.1.0"
    card = "weights-only-load"
    trigger = r"\bload\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return _loads.may_call(source, "load")

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        text = analysis.source.text
        if any(word in text for word in _LOOSENERS) or "torch.load" in analysis.run.patched:
            return
        for call in analysis.called("torch.load"):
            is_told = any(call.value(index, name) is not None for index, name in _LOOSENS)
            if is_told or not call.is_complete or support.expects_an_error(analysis, call.node):
                continue
            use = _loads.used_as_module(analysis, call.node)
            if use is not None:
                yield self._report(analysis, call, use)

    def _report(self, analysis: Analysis, call: Called, use: ast.expr) -> Finding:
        same = support.line(use) == support.line(call.node)
        where = "here" if same else support.on_line(analysis, use)
        message = (
            f"`{support.written(analysis, use)}` {where} needs a module, but since torch 2.6 "
            f"`{support.written(analysis, call.node.func)}` loads weights only: it raises UnpicklingError"
        )
        edit = arguments.with_keyword(analysis, call.node, "weights_only", "False")
        title = "Allow code of the file to run with `weights_only=False`: it must be one of your own"
        fixes = (Fix(title, (edit,), safe=False),) if edit is not None else ()
        related = () if same else support.related(analysis, use, "it is used as a module here")
        return self.finding(message, analysis.source.span(call.node), fixes=fixes, related=related)


_LOOSENERS = ("safe_globals", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
"""What a file names that changes what is loaded, for some files or for all."""

_LOOSENS = ((2, "pickle_module"), (-1, "weights_only"))
"""Parameters by which more than weights may be loaded."""
