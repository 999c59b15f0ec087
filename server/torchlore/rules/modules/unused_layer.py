"""TL322: a layer that is made and never used."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.members import imported_bases, mro
from torchlore.analysis.queries import options
from torchlore.analysis.values import LocalClass
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import classes_that_may_be_modules, has_parameters, method_around
from torchlore.text import Edit, Source


class UnusedLayer(Rule):
    """
    ## What it does

    Looks for layers with parameters that `__init__` sets on a module, and that nothing else in the file
    names.

    ## Why is this bad?

    The parameters are registered: they are saved, moved and given to the optimizer, and never get a gradient.
    `DistributedDataParallel` waits for it and raises in the second iteration. Often the layer was meant to be
    used, and `forward` calls another one in its place.

    ## Example

    ```py
    from torch import nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(8, 8)
            self.fc2 = nn.Linear(8, 8)
            self.out = nn.Linear(8, 2)

        def forward(self, x):
            return self.out(self.fc1(self.fc1(x)))
    ```

    ## Use instead

    ```py
    from torch import nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(8, 8)
            self.out = nn.Linear(8, 2)

        def forward(self, x):
            return self.out(self.fc1(self.fc1(x)))
    ```

    ## Fix safety

    Not safe: checkpoints that hold the layer do not fit any more, and the layers behind it begin with other
    random weights. Where the layer was meant to be used, use it.

    ## Known limits

    A hint, as other files may use the layer, or checkpoints of an older version may hold it. Silent where the
    class has another base than `nn.Module`, or is one itself in this file, and in files that go through
    attributes or submodules by name (`getattr`, `children()`).

    ## References

    - [torch.nn.Module](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html)
    - [DistributedDataParallel](https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html)
    """

    code = "TL322"
    name = "unused-layer"
    family = Family.MODULES
    severity = Severity.HINT
    since = "0.1.0"
    card = "parameters-and-buffers"
    trigger = r"\bforward\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        if not any(True for _ in _set_once(source)) or _REACHES_ALL.search(source.text) is not None:
            return False
        return bool(classes_that_may_be_modules(source))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if analysis.source.parsed.blanked or not self.concerns(analysis.source):
            return  # what is being typed may be what uses it
        for statement, target in _set_once(analysis.source):
            method = method_around(analysis, target)
            if method is None or method.node.name != "__init__" or not _is_alone(analysis, method.cls):
                continue
            is_own = isinstance(target.value, ast.Name) and target.value.id == method.receiver
            if is_own and all(map(has_parameters, options(analysis.value(statement.value)))):
                message = (
                    f"`{support.written(analysis, target)}` has parameters, but nothing in "
                    f"`{method.cls.node.name}` uses it: they are saved and moved, and never trained"
                )
                fixes = _fixes(analysis, statement, target)
                yield self.finding(message, analysis.source.span(target), fixes=fixes)


_REACHES_ALL = re.compile(
    r"\b(?:getattr|vars|__dict__|__getattr__|_modules|children|named_children|modules|named_modules"
    r"|get_submodule)\b"
)
"""Words by which a layer can be reached that is not named."""


def _set_once(source: Source) -> Iterator[tuple[ast.Assign, ast.Attribute]]:
    """The statements `self.name = Layer(…)` of which the file names that name nowhere else."""
    for statement in source.every(ast.Assign):
        match statement:
            case ast.Assign(targets=[ast.Attribute(attr=name) as target], value=ast.Call()):
                if _is_named_once(source.text, name):
                    yield statement, target


def _is_named_once(text: str, name: str) -> bool:
    """Whether a word stands in a text only once, comments and strings included."""
    found, start = 0, text.find(name)
    while start >= 0 and found < 2:
        end = start + len(name)
        around = text[start - 1 : start] + text[end : end + 1]
        found += not any(c.isalnum() or c == "_" for c in around)
        start = text.find(name, end)
    return found == 1


def _is_alone(analysis: Analysis, cls: LocalClass) -> bool:
    """Whether a class is a module of its own: it has a `forward`, and neither bases nor heirs in the file."""
    own = {part.name for part in cls.node.body if isinstance(part, ast.FunctionDef)}
    if "forward" not in own or cls.decorators or mro(cls) != (cls,):
        return False
    if [getattr(base, "name", "") for base in imported_bases(cls)] != ["torch.nn.Module"]:
        return False
    return not any(cls in mro(other) for other in analysis.run.classes.values() if other is not cls)


def _fixes(analysis: Analysis, statement: ast.Assign, target: ast.Attribute) -> tuple[Fix, ...]:
    lines = support.own_lines(analysis, statement)
    if lines is None or len(support.block_of(analysis, statement)) < 2:
        return ()
    title = f"Take `{support.written(analysis, target)}` out"
    return (Fix(title, (Edit(lines, ""),), safe=False),)
