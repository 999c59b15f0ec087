"""Methods of something unknown."""

from __future__ import annotations

import ast

from torchlore.analysis import callbacks, expressions, functions, torch_facts
from torchlore.analysis.events import Kind
from torchlore.analysis.queries import tokens_of
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
    Iterable,
    Number,
    Params,
    Unknown,
    Value,
)

_LONGEST_CHAIN = 8
"""Methods called on one another's results are followed so far: in a loop they could go on for ever."""


def call(run: Run, receiver: Value, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """A method of something unknown. Its name alone proves nothing, but it may do what it says."""
    if name == "zero_grad":
        run.emit(Kind.CLEAR, node)
    elif name == "__init__":
        run.emit(Kind.SUPER_INIT, node)
    elif name == "backward":
        keeps = bool({"retain_graph", "create_graph"} & arguments.keywords.keys()) or bool(
            arguments.positional
        )
        subject = arguments.positional[0] if arguments.positional else receiver
        run.emit(Kind.BACKWARD, node, subject=receiver, value=subject, keeps_graph=keeps)
    elif name in _TAKES and (len(arguments.all()) <= _TAKES[name] or not arguments.complete):
        mode = arguments.get(0, "mode")
        on = name == "train" and (mode is None or expressions.truth(mode) is True)
        run.emit(Kind.TRAIN if on else Kind.EVAL if name == "eval" else Kind.MODE, node, subject=receiver)
        return receiver
    elif name in ("parameters", "named_parameters") and isinstance(receiver, Unknown):
        owned = Params(frozenset({receiver}))
        return owned if name == "parameters" else Iterable(Container("tuple", [Const(""), owned], owned))
    made_by = receiver.made_by if isinstance(receiver, Unknown) else ""
    if name in torch_facts.TO_PYTHON:  # numbers: who gives them keeps no hold of itself
        run.escape(node, arguments.all())
        return Number() if name == "item" else Unknown()
    if made_by and torch_facts.keeps_its_hands_off(made_by):
        functions.call_back(run, arguments, node)
    else:
        run.escape(node, [receiver, *arguments.all()])
    if name in ("to", "cuda", "cpu", "float", "half", "double", "share_memory"):
        return receiver
    result = Unknown(
        frozenset().union(tokens_of(receiver), *(tokens_of(v) for v in arguments.all())),
        made_by=f"{made_by}.{name}" if made_by and made_by.count(".") < _LONGEST_CHAIN else "",
    )
    if not made_by or not torch_facts.keeps_its_hands_off(made_by):
        callbacks.entrust(run, receiver, arguments, result, node)
    return result


_TAKES = {"train": 1, "eval": 0}
"""How many arguments these take at most of a module: what is given more is another's (an evaluator's)."""
