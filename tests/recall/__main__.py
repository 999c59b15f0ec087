"""Plants mistakes in correct code and counts how many are found: `python -m tests.recall PATH…`.

A file counts for a rule where the rule finds nothing in it as it is. Each mutant has one mistake; it is found
where the rule then finds something.
"""

from __future__ import annotations

import argparse
import difflib
import gc
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.perf.corpus import File, files
from tests.recall.mutants import mutators
from tests.recall.planting import MOST, Planted, planted
from tests.recall.report import markdown
from tests.recall.results import Result, add_results, line, read_results


def main() -> None:
    """Prints the share that is found, by rule."""
    gc.disable()  # hardly anything is garbage before its analysis ends, and the collector walks all trees
    given = _parser().parse_args()
    corpus = files(given.paths)
    rules = given.only or [*mutators()]
    by_rule = read_results(given.record) if given.record is not None else {}
    left = [rule for rule in rules if rule not in by_rule]
    for rule, some in zip(left, _measured(corpus, left, given.most, given.jobs), strict=True):
        by_rule[rule] = [Result.of(one) for one in some]
        print(line(rule, by_rule[rule]), flush=True)
        if given.record is not None:
            add_results(given.record, rule, by_rule[rule])
        for one in some:
            if given.found if one.is_found else given.missed:
                print(_shown(one))
    print(line("all", [one for rule in rules for one in by_rule[rule]]))
    if given.markdown is not None:
        page = markdown(corpus, {rule: by_rule[rule] for rule in rules}, given.most)
        given.markdown.write_text(page, encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.recall", description=__doc__)
    parser.add_argument("paths", nargs="+", type=lambda text: Path(text).resolve(), metavar="PATH")
    parser.add_argument("--only", action="append", choices=[*mutators()], help="this rule (may be repeated)")
    parser.add_argument("--most", type=int, default=MOST, help="of a rule (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default %(default)s)")
    parser.add_argument("--missed", action="store_true", help="show the mutants that are not found")
    parser.add_argument("--found", action="store_true", help="show the mutants that are found")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep results, go on from there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write a page about the run, too")
    return parser


def _measured(corpus: list[File], rules: list[str], most: int, jobs: int) -> Iterator[list[Planted]]:
    """The mutants of each rule, in turn."""
    if jobs == 1:
        yield from (planted(corpus, rule, most) for rule in rules)
        return
    with ProcessPoolExecutor(jobs, initializer=_begin, initargs=(corpus, most)) as pool:
        yield from pool.map(_planted_in_process, rules)


_SHARED: list[tuple[list[File], int]] = []
"""The corpus and the number of mutants, handed once to each process."""


def _begin(corpus: list[File], most: int) -> None:
    gc.disable()
    _SHARED.append((corpus, most))


def _planted_in_process(rule: str) -> list[Planted]:
    corpus, most = _SHARED[0]
    return planted(corpus, rule, most)


def _shown(one: Planted) -> str:
    """Where a mistake is planted, and how the file differs."""
    before, after = one.file.text.splitlines(), one.mutant.text.splitlines()
    changes = list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]
    told = "found" if one.is_found else "not found"
    return "\n".join([f"{one.file.path}:{one.mutant.line}: {one.rule} is {told}", *changes, ""])


if __name__ == "__main__":
    main()
