"""What rules are and what they say. Plain data: `lsp/` and `cli/` turn it into what their reader needs."""

from __future__ import annotations

import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, ClassVar

from torchlore.text import Edit, Source, Span

if TYPE_CHECKING:
    from torchlore.analysis import Analysis

_LINK = re.compile(r"https?://[^\s)>]+")

HEADINGS = (
    "What it does",
    "Why is this bad?",
    "Example",
    "Use instead",
    "Fix safety",
    "Known limits",
    "References",
)
"""The headings of every rule's documentation, in order."""


class Severity(str, Enum):
    """How sure and how bad. Only ERROR and WARNING are on by default on the command line."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"
    HINT = "hint"


class Family(str, Enum):
    """The digit after `TL`, from 0."""

    COMMENTS = "comments"
    TRAINING = "training"
    AUTOGRAD = "autograd"
    MODULES = "modules"
    LOSSES = "losses"
    DATA = "data"
    DEVICES = "devices"
    DISTRIBUTED = "distributed"
    SHAPES = "shapes"
    API = "api"


@dataclass(frozen=True, slots=True)
class Fix:
    """One repair.

    Attributes:
        title: what it does, in the imperative: "Clear the gradients of `optimizer` before `backward`".
        edits: all positions are in the source that was checked; none overlap.
        safe: it never changes behaviour that was right, so that it may run on save and with `--fix`.
    """

    title: str
    edits: tuple[Edit, ...]
    safe: bool


@dataclass(frozen=True, slots=True)
class Related:
    """Another place in the same file that explains the finding."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake in one file.

    Attributes:
        fixes: the preferred repair first; may be empty.
        card: slug of the card that explains it; empty where none does.
        is_type_checked: type checkers underline the same, as it carries `@deprecated`.
    """

    code: str
    name: str
    severity: Severity
    message: str
    span: Span
    fixes: tuple[Fix, ...] = ()
    related: tuple[Related, ...] = ()
    url: str = ""
    card: str = ""
    is_type_checked: bool = False


class Rule(ABC):
    """One kind of mistake. The class's docstring is its documentation (see `HEADINGS`).

    Attributes:
        code: `TL` + family digit + two digits. Never used again for another rule.
        name: highlights the mistake; reads after "allow": `allow missing-zero-grad`.
        family: where it belongs.
        severity: the worst of its findings, and of those that do not say otherwise.
        since: the torchlore version that brought it.
        card: slug of the card that explains it; empty for rules about comments.
        trigger: a regular expression; a file whose text does not match it is not checked.
        follows: whether it needs to know what imported functions do, not only which classes there are.
        is_quick: whether `check` takes less time than `concerns`, where the file is analysed anyway.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    family: ClassVar[Family]
    severity: ClassVar[Severity]
    since: ClassVar[str]
    card: ClassVar[str]
    trigger: ClassVar[str]
    follows: ClassVar[bool] = True
    is_quick: ClassVar[bool] = False

    @abstractmethod
    def check(self, analysis: Analysis) -> Iterator[Finding]:
        """Yields what is wrong. Says nothing where it is not certain."""

    @classmethod
    def concerns(cls, source: Source) -> bool:
        """Whether it can have something to say, as the tree alone tells: most files need no analysis."""
        return True

    @classmethod
    def documentation(cls) -> str:
        """The rule's documentation in Markdown, its headings at level two."""
        return inspect.cleandoc(cls.__doc__ or "")

    @classmethod
    def finding(
        cls,
        message: str,
        span: Span,
        *,
        fixes: tuple[Fix, ...] = (),
        related: tuple[Related, ...] = (),
        severity: Severity | None = None,
        is_type_checked: bool = False,
    ) -> Finding:
        """A finding of this rule."""
        grade = severity or cls.severity
        said = (cls.code, cls.name, grade, message, span, fixes, related)
        return Finding(*said, cls.url(), cls.card, is_type_checked)

    @classmethod
    def url(cls) -> str:
        """The page of PyTorch's documentation that the rule rests on: the first link of its documentation."""
        return _first_link(cls)


@cache
def _first_link(rule: type[Rule]) -> str:
    match = _LINK.search(rule.documentation())
    return match[0] if match else ""


class LastRule(Rule):
    """A rule about what the others found."""

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        return iter(())

    @abstractmethod
    def judge(self, analysis: Analysis, found: Sequence[Finding], off: Set[str]) -> Iterator[Finding]:
        """Yields what is wrong, given what the other rules found.

        Args:
            analysis: of the file.
            found: by all other rules that were asked, before any comment was heeded.
            off: the codes, and names in capitals, of rules that were not asked.
        """
