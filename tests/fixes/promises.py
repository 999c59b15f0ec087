"""What every fix promises, checked by applying it.

Each fix of each finding is applied by itself, the second and third choices too, and the first ones all
together, as "fix all" does it. Nothing is written.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from torchlore.analysis import analyze
from torchlore.analysis.workspace import Workspace
from torchlore.config import Config, check_source
from torchlore.fixing import fix_text
from torchlore.rules.model import Finding, Fix, Severity
from torchlore.text import Edit, Source, Span
from torchlore.text.nodes import first_line

EVERY_RULE = Config(select=("ALL",))


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that is not kept.

    Attributes:
        code: of the finding; empty where it is about all fixes together.
        line: of the finding, 1-based.
        title: of the fix.
        promise: what does not hold, in words.
    """

    code: str
    line: int
    title: str
    promise: str


def findings_of(source: Source, workspace: Workspace | None = None) -> list[Finding]:
    """What all rules find, those that are off by default as well."""
    analysis = analyze(source, workspace=workspace)
    found = check_source(analysis, EVERY_RULE, Severity.HINT)
    analysis.forget()
    return found


def broken_alone(
    source: Source, found: list[Finding], workspace: Workspace | None = None
) -> Iterator[Broken]:
    """The promises that a fix of a source does not keep by itself.

    Args:
        source: the code.
        found: in it, by `findings_of`.
        workspace: as for `analyze`.
    """
    for finding in found:
        line = source.position(finding.span.start)[0] + 1
        for fix in finding.fixes:
            for promise in _broken(source, found, finding, fix, workspace):
                yield Broken(finding.code, line, fix.title, promise)


def _broken(
    source: Source, found: list[Finding], finding: Finding, fix: Fix, workspace: Workspace | None
) -> Iterator[str]:
    wrong = _misplaced(source, fix.edits)
    if wrong:
        yield wrong
        return
    after = source.edited(fix.edits)
    yield from _spoiled(source, after, _comments_that_go(source, [finding]))
    elsewhere = _changed_elsewhere(source, finding, fix)
    if elsewhere:
        yield f"changes line {elsewhere[0]}, in a definition that it does not speak of"
    left = findings_of(after, workspace)
    milder = _RANK.index(finding.severity) + 1
    new = _codes(left) - _codes(found) - _codes([one for one in left if one.severity in _RANK[milder:]])
    yield from (f"brings a new finding: {code}" for code in new)
    if _told(finding) in {_told(one) for one in left} and _codes(left) >= _codes(found):
        yield "leaves the finding as it was"


_RANK = tuple(Severity)
"""From the worst down. A mistake may be mended into something that could be better still."""


def broken_together(
    source: Source, found: list[Finding], workspace: Workspace | None = None
) -> Iterator[Broken]:
    """The promises that the fixes of a source do not keep together: the safe ones, and all of them.

    `fix_text` applies them until none is left, so that a second time would change nothing; it says so where
    they do not come to an end.
    """
    for title, unsafe in (("all safe fixes", False), ("all fixes", True)):
        try:
            fixed = fix_text(source, EVERY_RULE, unsafe=unsafe, mildest=Severity.HINT, workspace=workspace)
        except ValueError as error:  # edits overlap
            yield Broken("", 0, title, str(error))
            continue
        new = _codes([*fixed.findings]) - _codes(found)
        wrong = [*fixed.problems, *(f"brings a new finding: {code}" for code in new)]
        wrong += _spoiled(source, fixed.source, _comments_that_go(source, found))
        yield from (Broken("", 0, title, promise) for promise in wrong)


def _codes(found: list[Finding]) -> Counter[str]:
    return Counter(finding.code for finding in found)


def _told(finding: Finding) -> tuple[str, str]:
    """A finding without its line numbers, which move with the text."""
    return finding.code, re.sub(r"\blines? \d+", "line …", finding.message)


