"""What a run found, without the files: what is counted, and kept from one piece of a run to the next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.recall.planting import Planted


@dataclass(frozen=True, slots=True)
class Result:
    """A mutant, and whether it was found.

    Attributes:
        tree: the name of the folder that was asked for.
        file: where the file lies in there.
        line: where the mistake was planted, 1-based.
    """

    tree: str
    file: str
    line: int
    is_found: bool

    @classmethod
    def of(cls, one: Planted) -> Result:
        return cls(one.file.tree.name, one.file.name, one.mutant.line, one.is_found)


def read_results(path: Path) -> dict[str, list[Result]]:
    """By rule, what `add_results` wrote; nothing where there is no such file."""
    if not path.exists():
        return {}
    rows = (json.loads(row) for row in path.read_text("utf-8").splitlines())
    return {row["rule"]: [Result(**one) for one in row["results"]] for row in rows}


def add_results(path: Path, rule: str, results: Sequence[Result]) -> None:
    """Puts the results of a rule at the end of a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"rule": rule, "results": [asdict(one) for one in results]}) + "\n")


def share(results: Sequence[Result]) -> float | None:
    """Percent that is found; None of nothing."""
    return 100 * sum(one.is_found for one in results) / len(results) if results else None


def line(name: str, results: Sequence[Result]) -> str:
    """One line of text about a rule."""
    percent = share(results)
    told = "-" if percent is None else f"{percent:.0f} %"
    found, count = sum(one.is_found for one in results), len({(one.tree, one.file) for one in results})
    trees = len({one.tree for one in results})
    return f"{name:32} {found:4} of {len(results):4} found, {told:>5}, in {count} files of {trees} trees"
