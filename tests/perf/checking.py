"""`check`, one process: how long each part takes, against `ast.parse` of the same files."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from torchlore.analysis import analyze
from torchlore.cli.checking import tidy
from torchlore.config import Config
from torchlore.rules import check
from torchlore.rules.model import Severity
from torchlore.rules.triggers import follow_imports, triggered
from torchlore.text import Source

from tests.perf import stages
from tests.perf.corpus import File, files, workspace
from tests.perf.timing import collector_off, peak_memory, timed, verdict

RULES = Config().rules_for("any.py", Severity.WARNING)
"""Those that `check` asks where nothing is configured."""

LIMIT = 6.0
"""How many times as long as `ast.parse` a whole check may take."""

CHUNK = 16
"""Files after which `check` tidies up."""

_MEASURABLE = 0.002
"""Seconds: of a file that `ast.parse` takes less for, the ratio is mostly chance."""

_SHOWN = 5
"""Files named as the worst."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU time for one file: parsing it with `ast.parse` and tolerantly, analysing, the rules."""

    file: File
    parse: float
    tree: float
    run: float
    rules: float

    @property
    def total(self) -> float:
        return self.tree + self.run + self.rules

    @property
    def ratio(self) -> float:
        return self.total / self.parse


def print_check(paths: list[Path]) -> None:
    """Prints the ratios for all files below `paths`, and what each number is."""
    code = files(paths)
    rounds = 9 if sum(file.lines for file in code) < 60_000 else 1
    costs: list[Cost] = []
    collecting = 0.0
    with stages.sampled() as looks, collector_off():  # between files, too: as `check` has it
        for number, file in enumerate(code, 1):
            costs.append(_cost(file, rounds, looks))
            if number % CHUNK == 0 or number == len(code):
                collecting += timed(tidy)[1]
    _print_parts(costs, collecting, looks.found, rounds)
    _print_worst(costs)
    print(f"peak memory            {peak_memory()}, this process, after all of these files one by one\n")


def _cost(file: File, rounds: int, looks: stages.Looks) -> Cost:
    """The least that each part takes in some rounds; what a further one does is noted by `looks`."""
    found = [_cost_once(file) for _ in range(rounds)]
    parts = [min(times) for times in zip(*((c.parse, c.tree, c.run, c.rules) for c in found), strict=True)]
    least = Cost(file, *parts)
    if least.run:
        source = Source(file.text, str(file.path))
        follow = follow_imports(triggered(RULES, source), source)
        again = analyze(source, workspace=workspace(), follow=follow)
        looks.during(lambda: again.run)  # by itself: the timer that looks takes time, too
        again.forget()
    return least


def _cost_once(file: File) -> Cost:
    """As `torchlore.cli.checking` does it: a file that no rule can speak about is parsed and no more."""
    _, parse = timed(lambda: ast.parse(file.text))  # in each round: memory is as fresh for it as for the rest
    source = Source(file.text, str(file.path))
    _, tree = timed(lambda: source.tree)
    able, asking = timed(lambda: triggered(RULES, source))
    follow = follow_imports(able, source)
    analysis = analyze(source, workspace=workspace(), follow=follow)
    is_run, asking_on = timed(lambda: bool(able) or (follow and analysis.imports_files))
    run = timed(lambda: analysis.run)[1] if is_run else 0.0
    _, rules = timed(lambda: check(analysis, RULES))
    _, freeing = timed(analysis.forget)
    return Cost(file, parse, tree, run, asking + asking_on + rules + freeing)


def _print_parts(costs: list[Cost], collecting: float, parts: Counter[str], rounds: int) -> None:
    parse = sum(cost.parse for cost in costs)
    total = sum(cost.total for cost in costs) + collecting
    run = sum(cost.run for cost in costs)
    lines = sum(cost.file.lines for cost in costs)
    holds = verdict(total <= LIMIT * parse)
    print(f"check, one process     {len(costs)} files, {lines} lines; ast.parse of them {parse:.2f} s")
    print(f"  total                {total / parse:6.2f} x ast.parse (at most {LIMIT:.0f}: {holds})")
    print(f"  tolerant parse       {sum(cost.tree for cost in costs) / parse:6.2f} x")
    asked = sum(cost.run > 0 for cost in costs)
    print(f"  analysis, one pass   {run / parse:6.2f} x  ({asked} files that a rule may speak about)")
    looks = sum(parts.values())
    for name in (stages.NAMES, stages.VALUES, stages.EVENTS, stages.OTHERS):
        share = f"{run * parts[name] / looks / parse:6.2f} x" if looks else "no timer on this system"
        print(f"    {name.split(' ')[0]:<19}{share}")
    print(f"  rules                {sum(cost.rules for cost in costs) / parse:6.2f} x")
    print(f"  collecting garbage   {collecting / parse:6.2f} x")
    print(f"  CPU time, the best of {rounds} of each part of a file; the collector is off, as in `check`")
    print("\n".join(f"  {line}" for line in stages.LEGEND.splitlines()))


def _print_worst(costs: list[Cost]) -> None:
    total = sum(cost.total for cost in costs)
    measurable = [cost for cost in costs if cost.parse >= _MEASURABLE] or costs
    print("worst files by ratio")
    for cost in sorted(measurable, key=lambda cost: -cost.ratio)[:_SHOWN]:
        print(
            f"  {cost.ratio:6.1f} x  {1000 * cost.total:7.0f} ms  {cost.file.lines:6} lines  {cost.file.name}"
        )
    print("worst files by time, with their share of all")
    for cost in sorted(costs, key=lambda cost: -cost.total)[:_SHOWN]:
        share = 100 * cost.total / total
        print(f"  {share:5.1f} %  {1000 * cost.total:8.0f} ms  {cost.file.lines:6} lines  {cost.file.name}")
