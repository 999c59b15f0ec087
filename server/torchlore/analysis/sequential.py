"""Calls of `nn.Sequential`, and of objects of classes that derive from it."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import partial

from torchlore.analysis import calls, submodules
from torchlore.analysis.events import Path
from torchlore.analysis.queries import has_new_kind, join, tokens_of
from torchlore.analysis.run import Run
from torchlore.analysis.values import Arguments, Instance, Tensor, Unknown, Value


def output(run: Run, instance: Instance, arguments: Arguments) -> Value:
    """What comes out: each layer is called in turn. Unknown ones make the result an ordinary tensor."""
    value = arguments.get(0, "input") or Unknown()
    parts = submodules.children(instance)
    if parts is None:
        return _run_some(run, instance, value)
    for part in parts:
        if not isinstance(part, Instance) or not isinstance(part.node, ast.expr):
            return Tensor(attached=None, tokens=tokens_of(value))
        value = calls.call_instance(run, part, Arguments([value], {}), part.node)
    return value if parts else Tensor(attached=None, tokens=tokens_of(value))


def _run_some(run: Run, instance: Instance, value: Value) -> Value:
    """Any number of layers in turn, each of which may be any of those in `instance`."""
    unknown = Tensor(attached=None, tokens=tokens_of(value))
    layers = submodules.alternatives(instance)
    if layers is None or not all(isinstance(p, Instance) and isinstance(p.node, ast.expr) for p in layers):
        return unknown
    if isinstance(value, Tensor) and value.shape is not None:  # of which layer it is the input is not known
        value = replace(value, shape=None)
    result: Value = value if isinstance(value, Tensor) else unknown
    path: Path = []
    for _ in range(2):  # what the first layers make of it is what the others are given
        path, given, before = [], Arguments([value], {}), result
        results = [before]
        with run.writing(path):
            run.choices += 1
            run.branch(instance.node, [partial(_run_layer, run, part, given, results) for part in layers])
            run.choices -= 1
        result = value = join(results)
        if not has_new_kind(before, result):
            break
    run.path += path
    return result


def _run_layer(run: Run, part: Value, given: Arguments, results: list[Value]) -> bool:
    assert isinstance(part, Instance) and isinstance(part.node, ast.expr)
    results.append(calls.call_instance(run, part, given, part.node))
    return False
