"""The patterns of `match` statements: what they bind."""

from __future__ import annotations

import ast

from torchlore.analysis import definitions, expressions, operators, unpacking
from torchlore.analysis.run import Run
from torchlore.analysis.values import Const, Container, Ref, Unknown, Value


def bind(run: Run, pattern: ast.pattern, subject: Value) -> None:
    """Binds the names of a pattern that `subject` has matched."""
    match pattern:
        case ast.MatchAs(pattern=inner, name=name):
            if inner is not None:
                bind(run, inner, subject)
                subject = _known(run, inner, subject)
            if name is not None:
                run.frame.bind(name, subject)
        case ast.MatchSequence(patterns=parts):
            _bind_sequence(run, parts, subject)
        case ast.MatchMapping(keys=keys, patterns=parts, rest=rest):
            for key, part in zip(keys, parts, strict=True):
                bind(run, part, operators.item(subject, expressions.evaluate(run, key)))
            if rest is not None:
                run.frame.bind(rest, Unknown())
        case ast.MatchClass(patterns=parts, kwd_patterns=named):
            for part in (*parts, *named):
                bind(run, part, Unknown())
        case ast.MatchOr(patterns=parts):
            for part in parts:
                bind(run, part, subject)
        case ast.MatchStar(name=str() as name):
            run.frame.bind(name, Container("list", None, unpacking.element(subject)))
        case _:
            return


def matches(pattern: ast.pattern, subject: Value) -> bool | None:
    """Whether a pattern matches; None where that is not known."""
    match pattern:
        case ast.MatchAs(pattern=None):
            return True
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return matches(inner, subject)
        case ast.MatchValue(value=ast.Constant(value=literal)) if isinstance(subject, Const):
            return bool(literal == subject.value)
        case ast.MatchSingleton(value=literal) if isinstance(subject, Const):
            return literal is subject.value
        case ast.MatchOr(patterns=parts):
            found = [matches(part, subject) for part in parts]
            return True if True in found else None if None in found else False
        case _:
            return None


def _bind_sequence(run: Run, parts: list[ast.pattern], subject: Value) -> None:
    items = subject.items if isinstance(subject, Container) else None
    exact = items is not None and len(items) == len(parts)
    for index, part in enumerate(parts):
        if isinstance(part, ast.MatchStar):
            bind(run, part, subject)
        else:
            bind(run, part, items[index] if exact and items is not None else unpacking.element(subject))


def _known(run: Run, pattern: ast.pattern, subject: Value) -> Value:
    """What is known of an unknown subject that is an object of the class in a pattern."""
    if not isinstance(pattern, ast.MatchClass) or not isinstance(subject, Unknown):
        return subject
    cls = expressions.evaluate(run, pattern.cls)
    return definitions.from_annotation(cls, pattern) if isinstance(cls, Ref) else subject
