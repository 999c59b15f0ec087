"""Plants mistakes in correct code and counts how many are found: `python -m tests.recall PATH…`.

A file counts for a rule where the rule finds nothing in it as it is. Each mutant has one mistake; it is found
where the rule then finds something.
"""

from __future__ import annotations

import argparse
import difflib
from pathlib import Path

from tests.perf.corpus import files
from tests.recall.mutants import mutators
from tests.recall.planting import MOST, Planted, planted


def main() -> None:
    """Prints the share that is found, by rule."""
    parser = argparse.ArgumentParser(prog="python -m tests.recall", description=__doc__)
    parser.add_argument("paths", nargs="+", type=lambda text: Path(text).resolve(), metavar="PATH")
    parser.add_argument("--only", action="append", choices=[*mutators()], help="this rule (may be repeated)")
    parser.add_argument("--most", type=int, default=MOST, help="of a rule (default %(default)s)")
    parser.add_argument("--missed", action="store_true", help="show the mutants that are not found")
    parser.add_argument("--found", action="store_true", help="show the mutants that are found")
    given = parser.parse_args()
    corpus = files(given.paths)
    every: list[Planted] = []
    for rule in given.only or [*mutators()]:
        some = planted(corpus, rule, given.most)
        every += some
        print(_line(rule, some), flush=True)
        for one in some:
            if given.found if one.is_found else given.missed:
                print(_shown(one))
    print(_line("all", every))


def _line(name: str, some: list[Planted]) -> str:
    found = sum(one.is_found for one in some)
    share = f"{100 * found / len(some):.0f} %" if some else "-"
    count = len({one.file.path for one in some})
    trees = len({one.file.tree for one in some})
    return f"{name:32} {found:4} of {len(some):4} found, {share:>5}, in {count} files of {trees} trees"


def _shown(one: Planted) -> str:
    """Where a mistake is planted, and how the file differs."""
    before, after = one.file.text.splitlines(), one.mutant.text.splitlines()
    changes = list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]
    told = "found" if one.is_found else "not found"
    return "\n".join([f"{one.file.path}:{one.mutant.line}: {one.rule} is {told}", *changes, ""])


if __name__ == "__main__":
    main()
