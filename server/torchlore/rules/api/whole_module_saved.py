"""TL955: a file that holds a whole module instead of its weights."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.members import kind_of
from torchlore.analysis.queries import options
from torchlore.rules import support
from torchlore.rules.api import _loads
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source


class WholeModuleSaved(Rule):
    """
    ## What it does

    Looks for `torch.save` of a module itself.

    ## Why is this bad?

    The file is a pickle that names the class and where it was defined: it can be loaded only where that
    class has the same name in the same file, with `weights_only=False`, by people who trust it. A
    `state_dict()` is nothing but tensors.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 2)
    torch.save(model, "model.pt")
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 2)
    torch.save(model.state_dict(), "model.pt")
    ```

    ## Fix safety

    Not applied on save: the code that loads the file has to change too.

    ## Known limits

    Speaks only of a module that is saved by itself, not of one in a dictionary.

    ## References

    - [torch.save](https://docs.pytorch.org/docs/stable/generated/torch.save.html)
    - [Saving and loading models](https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html)
    """

    code = "TL955"
    name = "whole-module-saved"
    family = Family.API
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "save-and-load"
    trigger = r"\bsave\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return _loads.may_call(source, "save")

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called("torch.save"):
            value, argument = call.value(0, "obj"), call.argument(0, "obj")
            if value is None or argument is None or any(kind_of(part) != "Module" for part in options(value)):
                continue
            saved = support.written(analysis, argument)
            message = (
                f"`{saved}` is saved as a whole: the file can be loaded only as code, where its class is"
            )
            span = analysis.source.span(argument)
            text = f"{support.bracketed(analysis, argument)}.state_dict()"
            fix = Fix("Save its `state_dict()`", (Edit(span, text),), safe=False)
            yield self.finding(message, span, fixes=(fix,))