def _misplaced(source: Source, edits: tuple[Edit, ...]) -> str:
    """What is wrong with the places of edits, in words."""
    spans = sorted(edit.span for edit in edits)
    if all(source.segment(edit.span) == edit.text for edit in edits):
        return "changes nothing"
    if not all(0 <= span.start <= span.end <= len(source.text) for span in spans):
        return "has an edit outside the text"
    if any(a.overlaps(b) for a, b in pairwise(spans)):
        return "has edits that overlap"
    return ""


def _spoiled(source: Source, after: Source, going: Counter[str]) -> Iterator[str]:
    """What a text has lost in its form: its syntax, comments but those `going`, clean ends of lines."""
    if len(after.parsed.blanked) > len(source.parsed.blanked):
        yield "breaks the syntax"
        return
    before, kept = (Counter(text for _, text in each.comments.values()) for each in (source, after))
    yield from (f"loses a comment: {comment}" for comment in before - kept - going)
    lines = {*source.text.splitlines()}
    trailing = [line for line in after.text.splitlines() if line != line.rstrip() and line not in lines]
    if trailing:
        yield f"leaves white space at the end of a line: {trailing[0].strip()!r}"


def _comments_that_go(source: Source, found: list[Finding]) -> Counter[str]:
    """Comments that findings are about, and those at the end of a line that a fix takes out as a whole."""
    removed = [edit.span for one in found for fix in one.fixes for edit in fix.edits if not edit.text]
    going: Counter[str] = Counter()
    for line, (offset, text) in source.comments.items():
        is_own = not source.text[source.lines.start(line) : offset].strip()
        whole = any(span.start <= source.lines.start(line) and offset < span.end for span in removed)
        comment = Span(offset, offset + len(text))
        if (whole and not is_own) or any(one.span.start in comment for one in found):
            going[text] += 1
    return going


def _changed_elsewhere(source: Source, finding: Finding, fix: Fix) -> list[int]:
    """Lines (1-based) that a fix changes in definitions that neither it nor its finding speaks of.

    They speak of their places, of related ones, and of the lines that they name. Imports may be added
    anywhere; with one that changes goes whatever uses it. A line that is only indented is not changed.
    """
    owners = _owners(source)
    replaced = [_lines(source, edit.span) for edit in fix.edits if source.segment(edit.span).strip()]
    if any(owners[line] == _IMPORTS for lines in replaced for line in range(*lines)):
        return []
    places = (finding.span, *(related.span for related in finding.related))
    near = {owner for span in places for owner in owners[slice(*_lines(source, span))]}
    near |= {owners[int(line) - 1] for line in re.findall(r"\bline (\d+)", f"{finding.message} {fix.title}")}
    changed = {
        line
        for edit in fix.edits
        if edit.text.strip() or source.segment(edit.span).strip()
        for line in range(*_lines(source, edit.span))
    }
    return sorted(line + 1 for line in changed if owners[line] not in near | {_IMPORTS})


_IMPORTS = -1


def _owners(source: Source) -> list[int]:
    """For each line the line of the function or class at the top level that it is of; 0 for none."""
    owners = [0] * (len(source.lines) + 1)
    for statement in source.tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            begin, end = first_line(statement), statement.end_lineno or statement.lineno
            owners[begin : end + 1] = [statement.lineno] * (end + 1 - begin)
    for imported in (*source.every(ast.Import), *source.every(ast.ImportFrom)):
        begin, end = imported.lineno - 1, imported.end_lineno or imported.lineno
        owners[begin : end + 1] = [_IMPORTS] * (end + 1 - begin)
    return owners


def _lines(source: Source, span: Span) -> tuple[int, int]:
    """The lines (0-based) that a span covers, and the first one after them; an empty span covers one."""
    first, last = source.position(span.start), source.position(span.end)
    ends_before = last[1] == 0 and last[0] > first[0]
    return first[0], last[0] + (0 if ends_before else 1)
