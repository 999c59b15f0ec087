"""What a test says about the names in it: `x is None`, `isinstance(x, nn.Linear)`, `not x`, `a and b`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torchlore.analysis import definitions, expressions, members, submodules, torch_facts
from torchlore.analysis.queries import is_none, join
from torchlore.analysis.run import Run
from torchlore.analysis.submodules import Some
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
        wanted = _classes(run, classes)
        left = [option for option in value.options if not _rules_out(option, wanted)]
        if wanted and left and len(left) < len(value.options):
            run.frame.bind(name, join(left))
    elif isinstance(value, Some) and value.whole is not None:
        found = _among_parts(value.whole, _classes(run, classes))
        if found is not None:
            run.frame.bind(name, found)
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


def _among_parts(whole: Instance, wanted: list[Value]) -> Value | None:
    """Which of the modules inside of another one are of such classes; None where these are not torch's."""
    names = [c.name for c in wanted if isinstance(c, Ref) and torch_facts.is_module(c.name)]
    if not names or len(names) < len(wanted):
        return None
    parts = submodules.parts(whole)
    left = [part for part in parts or () if not _rules_out(part, wanted)]
    known = join([*left]) if left else None
    if known is not None and not isinstance(known, Unknown):
        return known
    return None if parts is not None and not left else join([submodules.some(whole, name) for name in names])


def _rules_out(option: Value, wanted: list[Value]) -> bool:
    """Whether something is certain to be an object of none of these classes."""
    if isinstance(option, Const):
        return not any(isinstance(cls, Ref) and not torch_facts.is_module(cls.name) for cls in wanted)
    return isinstance(option, Instance) and all(_is_apart(option.cls, cls) for cls in wanted)


def _is_apart(cls: str | LocalClass, wanted: Value) -> bool:
    """Whether a class is certain neither to be another one, nor to derive from it."""
    if isinstance(cls, LocalClass) and members.is_open(cls):
        return False
    if isinstance(wanted, LocalClass):
        return isinstance(cls, LocalClass) and not members.derives(cls, wanted)
    bases = [Ref(cls)] if isinstance(cls, str) else members.imported_bases(cls)
    return isinstance(wanted, Ref) and all(
        isinstance(base, Ref) and torch_facts.derives(base.name, wanted.name) is False for base in bases
    )
