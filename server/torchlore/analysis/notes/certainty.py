"""Whether what is known of an object holds whenever its line runs, or only by way of one call.

A constructor in a function is given what the function is given. Where the file does not call that function,
annotations alone say what it may be: good for a type, not for a number.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from torchlore.analysis import definitions, members
from torchlore.analysis.queries import has_unknown, options
from torchlore.analysis.run import Run
from torchlore.analysis.values import Function, Instance, LocalClass, Value

_PLAIN = ("int", "float", "str", "bool", "None", "Tensor")


@dataclass(frozen=True, slots=True)
class Way:
    """How an object came to be made with the arguments that are known.

    Attributes:
        line: of the call that leads to its constructor; 0 where that does not matter.
    """

    line: int


def way(run: Run, made: Instance) -> Way | None:
    """How `made` came to be; None where its arguments may be others than those that are known.

    Objects that one line makes several times are told apart by the calls that lead there: where these give it
    different things, nothing that holds of one holds of the line.
    """
    if not isinstance(made.node, ast.Call):
        return None
    if all(map(_is_literal, made.node.args)) and all(_is_literal(k.value) for k in made.node.keywords):
        return Way(0)
    contexts = [context for (node, context, _) in run.made if node is made.node]
    if len(contexts) != 1:
        return None
    steps = run.way_to(contexts[0])
    if not all(_is_sure(run, step) for step in steps):
        return None
    calls = [step for step in steps if isinstance(step, ast.Call)]
    return Way(calls[0].lineno if calls else 0)


def is_sure_of_arguments(module: Instance, cls: LocalClass) -> bool:
    """Whether the constructor of a class was given nothing that only an annotation tells of."""
    init = members.lookup(cls, "__init__")
    if not isinstance(init, Function) or module.made_with is None:
        return init is None
    names = [argument.arg for argument in definitions.all_args(init.node.args)[1:]]
    told = {argument.arg for argument in definitions.all_args(init.node.args)[1:] if _tells(argument)}
    for name in told:
        value = module.made_with.get(names.index(name), name) or init.defaults.get(name)
        if value is None or not module.made_with.complete or _is_guess(value):
            return False
    return True


def _is_guess(value: Value) -> bool:
    """Whether something is unknown, or an object that is known by its annotation."""
    return has_unknown(value) or any(
        isinstance(option, Instance) and not isinstance(option.node, ast.Call) for option in options(value)
    )


def _is_sure(run: Run, step: object) -> bool:
    """Whether what a step on the way does is not decided by what annotations say."""
    if isinstance(step, ast.FunctionDef | ast.AsyncFunctionDef):
        return not any(map(_tells, definitions.all_args(step.args)))
    if not isinstance(step, ast.Call):
        return True
    called = run.values.get(step.func)
    if isinstance(called, Function):
        return not any(map(_tells, definitions.all_args(called.node.args)))
    objects = [made for (node, _, _), made in run.made.items() if node is step and isinstance(made, Instance)]
    return bool(objects) and all(
        isinstance(made.cls, LocalClass) and is_sure_of_arguments(made, made.cls) for made in objects
    )


def _tells(argument: ast.arg) -> bool:
    """Whether an annotation says more than a plain type, of which no value is known."""
    hint = argument.annotation
    name = hint.attr if isinstance(hint, ast.Attribute) else getattr(hint, "id", "")
    return hint is not None and name not in _PLAIN


def _is_literal(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=inner):
            return _is_literal(inner)
        case ast.BinOp(left=left, right=right):
            return _is_literal(left) and _is_literal(right)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return all(map(_is_literal, parts))
        case _:
            return False
