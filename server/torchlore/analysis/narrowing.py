"""What a test says about the names in it: `x is None`, `isinstance(x, nn.Linear)`, `not x`, `a and b`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torchlore.analysis import definitions, expressions, members
from torchlore.analysis.queries import is_none, join
from torchlore.analysis.run import Run
from torchlore.analysis.values import Const, Container, Instance, LocalClass, OneOf, Ref, Unknown, Value


@contextmanager
def narrowed(run: Run, test: ast.expr, holds: bool, other: Sequence[ast.stmt] = ()) -> Iterator[None]:
    """Meanwhile names are what they are where a test holds (or does not); then again what they were.

    A name that is bound anew meanwhile keeps that, and so does one that the `other` arm binds anew: it is
    what it was before on no path. After the branch an object is known as it was before.
    """
    names = subjects(test)
    if not names:
        yield
        return
    rebound = _assigned(other)
    before = run.frame.now(names)
    narrow(run, test, holds)
    meanwhile = run.frame.now(names)
    yield
    for name, value in before.items():
        if (
            value is not None
            and name not in rebound
            and value is not meanwhile[name]
            and run.frame.names.get(name) is meanwhile[name]
        ):
            run.frame.bind(name, value)


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
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), classes]) if holds:
            _be(run, test, name, classes)
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


def _be(run: Run, test: ast.expr, name: str, classes: ast.expr) -> None:
    """`name` is an object of one of these classes."""
    value = run.frame.find(name)
    if isinstance(value, OneOf):
        wanted = [c for c in _classes(run, classes) if isinstance(c, LocalClass)]
        left = [option for option in value.options if not _rules_out(option, wanted)]
        if wanted and left and len(left) < len(value.options):
            run.frame.bind(name, join(left))
    elif isinstance(value, Unknown):
        known = [definitions.from_annotation(c, test) for c in _classes(run, classes)]
        if known and not any(isinstance(part, Unknown) for part in known):
            run.frame.bind(name, join(known))


def _classes(run: Run, classes: ast.expr) -> list[Value]:
    match expressions.evaluate(run, classes):
        case Container(items=items) if items is not None:
            return items
        case Ref() | LocalClass() as cls:
            return [cls]
        case _:
            return []


def _rules_out(option: Value, wanted: list[LocalClass]) -> bool:
    """Whether an object is of another class than any of these."""
    if isinstance(option, Const):
        return True
    if not isinstance(option, Instance) or not isinstance(option.cls, LocalClass):
        return False
    bases = list(members.mro(option.cls))
    return not members.is_open(option.cls) and not any(cls in bases for cls in wanted)
