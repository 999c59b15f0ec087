"""TL308: a module without `forward` that is called, or whose `forward` is misspelt."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.members import imported_bases, lookup, mro
from torchlore.analysis.queries import options
from torchlore.analysis.values import Instance, LocalClass, Ref, Value
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import is_conditional, stands_whole
from torchlore.text import Edit, Source, Span


class MissingForward(Rule):
    """
    ## What it does

    Looks for classes of `nn.Module` that have no `forward` but a method that is nearly called so (`foward`,
    `__forward__`), and for calls of modules whose class has no `forward`.

    ## Why is this bad?

    Calling a module calls its `forward`. Where there is none, the call raises
    `NotImplementedError: Module [Net] is missing the required "forward" function`, once the model is first
    used.

    ## Example

    ```py
    import torch.nn as nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 2)

        def foward(self, x):
            return self.fc(x)
    ```

    ## Use instead

    ```py
    import torch.nn as nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 2)

        def forward(self, x):
            return self.fc(x)
    ```

    ## Fix safety

    Not safe: the method is called by another name from then on. It is not reported where the file uses it by
    the name that it has.

    ## Known limits

    Silent where a base class is not torch's `nn.Module`, of the file, or of the standard library, where a
    class that derives from it has a `forward`, and where `forward` or `__call__` is set in another way.

    ## References

    - [torch.nn.Module.forward](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.forward)
    """

    code = "TL308"
    name = "missing-forward"
    family = Family.MODULES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "forward-method"
    trigger = r"\b(?:Module|nn)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return any(map(_may_lack_forward, source.every(ast.ClassDef)))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        lacking = [cls for cls in analysis.run.classes.values() if _lacks_forward(analysis, cls)]
        misspelt = {cls: method for cls in lacking if (method := _misspelt(analysis, cls)) is not None}
        for cls, method in misspelt.items():
            start = analysis.source.text.index(method.name, analysis.source.span(method).start)
            span = Span(start, start + len(method.name))
            message = f"`{cls.node.name}` has no `forward`, but a method called `{method.name}`"
            fix = Fix("Call it `forward`", (Edit(span, "forward"),), safe=False)
            yield self.finding(message, span, fixes=(fix,))
        if lacking:
            yield from self._check_calls(analysis, [cls for cls in lacking if cls not in misspelt])

    def _check_calls(self, analysis: Analysis, lacking: list[LocalClass]) -> Iterator[Finding]:
        for call in analysis.called("Module()"):
            given = options(call.receiver) if call.receiver is not None else ()
            if not given or not all(_is_bare(value, lacking) for value in given):
                continue
            if is_conditional(analysis, call.node):
                continue
            first = given[0]
            assert isinstance(first, Instance) and isinstance(first.cls, LocalClass)
            if stands_whole(analysis, call.node, first.cls.node):
                message = f"`{first.cls.node.name}` has no `forward`: calling it raises NotImplementedError"
                yield self.finding(message, analysis.source.span(call.node.func))


def _may_lack_forward(node: ast.ClassDef) -> bool:
    """Whether a class that has bases has a method that is nearly called `forward`, or is a bare `Module`."""
    names = [part.name for part in node.body if isinstance(part, ast.FunctionDef)]
    if not node.bases or "forward" in names:
        return False
    bases = {base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases}
    return "Module" in bases or any(map(_is_nearly_forward, names))


def _lacks_forward(analysis: Analysis, cls: LocalClass) -> bool:
    """Whether objects of a class of the file surely have no `forward` but that of `nn.Module`."""
    if cls.home is not analysis.run.home or not analysis.is_whole(cls.node):
        return False
    if cls.decorators or any(part.node.keywords for part in mro(cls)):
        return False
    names = [base.name if isinstance(base, Ref) else "" for base in imported_bases(cls)]
    if "torch.nn.Module" not in names or not all(name in _BASES for name in names):
        return False
    if any(lookup(cls, name) is not None for name in ("forward", "__call__", "__getattr__", "_call_impl")):
        return False
    heirs = (other for other in analysis.run.classes.values() if cls in mro(other))
    return all(lookup(heir, "forward") is None for heir in heirs)


_BASES = ("torch.nn.Module", "builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol")
"""Bases that bring no `forward`, and no other way to be called."""


def _misspelt(analysis: Analysis, cls: LocalClass) -> ast.FunctionDef | None:
    """The method that was to be `forward`: nearly called so, and not used by that name."""
    found = [
        part for part in cls.node.body if isinstance(part, ast.FunctionDef) and _is_nearly_forward(part.name)
    ]
    if len(found) != 1 or found[0].decorator_list or len(found[0].args.args) < 2:
        return None
    text = analysis.source.text
    return found[0] if text.count(found[0].name) == 1 else None


def _is_nearly_forward(name: str) -> bool:
    """Whether a name is `forward` with one letter wrong, with a capital, or as if it were Python's own.

    `_forward`, `forward_` and `forwards` are names that people give on purpose to something else.
    """
    if name.lower() == "forward" or name == "__forward__":
        return name != "forward"
    return name.isalpha() and name != "forwards" and _is_one_slip(name, "forward")


def _is_one_slip(name: str, wanted: str) -> bool:
    """Whether a letter is left out, put in, another one, or two have changed places."""
    start = next(
        (i for i, (a, b) in enumerate(zip(name, wanted, strict=False)) if a != b),
        len(min(name, wanted, key=len)),
    )
    rest, left = name[start:], wanted[start:]
    is_swapped = rest[:2] == left[:2][::-1] and rest[2:] == left[2:]
    return rest == left[1:] or rest[1:] == left or rest[1:] == left[1:] or is_swapped


def _is_bare(value: Value, lacking: list[LocalClass]) -> bool:
    """Whether this is an object of one of these classes, made in the file, on which no `forward` was set."""
    if not isinstance(value, Instance) or not isinstance(value.node, ast.Call):
        return False
    return value.cls in lacking and "forward" not in value.attributes
