"""Commits that repair a mistake of ours, as `repairs.tsv` lists them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "repairs.tsv"

_COLUMNS = 7


@dataclass(frozen=True, slots=True)
class Repair:
    """One commit that repairs a mistake that a rule is about.

    Attributes:
        repository: as its host names it, `owner/name`.
        commit: the one that repairs it; the mistake is in its first parent.
        path: the file with the mistake, in the repository.
        line: of the mistake before the repair, from 1.
        rule: the code of the rule that is about it.
        is_known: whether we find it.
        mistake: what was wrong, in a clause.
    """

    repository: str
    commit: str
    path: str
    line: int
    rule: str
    is_known: bool
    mistake: str


def read_repairs(file: Path = FILE) -> list[Repair]:
    """The repairs that a file lists, in its order.

    Args:
        file: one repair a line, its columns separated by tabs; lines that begin with `#` are for people.

    Raises:
        ValueError: a line is none of these; the message says which.
    """
    lines = enumerate(file.read_text("utf-8").splitlines(), 1)
    return [_repair(line, number) for number, line in lines if line and not line.startswith("#")]


def _repair(line: str, number: int) -> Repair:
    columns = line.split("\t")
    if len(columns) != _COLUMNS or not columns[3].isdigit() or columns[5] not in ("found", "missed"):
        raise ValueError(
            f"line {number}: not repository, commit, path, line, rule, found or missed, mistake: {line!r}"
        )
    repository, commit, path, at, rule, known, mistake = columns
    return Repair(repository, commit, path, int(at), rule, known == "found", mistake)
