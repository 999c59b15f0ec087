"""The rules that comments name, and where: `# noqa: TL101`, `# torchlore: ignore[missing-zero-grad]`."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.rules.engine import rule_by_code_or_name
from torchlore.rules.model import Rule
from torchlore.rules.suppression import directives
from torchlore.text import Source, Span


def mentioned_rules(source: Source) -> Iterator[tuple[Span, type[Rule]]]:
    """Each code or name of a rule in a comment that switches findings off, in the order of the text.

    Those of other tools, and those that no rule has, are left out.
    """
    for directive in directives(source):
        if directive.listed is None:
            continue
        at = directive.listed.start
        for code in directive.codes:
            at = source.text.index(code, at)
            rule = rule_by_code_or_name(code)
            if rule is not None:
                yield Span(at, at + len(code)), rule
            at += len(code)
