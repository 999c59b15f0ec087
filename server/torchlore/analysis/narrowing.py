"""What a test says about the names in it: `x is None`, `isinstance(x, nn.Linear)`, `not x`, `a and b`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from torchlore.analysis import definitions, expressions, members, python_facts, submodules, torch_facts
from torchlore.analysis.plain import Plain
from torchlore.analysis.queries import is_none, join
from torchlore.analysis.run import Run
from torchlore.analysis.submodules import Some
from torchlore.analysis.values import (
    BoundMethod,
    Const,
    Container,
    Instance,
    LocalClass,
    Number,
    OneOf,
    Ref,
    Tensor,
    Unknown,
    Value,
)

_Narrowed = dict[str, tuple[Value, Value]]
"""What some names were before a branch, and what they are at the beginning of an arm of it."""


def begin(run: Run, test: ast.expr, holds: bool, other: Sequence[ast.stmt] = ()) -> _Narrowed:
    """From here on names are what they are where a test holds (or does not). Gives what `end` wants.

    A name that is bound anew meanwhile keeps that, and so does one that the `other` arm binds anew: it is
    what it was before on no path. After the branch an object is known as it was before.
    """
    names = subjects(test)
    if not names:
        return {}
    rebound = _assigned(other)
    before = run.frame.now(names)
    narrow(run, test, holds)
    now = run.frame.names
    return {
        name: (value, now[name])
        for name, value in before.items()
        if value is not None and name not in rebound and value is not now[name]
    }


def end(run: Run, narrowed: _Narrowed) -> None:
    """Takes back what `begin` did."""
    for name, (before, meanwhile) in narrowed.items():
        if run.frame.names.get(name) is meanwhile:
            run.frame.bind(name, before)


def _assigned(body: Sequence[ast.stmt]) -> set[str]:
    """The names that the statements of a block surely bind."""
    return {
        target.id
        for statement in body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def subjects(test: ast.expr) -> frozenset[str]:
    """The names that `narrow` may bind."""
    return frozenset(_subjects(test))


def _subjects(test: ast.expr) -> Iterator[str]:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield from _subjects(operand)
        case ast.BoolOp(values=values):
            for part in values:
                yield from _subjects(part)
        case (
            ast.Compare(left=ast.Name(id=name)) | ast.Name(id=name) | ast.NamedExpr(target=ast.Name(id=name))
        ):
            yield name
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), _]):
            yield name
        case _:
            return


def narrow(run: Run, test: ast.expr, holds: bool) -> None:
    """Binds the names in a test that was just evaluated to what they are where it holds (or does not)."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            narrow(run, operand, not holds)
        case ast.BoolOp(op=op, values=values) if isinstance(op, ast.And) is holds:
            for part in values:  # all of an `and` that holds, none of an `or` that does not
                narrow(run, part, holds)
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Is() | ast.IsNot() as op], comparators=[right]):
            if isinstance(right, ast.Constant) and right.value is None:
                _keep(run, name, isinstance(op, ast.Is) is holds)
        case ast.Name(id=name) if holds:
            _keep(run, name, nothing=False)
        case ast.NamedExpr(target=ast.Name(id=name)) if holds:
            _keep(run, name, nothing=False)
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), classes]):
            _be(run, test, name, classes, holds)
        case _:
            return


def _keep(run: Run, name: str, nothing: bool) -> None:
    """Of what `name` may be, only None is left, or all but None."""
    value = run.frame.find(name)
    if not isinstance(value, OneOf):
        return
    left = [option for option in value.options if is_none(option) is nothing]
    if left and len(left) < len(value.options):
        run.frame.bind(name, join(left))


def _be(run: Run, test: ast.expr, name: str, classes: ast.expr, holds: bool) -> None:
    """`name` is an object of one of these classes, or of none of them.

    Where nothing that we know of is left, what is known does not come here: it is what the test says.
    """
    value = run.frame.find(name)
    wanted = _classes(run, classes)
    if value is None or not wanted:
        return
    if isinstance(value, Some) and value.whole is not None:
        found = _among_parts(value.whole, wanted) if holds else None
        if found is not None:
            run.frame.bind(name, found)
        return
    parts = value.options if isinstance(value, OneOf) else (value,)
    if not holds:
        left = [part for part in parts if not any(_is_instance(part, cls) for cls in wanted)]
    else:
        left = [part for part in parts if _may_be(part, wanted)]
        known = [part for part in left if not isinstance(part, Unknown | BoundMethod)]
        said = [definitions.from_annotation(cls, test) for cls in wanted]
        if len(known) < len(left) or not left:
            left = [*known, *said] if not any(isinstance(part, Unknown) for part in said) else left
    if len(left) != len(parts) or any(a is not b for a, b in zip(left, parts, strict=True)):
        run.frame.bind(name, join(left) if left else Unknown())


