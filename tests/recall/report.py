"""What a complete run found, as `docs/recall.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torchlore.rules import Rule, all_rules

from tests.perf.corpus import File
from tests.recall.results import Result, share

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ENOUGH = 70
"""Percent of a rule's mutants; below it the table gives a reason."""


@dataclass(frozen=True, slots=True)
class Said:
    """What no run can tell.

    Attributes:
        trees: the commit of each repository.
        missed: by rule, why some mutants are missed, or why there are few.
        without: by rule, why nothing is planted.
    """

    trees: Mapping[str, str]
    missed: Mapping[str, str]
    without: Mapping[str, str]


def said() -> Said:
    """What `said.toml` holds."""
    return Said(**tomllib.loads((Path(__file__).parent / "said.toml").read_text("utf-8")))


def markdown(corpus: list[File], by_rule: Mapping[str, list[Result]], most: int) -> str:
    """The page about a run over `corpus`: what it measures, a row for each rule, and the trees."""
    every = [one for some in by_rule.values() for one in some]
    told = said()
    return _PAGE.format(
        found=sum(one.is_found for one in every),
        planted=len(every),
        share=f"{share(every) or 0:.1f}",
        files=len({(one.tree, one.file) for one in every}),
        trees=len({one.tree for one in every}),
        most=most,
        rules=sum(map(bool, by_rule.values())),
        weak=sum(_is_weak(some) for some in by_rule.values() if some),
        enough=ENOUGH,
        repositories="\n".join(_trees(corpus, every, told)),
        rows="\n".join(_row(rule, by_rule[rule.name], told) for rule in _rules(by_rule)),
        without="\n".join(
            f"| {rule.code} {rule.name} | {told.without[rule.name]} |" for rule in _rules(told.without)
        ),
    )


def _rules(names: Iterable[str]) -> list[type[Rule]]:
    """These rules, by their codes."""
    wanted = {*names}
    return sorted((rule for rule in all_rules() if rule.name in wanted), key=lambda rule: rule.code)


def _trees(corpus: list[File], every: list[Result], told: Said) -> Iterable[str]:
    for repository, commit in told.trees.items():
        name = repository.rpartition("/")[2]
        files = sum(file.tree.name == name for file in corpus)
        some = [one for one in every if one.tree == name]
        yield f"| {repository} | {commit} | {files} | {len(some)} | {sum(one.is_found for one in some)} |"


def _row(rule: type[Rule], some: list[Result], told: Said) -> str:
    percent, found = share(some), sum(one.is_found for one in some)
    reason = told.missed.get(rule.name, "**not examined**") if _is_weak(some) else ""
    cells = (
        f"{rule.code} {rule.name}",
        len(some),
        found,
        "–" if percent is None else f"{percent:.0f} %",
        len({(one.tree, one.file) for one in some}),
        reason,
    )
    return f"| {' | '.join(map(str, cells))} |"


def _is_weak(some: list[Result]) -> bool:
    """Whether a row has to say why."""
    return (share(some) or 0) < ENOUGH


_PAGE = """\
# How much the rules find

`python -m tests.recall` plants mistakes in correct code of public repositories, one in each copy of a file,
and counts how many the rule for that mistake finds. **{found} of {planted} are found, {share} %**, in
{files} files of {trees} repositories, for {rules} rules; {weak} of these are below {enough} %: their rows
say why.

## What the shares mean, and what they do not

- They say how often a rule speaks where its mistake stands in real code and can be *seen* there. A mutator
  goes by the syntax of the file, and by what its own imports and assignments bind names to; it never asks our
  analysis. But it plants only where the file itself shows what things are: that `optimizer` is an optimizer
  of torch, that the loop trains. Of code in which a model comes out of a registry or a configuration the
  shares say nothing, and there less is found: [history.md](history.md) counts what people really repaired.
- The mutators were narrowed after their first mutants had been read, where what they planted was no mistake,
  or one that nobody could tell from that file. What a rule missed and could have told for certain was mended
  in the rule or in the analysis, and these are the mutants that are counted here. So this is no recall on
  unseen code either.
- A mutant is found when the rule, silent about the file as it is, speaks of the changed file; where it speaks
  is not compared. Rules that are off by default are counted like the others.
- At most {most} mutants of a rule count, and four of a file: the trees take turns, and in a tree the files
  come in an order that has nothing to do with what they are about. The same mutants are made in every run.
- A share of few mutants says little. What a rule with a reason misses was traced to its cause, most of it in
  one round after which rules and mutators were mended. All rules were measured on one state of the code.

## The rules

| rule | planted | found | share | files | why less than {enough} % |
|---|---|---|---|---|---|
{rows}

## Rules of which nothing is planted

| rule | why |
|---|---|
{without}

## The repositories

| repository | commit | files with torch | planted | found |
|---|---|---|---|---|
{repositories}

`python -m tests.recall PATH… --most {most} --markdown docs/recall.md` writes this page, with these
repositories as the paths; `--only RULE --missed` shows what is missed. The reasons stand in
`tests/recall/said.toml`.
"""
