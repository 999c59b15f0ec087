"""Checks commits that repaired a mistake of ours, before and after: `python -m tests.history MIRRORS`.

`repairs.tsv` lists commits that a search of messages and diffs brought up and whose diff repairs what one
of our rules is about; what we miss stays in the list. `docs/history.md` says how it was chosen, and what of
it was changed after the first check. A repair is found where the rule speaks at its line before it, and less
often in its file after it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.history.measure import Measured, measured
from tests.history.repairs import read_repairs
from tests.history.trees import HistoryError


def main() -> None:
    """Prints one row of a Markdown table per repair, and how many are found."""
    parser = argparse.ArgumentParser(prog="python -m tests.history", description=__doc__)
    parser.add_argument("mirrors", type=lambda text: Path(text).resolve(), metavar="MIRRORS")
    parser.add_argument("--only", action="append", help="repairs of this rule, or commit (may be repeated)")
    given = parser.parse_args()
    repairs = [
        repair
        for repair in read_repairs()
        if not given.only or any(repair.rule == name or repair.commit.startswith(name) for name in given.only)
    ]
    print(HEADING)
    try:
        found = sum(_printed(measured(repair, given.mirrors)) for repair in repairs)
    except HistoryError as error:
        raise SystemExit(str(error)) from None
    print(f"\n{found} of {len(repairs)} found")


HEADING = """\
| repository | commit | mistake | rule | before | after |
|---|---|---|---|---|---|"""


def row(result: Measured) -> str:
    """A repair as a row of the table."""
    repair = result.repair
    cells = (
        repair.repository,
        f"`{repair.commit[:10]}`",
        repair.mistake,
        repair.rule,
        "found" if repair.line in result.before else "-",
        _after(result),
    )
    return f"| {' | '.join(cells)} |"


def _after(result: Measured) -> str:
    if result.is_found:
        return "gone"
    return "still there" if result.repair.line in result.before else "-"


def _printed(result: Measured) -> bool:
    print(row(result), flush=True)
    return result.is_found


if __name__ == "__main__":
    main()
