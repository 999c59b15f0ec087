"""Mistakes planted in correct code: what a mutant is, who makes them, and the edits that do.

A mutator looks at the syntax alone, and at what the file's own imports and assignments bind names to. It must
not ask the analysis what an expression is: what that does not know is just what is to be measured. What it
plants must be a mistake for whoever reads the file; where the syntax cannot tell, it plants nothing.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from torchlore.text import Edit, Source, Span, apply_edits

import tests.recall

Plant = Callable[[Source], Iterator["Mutant"]]

_MUTATORS: list[Mutator] = []


@dataclass(frozen=True, slots=True)
class Mutant:
    """One file with one mistake.

    Attributes:
        text: the file.
        line: where the mistake was planted, 1-based.
    """

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Mutator:
    """What plants one mistake.

    Attributes:
        rule: the name of the rule that should find it.
        words: a file without one of these has no place for it, and is not parsed.
        plant: gives the mutants of a file.
    """

    rule: str
    words: tuple[str, ...]
    plant: Plant

    def may(self, text: str) -> bool:
        """Whether a file of this text may have a place for it."""
        return not self.words or any(word in text for word in self.words)


def plants(rule: str, *words: str) -> Callable[[Plant], Plant]:
    """Names the rule that should find what a function plants, and the words that a file must have for it."""

    def keep(plant: Plant) -> Plant:
        _MUTATORS.append(Mutator(rule, words, plant))
        return plant

    return keep


@cache
def mutators() -> dict[str, list[Mutator]]:
    """By rule, the mutators of every module in this folder: one for each family, and no list to edit."""
    for module in pkgutil.iter_modules(tests.recall.__path__):
        if module.name != "__main__" and not module.name.startswith("test_"):
            importlib.import_module(f"{tests.recall.__name__}.{module.name}")
    by_rule: dict[str, list[Mutator]] = {}
    for mutator in _MUTATORS:
        by_rule.setdefault(mutator.rule, []).append(mutator)
    return by_rule


def mutant(source: Source, line: int, edits: list[Edit]) -> Iterator[Mutant]:
    """The file after `edits`; nothing where that does not parse."""
    text = apply_edits(source.text, edits)
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return
    yield Mutant(text, line)


def replaced(source: Source, node: ast.expr | ast.stmt | ast.keyword, text: str) -> Edit:
    """Puts `text` in the place of a node."""
    return Edit(source.span(node), text)


def emptied(source: Source, statement: ast.stmt) -> Edit:
    """Leaves `pass` of a statement."""
    return Edit(source.span(statement), "pass")


def inserted(source: Source, statement: ast.stmt, text: str) -> Edit:
    """Puts a statement on a line of its own above another one."""
    start = source.lines.start(statement.lineno - 1)
    indent = source.text[start : source.span(statement).start]
    return Edit(Span(start, start), f"{indent}{text}\n")


def unwrapped(source: Source, statement: ast.With, header: str = "if True") -> Edit:
    """Puts another header in the place of `with context`, above the same block."""
    last = statement.items[-1]
    end = source.span(last.optional_vars or last.context_expr).end
    return Edit(Span(source.span(statement).start, end), header)


def rewritten(source: Source, call: ast.Call, args: list[ast.expr], keywords: list[ast.keyword]) -> Edit:
    """Calls the same with other arguments."""
    return replaced(source, call, ast.unparse(ast.Call(call.func, args, keywords)))


def with_keyword(source: Source, call: ast.Call, name: str, value: str) -> Edit:
    """Gives a call one more keyword argument, or this one another value."""
    others = [keyword for keyword in call.keywords if keyword.arg != name]
    given = ast.keyword(name, ast.parse(value, mode="eval").body)
    return rewritten(source, call, call.args, [*others, given])


def without_keyword(source: Source, call: ast.Call, *names: str) -> Edit:
    """Takes keyword arguments from a call."""
    return rewritten(source, call, call.args, [given for given in call.keywords if given.arg not in names])
