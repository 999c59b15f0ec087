"""Showing that a rule is right: its example, run as it is and as it should be, side by side."""

from __future__ import annotations

import ast
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from torchlore.analysis.names import bound_names
from torchlore.device import RunResult
from torchlore.rules import Rule

Row = tuple[str, str, str]

_VERSIONS = re.compile(
    r"^## Example$.*?^```py\n(?P<bad>.*?)^```$.*?^## Use instead$.*?^```py\n(?P<good>.*?)^```$", re.M | re.S
)
_SEED = "__import__('torch').manual_seed(0); "
"""Before the first line of both, on that line, so that they differ in nothing but the mistake."""


_PLACE = re.compile(r" at 0x[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Versions:
    """The two programs in the documentation of a rule."""

    bad: str
    good: str


@dataclass(frozen=True, slots=True)
class Proof:
    """How the two went."""

    bad: RunResult
    good: RunResult

    def rows(self) -> list[Row]:
        """A head, how they ended, then what differs in what they warn of and print and in what names hold."""
        values = [
            {one.name: one.value.summary() for one in result.lines if one.name}
            for result in (self.bad, self.good)
        ]
        found = [
            self._row("warns", lambda result: " / ".join(one.message for one in result.warnings)),
            self._row("prints", lambda result: _shortened(result.stdout)),
        ]
        for name in dict.fromkeys([*values[0], *values[1]]):
            found.append((name, values[0].get(name, ""), values[1].get(name, "")))
        head: list[Row] = [("", "as it is", "as it should be"), self._row("outcome", _outcome)]
        return head + [row for row in found if _PLACE.sub("", row[1]) != _PLACE.sub("", row[2])]

    def _row(self, what: str, told: Callable[[RunResult], str]) -> Row:
        return what, told(self.bad), told(self.good)

    def verdict(self) -> str:
        """One sentence, which claims no more than was seen."""
        if not self.good.ok:
            return (
                f"This machine cannot show it: as it should be, the example ends with {_outcome(self.good)}"
            )
        rows = self.rows()
        if len(rows) == 2 and rows[1][1] == rows[1][2]:
            return (
                "Run by itself, the example ends alike both ways: what it costs shows in more than it holds."
            )
        return "Same seed, same device; what differs comes from the mistake alone."


def versions_of(rule: type[Rule]) -> Versions | None:
    """The example of a rule and what to use instead; None where it is no program about torch."""
    found = _VERSIONS.search(rule.documentation())
    if found is None or "torch" not in found["bad"]:
        return None
    return Versions(found["bad"], found["good"])


async def proven(versions: Versions, run: Callable[[str, tuple[int, int]], Awaitable[RunResult]]) -> Proof:
    """Runs both, one after the other.

    Args:
        versions: of a rule.
        run: runs a program and tells what the lines gave.
    """
    results = []
    for code in (versions.bad, versions.good):
        program = _telling(code)
        results.append(await run(program, (1, program.count("\n") + 1)))
    return Proof(*results)


def _telling(code: str) -> str:
    """The program, seeded; at its end, when they hold what counts, its names are bound once more."""
    tree = ast.parse(code)
    bound = {
        name
        for statement in tree.body
        if not isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef)
        for name in bound_names(statement)
    }
    last = "\n".join(f"{name} = {name}" for name in sorted(bound - {"_"}))
    docstring = ast.get_docstring(tree) is not None
    return f"{'' if docstring else _SEED}{code.rstrip()}\n{last}\n"


def _outcome(result: RunResult) -> str:
    error = result.error
    return result.outcome if error is None else f"{error.type}: {_shortened(error.message)}"


def _shortened(text: str, most: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
