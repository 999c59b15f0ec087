"""Which mutants are measured, and whether they are found."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from torchlore.rules import check, rule_by_code_or_name
from torchlore.text import Source

from tests.perf.corpus import File, analysed
from tests.recall.mutants import Mutant, mutators

MOST = 24
"""So many mutants of a rule, unless more are asked for."""

MOST_IN_A_FILE = 4


@dataclass(frozen=True, slots=True)
class Planted:
    """A mutant of a file, and whether it is found."""

    rule: str
    file: File
    mutant: Mutant
    is_found: bool


def planted(corpus: list[File], rule: str, most: int = MOST) -> list[Planted]:
    """Up to `most` mutants for a rule: the same ones in every run, from as many trees and files as there are.

    The trees take turns, one file each. In a tree the files come in an order that has nothing to do with what
    they are about, so that no folder is preferred.
    """
    by_tree: dict[object, list[File]] = {}
    for file in sorted(corpus, key=_shuffled):
        if any(mutator.may(file.text) for mutator in mutators()[rule]):
            by_tree.setdefault(file.tree, []).append(file)
    waiting = [_files_with(rule, some) for some in by_tree.values()]
    found: list[Planted] = []
    while waiting:
        for turn in [*waiting]:
            if (some := next(turn, None)) is None:
                waiting.remove(turn)
                continue
            found += some[: most - len(found)]
            if len(found) == most:
                return found
    return found


def _files_with(rule: str, some: list[File]) -> Iterator[list[Planted]]:
    """For each of these files that the rule finds nothing in: its mutants, and whether they are found."""
    for file in some:
        source = _source(file)
        if source.parsed.blanked:
            continue
        able = [mutator for mutator in mutators()[rule] if mutator.may(file.text)]
        mutants = _spread([mutant for mutator in able for mutant in mutator.plant(source)])
        if mutants and not is_found(rule, file, file.text):
            yield [Planted(rule, file, mutant, is_found(rule, file, mutant.text)) for mutant in mutants]


def is_found(rule: str, file: File, text: str) -> bool:
    """Whether the rule finds something in the file when it holds `text`."""
    cls = rule_by_code_or_name(rule)
    assert cls is not None, f"there is no rule {rule}"
    analysis = analysed(file, text)
    found = check(analysis, [cls])
    analysis.forget()
    return bool(found)


def _spread(mutants: list[Mutant]) -> list[Mutant]:
    """A few of them, each one once, from the whole length of the file."""
    mutants = [*dict.fromkeys(mutants)]
    step = max(1, -(-len(mutants) // MOST_IN_A_FILE))
    return mutants[::step]


def _shuffled(file: File) -> bytes:
    return hashlib.sha256(file.name.encode()).digest()


@lru_cache(maxsize=256)
def _source(file: File) -> Source:
    """The file, parsed once for the rules that ask for it one after the other."""
    return Source(file.text, str(file.path))
