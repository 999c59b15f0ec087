"""Plants mistakes in correct code and counts how many are found: `python -m tests.recall PATH…`.

A file counts for a rule where the rule finds nothing in it as it is. Each mutant has one mistake; it is found
where the rule finds something that it did not find before.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from torchlore.analysis import analyze
from torchlore.rules import check, rule_by_code_or_name
from torchlore.text import Source

from tests.perf.corpus import File, files, workspace
from tests.recall import modules, training
from tests.recall.mutants import MUTATORS, Mutant

__all__ = ["modules", "training"]


@dataclass(frozen=True, slots=True)
class Planted:
    """A mutant of a file, and whether it is found."""

    rule: str
    file: File
    mutant: Mutant
    is_found: bool


def planted(found: list[File], rules: list[str]) -> Iterator[Planted]:
    """Every mutant of these files for these rules."""
    for file in found:
        source = Source(file.text, str(file.path))
        if source.parsed.blanked:
            continue
        for name in rules:
            mutants = [mutant for mutator in MUTATORS[name] for mutant in mutator(source)]
            if mutants and not _count(name, file.text, file.path):
                for mutant in mutants:
                    yield Planted(name, file, mutant, _count(name, mutant.text, file.path) > 0)


def _count(name: str, text: str, path: Path) -> int:
    rule = rule_by_code_or_name(name)
    assert rule is not None
    analysis = analyze(Source(text, str(path)), workspace=workspace())
    found = check(analysis, [rule])
    analysis.forget()
    return len(found)


def main() -> None:
    """Prints the share that is found, by rule."""
    parser = argparse.ArgumentParser(prog="python -m tests.recall", description=__doc__)
    parser.add_argument("paths", nargs="+", type=lambda text: Path(text).resolve(), metavar="PATH")
    parser.add_argument("--only", action="append", choices=[*MUTATORS], help="this rule (may be repeated)")
    parser.add_argument("--missed", action="store_true", help="list the mutants that are not found")
    given = parser.parse_args()
    every = [*planted(files(given.paths), given.only or [*MUTATORS])]
    for name in dict.fromkeys(one.rule for one in every):
        _print(name, [one for one in every if one.rule == name])
    _print("all", every)
    if given.missed:
        for one in every:
            if not one.is_found:
                print(f"{one.file.path}:{one.mutant.line}: {one.rule} is not found")


def _print(name: str, some: list[Planted]) -> None:
    found = sum(one.is_found for one in some)
    share = f"{100 * found / len(some):.0f} %" if some else "-"
    count = len({one.file.path for one in some})
    print(f"{name:32} {found:4} of {len(some):4} found, {share:>5}, in {count} files")


if __name__ == "__main__":
    main()
