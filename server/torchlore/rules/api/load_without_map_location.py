"""TL956: weights are loaded to the device that they were saved on, by a program that may run without it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.queries import options
from torchlore.rules import arguments, support
from torchlore.rules.api import _loads
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source


class LoadWithoutMapLocation(Rule):
    """
    ## What it does

    Looks for `torch.load` without `map_location`, of weights that a module loads, in files that ask whether
    there is a GPU.

    ## Why is this bad?

    Tensors are loaded to the device that they were saved on. Where there is no GPU, what was saved from one
    raises `Attempting to deserialize object on a CUDA device`; where there is one, the file takes its memory
    beside the model, on the first GPU, also in processes that work on another one.

    ## Example

    ```py
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = torch.nn.Linear(4, 1).to(device)
    model.load_state_dict(torch.load("model.pt"))
    ```

    ## Use instead

    ```py
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = torch.nn.Linear(4, 1).to(device)
    model.load_state_dict(torch.load("model.pt", map_location="cpu"))
    ```

    ## Fix safety

    Not safe: whatever else the file holds is on the CPU then. `load_state_dict` copies to where the module
    is.

    ## Known limits

    Silent where the same path is saved to in the file, as the best weights of a training are, where arguments
    come out of `*args` or `**kwargs`, where an error is waited for, in files that set a default device or
    never ask for a GPU, and in tests.

    ## References

    - [torch.load](https://docs.pytorch.org/docs/stable/generated/torch.load.html)
    - [Saving and loading models](https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html)
    """

    code = "TL956"
    name = "load-without-map-location"
    family = Family.API
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "save-and-load"
    trigger = r"\bis_available\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        is_about_files = "load_state_dict" in source.text and _loads.may_call(source, "load")
        return is_about_files and _ELSEWHERE.search(source.text) is None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        loads = [call for call in analysis.called("torch.load") if _goes_by_the_file(analysis, call)]
        if not loads or next(analysis.called("torch.cuda.is_available"), None) is None:
            return
        for call in loads:
            into = _loaded_into(analysis, call)
            if into is not None and not _is_saved_here(analysis, call):
                yield self._report(analysis, call, into)

    def _report(self, analysis: Analysis, call: Called, into: ast.Call) -> Finding:
        name, model = support.written(analysis, call.node.func), support.receiver(analysis, into)
        message = (
            f"`{name}` puts what was saved on a GPU on that GPU, and raises where there is none: "
            f"`{model}` copies it anyway"
        )
        edit = arguments.with_keyword(analysis, call.node, "map_location", '"cpu"')
        fixes = () if edit is None else (Fix('Load to the CPU: `map_location="cpu"`', (edit,), safe=False),)
        related = support.related(analysis, into, "loaded into a module here")
        return self.finding(message, analysis.source.span(call.node), fixes=fixes, related=related)


_ELSEWHERE = re.compile(r"\b(?:set_default_device|pytest\.mark|TestCase)\b")
"""Words of a file that decides about devices in another way: a test that needs a GPU is skipped without."""


def _goes_by_the_file(analysis: Analysis, call: Called) -> bool:
    """Whether nothing says to which device to load, in a call that is seen whole and may not fail."""
    if call.value(1, "map_location") is not None or not call.is_complete or not analysis.is_whole(call.node):
        return False
    return not support.expects_an_error(analysis, call.node)


def _is_saved_here(analysis: Analysis, call: Called) -> bool:
    """Whether the same file is saved by this one: then it is most likely loaded where it was saved."""
    path = call.argument(0, "f")
    saved = (save.argument(1, "f") for save in analysis.called("torch.save"))
    texts = {support.written(analysis, node) for node in saved if node is not None}
    return path is not None and support.written(analysis, path) in texts


def _loaded_into(analysis: Analysis, call: Called) -> ast.Call | None:
    """The `load_state_dict` of a module that is given what was loaded, or a part of it."""
    given = _loads.given_by(analysis, call.node)
    for load in analysis.called("Module.load_state_dict"):
        state = load.argument(0, "state_dict")
        while isinstance(state, ast.Subscript):  # `checkpoint["model"]`
            state = state.value
        if state is not None and not given.isdisjoint(options(analysis.value(state))):
            return load.node
    return None
