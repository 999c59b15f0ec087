"""What becomes of what `torch.load` gives."""

from __future__ import annotations

import ast

from torchlore.analysis import Analysis
from torchlore.analysis.names import words
from torchlore.analysis.queries import options
from torchlore.analysis.values import OneOf, Unknown, Value
from torchlore.text import Source
from torchlore.text.nodes import nodes_in

_OF_MODULES = words(
    "eval parameters named_parameters children modules named_modules state_dict load_state_dict"
)
"""Methods of modules that neither tensors nor dictionaries have."""

_ASKS = frozenset({"isinstance", "hasattr", "callable", "issubclass", "type"})


def may_call(source: Source, name: str) -> bool:
    """Whether a file mentions `torch.load` (or `torch.save`), or may know it by another name."""
    text = source.text
    return f"torch.{name}" in text or "import torch as" in text or f"import {name}" in text


def given_by(analysis: Analysis, load: ast.Call) -> set[Value]:
    """What a call of `torch.load` gives, once for every way that leads to it."""
    return {value for (node, _, _), value in analysis.run.made.items() if node is load}


def used_as_module(analysis: Analysis, load: ast.Call) -> ast.expr | None:
    """Where what is loaded is called, or its `eval()` and the like are; None where that is not certain.

    It is not where somebody asks first what it is.
    """
    uses = [call for call in analysis.run.calls if _uses_loaded(analysis, call)]
    given = given_by(analysis, load) if uses else set()
    uses = [call for call in uses if not given.isdisjoint(_used(analysis, call))]
    if not uses or any(_is_asked_first(analysis, call) for call in uses):
        return None
    return min(uses, key=lambda call: (call.lineno, call.col_offset))


def _uses_loaded(analysis: Analysis, call: ast.Call) -> bool:
    """Whether a call needs something that was loaded to be a module."""
    if isinstance(call.func, ast.Attribute) and call.func.attr not in _OF_MODULES:
        return False
    return any(isinstance(v, Unknown) and v.made_by == "torch.load" for v in _used(analysis, call))


def _used(analysis: Analysis, call: ast.Call) -> tuple[Value, ...]:
    """What a call needs to be a module: what it calls, or whose `eval` and the like it calls."""
    if isinstance(call.func, ast.Attribute) and call.func.attr in _OF_MODULES:
        used = analysis.run.owners.get(call.func)
    else:
        used = analysis.run.values.get(call.func)
    return options(used) if isinstance(used, Unknown | OneOf) else ()


def _is_asked_first(analysis: Analysis, call: ast.Call) -> bool:
    """Whether a condition around `call` asks what something is."""
    tests = (outer.test for outer in analysis.around(call) or () if isinstance(outer, ast.If | ast.IfExp))
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ASKS
        for test in tests
        for node in nodes_in(test)
    )
