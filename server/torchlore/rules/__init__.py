"""What is wrong: one file per rule, found by scanning the packages of the families.

What finds and runs them is imported when it is first asked for: who only reads a configuration, or what was
found earlier, needs none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity

if TYPE_CHECKING:
    from torchlore.rules.engine import all_rules, check, rule_by_code_or_name

__all__ = [
    "Family",
    "Finding",
    "Fix",
    "Related",
    "Rule",
    "Severity",
    "all_rules",
    "check",
    "rule_by_code_or_name",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.engine"), name)