def _classes(run: Run, classes: ast.expr) -> list[Value]:
    match expressions.evaluate(run, classes):
        case Container(items=items) if items is not None:
            return items
        case Ref() | LocalClass() as cls:
            return [cls]
        case _:
            return []


def _among_parts(whole: Instance, wanted: list[Value]) -> Value | None:
    """Which of the modules inside of another one are of such classes; None where these are not torch's."""
    names = [c.name for c in wanted if isinstance(c, Ref) and torch_facts.is_module(c.name)]
    if not names or len(names) < len(wanted):
        return None
    parts = submodules.parts(whole)
    left = [part for part in parts or () if _may_be(part, wanted)]
    known = join([*left]) if left else None
    if known is not None and not isinstance(known, Unknown):
        return known
    return None if parts is not None and not left else join([submodules.some(whole, name) for name in names])


def _may_be(option: Value, wanted: list[Value]) -> bool:
    """Whether something may be an object of one of these classes."""
    return any(_is_instance(option, cls) is not False for cls in wanted)


def _is_apart(cls: str | LocalClass, wanted: str) -> bool:
    """Whether a class is certain neither to be an imported one, nor to derive from it."""
    if isinstance(cls, LocalClass) and members.is_open(cls):
        return False
    bases = [Ref(cls)] if isinstance(cls, str) else members.imported_bases(cls)
    return all(isinstance(base, Ref) and torch_facts.derives(base.name, wanted) is False for base in bases)


def _is_instance(option: Value, cls: Value) -> bool | None:
    """Whether something is an object of a class; None where that is not known."""
    if isinstance(cls, LocalClass):
        return _is_of_workspace(option, cls)
    if not isinstance(cls, Ref):
        return None
    home, _, last = cls.name.rpartition(".")
    if home != "builtins":
        return _is_imported(option, cls.name)
    match option:
        case Const(value=literal):
            return isinstance(literal, _BUILTIN[last]) if last in _BUILTIN else None
        case Container(kind=kind) | Plain(kind=("str" | "bytes" | "bool") as kind):
            is_same = kind == last or (kind, last) == ("bool", "int")
            return is_same if last in _BUILTIN and kind in _BUILTIN else None
        case Number():
            return None if last in ("int", "float", "complex", "bool", "object") else False
        case Tensor() | Plain(kind=python_facts.NDARRAY):
            return False if last in _BUILTIN else None
        case _:
            return None


_BUILTIN: dict[str, type] = {
    cls.__name__: cls for cls in (str, bytes, bool, int, float, list, tuple, set, dict)
}


def _is_of_workspace(option: Value, cls: LocalClass) -> bool | None:
    if isinstance(option, Const | Number | Plain):
        return False
    if not isinstance(option, Instance) or not isinstance(option.cls, LocalClass):
        return None
    if members.derives(option.cls, cls):
        return True
    return None if members.is_open(option.cls) else False


def _is_imported(option: Value, name: str) -> bool | None:
    """Whether something is an object of an imported class: a tensor, an array, a module, a picture."""
    known = name in _TOLD_APART or torch_facts.is_module(name)
    match option:
        case Tensor(certain=certain):
            return (certain or None) if name == "torch.Tensor" else False if known else None
        case Plain(kind=kind):
            return python_facts.RENAMED.get(name, name) == kind if known else None
        case Const() | Number() | Container():
            return False if known else None
        case Instance(cls=cls):
            return False if _is_apart(cls, name) else None
        case _:
            return None


_TOLD_APART = frozenset({"torch.Tensor", python_facts.NDARRAY, python_facts.IMAGE})
"""Classes whose objects are surely no others that we know of."""
