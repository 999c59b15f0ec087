"""Which rules are on: codes, prefixes, families, names and `ALL`, the more exact one winning."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torchlore import rules
from torchlore.rules.model import Family, Rule, Severity

ON_BY_DEFAULT = frozenset({Severity.ERROR, Severity.WARNING})
"""Severities that need no selector on the command line."""


class SelectionError(ValueError):
    """A selector means no rule; `str()` is one sentence for the user."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for.

    Attributes:
        select: selectors of the rules that are on; empty: every rule.
        ignore: selectors of the rules that are off.
        extend: selectors of rules that are on as well.

    A selector is a code (`TL101`), the beginning of one (`TL1`), a family (`training`), a rule's name
    (`missing-zero-grad`) or `ALL`. Where both lists name a rule the more exact selector wins, so that
    `select=["TL101"], ignore=["training"]` leaves TL101 on; of two equally exact ones, `ignore` wins.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend: tuple[str, ...] = ()

    def asks_for(self, rule: type[Rule]) -> bool:
        """Whether a selector means `rule`; if so, it is not held back for its severity."""
        return any(_exactness(selector, rule) for selector in (*self.select, *self.extend))

    def rules(self) -> tuple[type[Rule], ...]:
        """The rules that are on, in the order of their codes.

        Raises:
            SelectionError: a selector means no rule.
        """
        known = rules.all_rules()
        for selector in (*self.select, *self.extend, *self.ignore):
            check_selector(selector)
        return tuple(rule for rule in known if self._is_on(rule))

    def without(self, selectors: tuple[str, ...]) -> Selection:
        """This selection with more rules off: they win over every selector in `select`."""
        off = tuple(rule.code for rule in rules.all_rules() if any(_exactness(s, rule) for s in selectors))
        return replace(self, ignore=self.ignore + off)

    def _is_on(self, rule: type[Rule]) -> bool:
        wanted = max((_exactness(s, rule) for s in (*self.select, *self.extend)), default=0)
        wanted = wanted if self.select else max(1, wanted)
        unwanted = max((_exactness(s, rule) for s in self.ignore), default=0)
        return wanted > unwanted


def check_selector(selector: str) -> None:
    """Does nothing where `selector` means a rule.

    Raises:
        SelectionError: it means none; the message names the nearest one that does.
    """
    if any(_exactness(selector, rule) for rule in rules.all_rules()):
        return
    if selector.lower() in {family.value for family in Family}:
        return  # A family of the catalogue that has no rule yet is no mistake of the user's.
    message = f"unknown rule `{selector}`"
    near = _nearest(selector)
    raise SelectionError(
        f"{message}; did you mean `{near}`?" if near else f"{message}; `torchlore explain` lists them"
    )


def split_selectors(values: list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    """The selectors of a repeatable, comma-separated option: `["TL101,TL2", "data"]` has three."""
    return tuple(part.strip() for value in values or () for part in value.split(",") if part.strip())


def _exactness(selector: str, rule: type[Rule]) -> int:
    """How exactly `selector` means `rule`: 0 not at all, 1 `ALL`, then longer prefixes, last code or name."""
    upper = selector.upper()
    if upper == "ALL":
        return 1
    if upper == rule.code or selector.lower() == rule.name:
        return 10
    if selector.lower() == rule.family.value:
        return 3  # A family is its prefix: `training` is `TL1`.
    return len(upper) if upper.startswith("TL") and rule.code.startswith(upper) else 0


def _nearest(selector: str) -> str | None:
    import difflib  # Few selectors are misspelt.

    known = rules.all_rules()
    names = [r.code for r in known] + [r.name for r in known] + [f.value for f in Family] + ["ALL"]
    by_lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(selector.lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[found[0]] if found else None
