"""Objects of the classes of the workspace: how they are made, what their fields hold."""

from __future__ import annotations

import ast

from torchlore.analysis import calls, expressions, members
from torchlore.analysis.events import Kind
from torchlore.analysis.frames import Frame
from torchlore.analysis.queries import join, options
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    NO_TOKENS,
    Arguments,
    Container,
    Function,
    Instance,
    Iterable,
    LocalClass,
    Ref,
    Unknown,
    Value,
)


def instantiate(run: Run, cls: LocalClass, arguments: Arguments, node: ast.AST) -> Value:
    """Makes an object of a class of the workspace and follows its `__init__`."""
    if _is_made_otherwise(cls):
        run.escape(node, list(arguments.all()))
        return run.given(node, NO_TOKENS)
    instance = run.make(node, cls)
    instance.made_with = arguments
    run.instances.setdefault(cls.node, instance)
    run.emit(Kind.RESET, node, key=instance)
    replaced = _made_by_new(run, cls, arguments, node)
    if replaced is not None:
        return replaced
    init = members.lookup(cls, "__init__")
    if isinstance(init, Function) and _is_part(run):
        run.escape(node, list(arguments.all()))  # it holds what any object of its class does (`pulling`)
    elif isinstance(init, Function):
        calls.call_function(run, calls.bound(init, instance), arguments, node)
    elif members.kind_of_class(cls) == "Optimizer":
        instance.arguments = arguments
    else:
        _fill_fields(run, cls, instance, arguments, node)
        if members.is_open(cls) or not arguments.complete:
            run.escape(node, list(arguments.all()))
    return instance


def _is_part(run: Run) -> bool:
    """Whether an imported object is being made, of which what is made now is a part.

    Models are trees of blocks: to follow all that is made for one costs more than is ever asked about it.
    """
    return run.is_away and any(
        isinstance(code, ast.FunctionDef) and code.name == "__init__" and not run.is_home(run.functions[code])
        for code in run.stack
    )


def _is_made_otherwise(cls: LocalClass) -> bool:
    """Whether a metaclass says what a call of the class gives, and we do not know what that is."""
    for current in members.mro(cls):
        maker = current.maker
        if isinstance(maker, LocalClass) and members.lookup(maker, "__call__") is not None:
            return True
        if maker is not None and not isinstance(maker, LocalClass | Ref):
            return True
    return False


def _made_by_new(run: Run, cls: LocalClass, arguments: Arguments, node: ast.AST) -> Value | None:
    """What `__new__` gives where that is an object of another class; None where `__init__` runs on it."""
    new = members.lookup(cls, "__new__")
    if not isinstance(new, Function):
        return None
    given = Arguments([cls, *arguments.positional], arguments.keywords, arguments.complete)
    made = calls.call_function(run, new, given, node)
    others = [
        option
        for option in options(made)
        if isinstance(option, Instance) and option.cls is not cls and not members.derives(option.cls, cls)
    ]
    return made if len(others) == len(options(made)) else None


def _fill_fields(run: Run, cls: LocalClass, instance: Instance, arguments: Arguments, node: ast.AST) -> None:
    """A dataclass or named tuple: its fields in order, those of its bases first; then `__post_init__`."""
    for index, (name, field) in enumerate(fields(cls).items()):
        value = arguments.get(index, name)
        if value is None and arguments.complete:
            value = _made_default(run, cls.home or run.home, field)
        if value is not None:
            instance.attributes[name] = value
    after = members.lookup(cls, "__post_init__")
    if isinstance(after, Function):
        calls.call_function(run, calls.bound(after, instance), Arguments([], {}), node)


def fields(cls: LocalClass) -> dict[str, ast.AnnAssign]:
    """The fields of a dataclass or named tuple in order, and where they are declared."""
    return {
        statement.target.id: statement
        for part in reversed(members.mro(cls))
        for statement in part.node.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    }


def _made_default(run: Run, home: Frame, field: ast.AnnAssign) -> Value | None:
    """What `field(default_factory=…)` or `field(default=…)` gives a new object."""
    declared = field.value
    if not isinstance(declared, ast.Call):
        return None
    called = run.values.get(declared.func)
    if not isinstance(called, Ref) or called.name != "dataclasses.field":
        return None
    outer, run.frame = run.frame, home
    try:
        given = {keyword.arg: expressions.evaluate(run, keyword.value) for keyword in declared.keywords}
    finally:
        run.frame = outer
    if "default_factory" in given:
        return calls.call_value(run, given["default_factory"], Arguments([], {}), declared)
    return given.get("default")


def as_tuple(instance: Value) -> Container | None:
    """The fields of a named tuple, as the tuple that it is; None where it is none."""
    if not isinstance(instance, Instance) or not isinstance(instance.cls, LocalClass):
        return None
    if not members.is_named_tuple(instance.cls):
        return None
    items = [instance.attributes.get(name) or Unknown() for name in fields(instance.cls)]
    return Container("tuple", items, join(items)) if items else None


def item(run: Run, owner: Instance, cls: LocalClass, key: Value, node: ast.expr) -> Value | None:
    """`owner[key]` of an object whose class says what that is; None where it does not."""
    method = members.lookup(cls, "__getitem__")
    if not isinstance(method, Function):
        return None
    return calls.call_function(run, calls.bound(method, owner), Arguments([key], {}), node)


def iterated(run: Run, value: Value, node: ast.expr) -> Value:
    """What a loop over `value` goes through: what `__iter__` of a class of the workspace gives."""
    if not isinstance(value, Instance) or not isinstance(value.cls, LocalClass):
        return value
    method = members.lookup(value.cls, "__iter__")
    if not isinstance(method, Function):
        return value
    result = calls.call_function(run, calls.bound(method, value), Arguments([], {}), node)
    if not isinstance(result, Instance) or not isinstance(result.cls, LocalClass):
        return result
    following = members.lookup(result.cls, "__next__")
    if not isinstance(following, Function):
        return result
    return Iterable(calls.call_function(run, calls.bound(following, result), Arguments([], {}), node))
