"""Whether a change of torch's concerns a project: by the versions that it declares."""

from __future__ import annotations

from torchlore.analysis import Analysis
from torchlore.analysis.requirements import Version
from torchlore.rules.api._table import Change, version

ASSUMED_OLDEST: Version = (2, 4)
ASSUMED_NEWEST: Version = (2, 13)
"""The versions that code is for where its project declares none: what takes the place of something must be in
the oldest; the newest is the one on which everything here was tried."""


def oldest(analysis: Analysis) -> Version:
    """The oldest version that the project is for."""
    declared = analysis.torch
    return declared.oldest or min(ASSUMED_OLDEST, declared.newest or ASSUMED_OLDEST)


def newest(analysis: Analysis) -> Version:
    """The newest version that the project is for; where it sets no bound, the newest that we surely know."""
    declared = analysis.torch
    return declared.newest or max(ASSUMED_NEWEST, declared.oldest or ASSUMED_NEWEST)


def is_gone(analysis: Analysis, change: Change) -> bool:
    """Whether the name is missing, or raises, in the newest version that the project is for."""
    gone = change.removed or version(change.rewrite.get("by", ""))
    return gone is not None and gone <= newest(analysis)


def is_deprecated(analysis: Analysis, change: Change) -> bool:
    """Whether the newest version that the project is for has the name and deprecates it."""
    if is_gone(analysis, change) or newest(analysis) < (change.deprecated or _ALWAYS):
        return False
    return change.removed is None or change.run != "quiet" or bool(change.advice)


_ALWAYS: Version = (1, 9)
"""What is deprecated, no one knows since when, was so in this version."""


def has_what_to_use(analysis: Analysis, change: Change) -> bool:
    """Whether what takes its place is in every version that the project is for."""
    return change.use_since is None or change.use_since <= oldest(analysis)


def written(version: Version) -> str:
    """As people speak of it."""
    return f"{version[0]}.{version[1]}"
