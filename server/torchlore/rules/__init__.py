"""What is wrong: one file per rule, found by scanning the packages of the families."""

from torchlore.rules.engine import all_rules, check, rule_by_code_or_name
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity

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
