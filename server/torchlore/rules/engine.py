"""Finds the rules and runs them."""

from __future__ import annotations

import importlib
import inspect
import logging
import pkgutil
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING

from torchlore.pausing import pause
from torchlore.rules.model import Family, Finding, LastRule, Rule
from torchlore.rules.triggers import follow_imports, triggered
from torchlore.rules.waiting import settled

if TYPE_CHECKING:
    from torchlore.analysis import Analysis

_LOG = logging.getLogger(__name__)


@cache
def all_rules() -> tuple[type[Rule], ...]:
    """Every rule, by code. Dropping a file into a family's folder is all it takes to add one."""
    found = (rule for family in Family for rule in _rules_of(family))
    return tuple(sorted(found, key=lambda rule: rule.code))


def _rules_of(family: Family) -> Iterator[type[Rule]]:
    home = f"{__package__}.{family.value}"
    try:
        package = importlib.import_module(home)
    except ModuleNotFoundError:  # a family without rules yet has no folder
        return
    for module_info in pkgutil.iter_modules(package.__path__):
        pause()
        module = importlib.import_module(f"{home}.{module_info.name}")
        for _, member in inspect.getmembers(module, inspect.isclass):
            # First the module: in Python 3.10 `isclass(tuple[int])` holds, and issubclass raises for it.
            own = member.__module__ == module.__name__
            if own and issubclass(member, Rule) and not inspect.isabstract(member):
                yield member


def rule_by_code_or_name(key: str) -> type[Rule] | None:
    """The rule that `key` names (`TL101`, `tl101`, `missing-zero-grad`)."""
    for rule in all_rules():
        if key.upper() == rule.code or key.lower() == rule.name:
            return rule
    return None


def check(analysis: Analysis, rules: Iterable[type[Rule]] | None = None) -> list[Finding]:
    """What `rules` (all by default) find, by place. A rule that fails is logged and says nothing."""
    found: list[Finding] = []
    rules = tuple(all_rules() if rules is None else rules)
    able = triggered(rules, analysis.source)
    follows = follow_imports(able, analysis.source) and (bool(able) or analysis.imports_files)
    if follows and analysis.run.modules:
        # What happens in other files is not told from the words of this one.
        told = frozenset(able)
        able = [rule for rule in rules if rule.follows or rule in told]
    for rule in able:
        pause()
        try:
            found += rule().check(analysis)
        except Exception:
            _LOG.exception("%s failed on %s", rule.code, analysis.source.path)
    found = settled(analysis, found)
    unique = {(finding.code, finding.span): finding for finding in reversed(found)}
    found = [*unique.values()]
    last = [rule for rule in able if rule in _last_rules()]
    if last:
        off = {name for rule in set(all_rules()).difference(rules) for name in (rule.code, rule.name.upper())}
        found += [finding for rule in last for finding in rule().judge(analysis, found, off)]
    return sorted(found, key=lambda finding: (finding.span, finding.code))


@cache
def _last_rules() -> frozenset[type[LastRule]]:
    return frozenset(rule for rule in all_rules() if issubclass(rule, LastRule))
