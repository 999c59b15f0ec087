"""Cases of rules written in Markdown.

A file holds prose, headings and code blocks. A ```` ```py ```` block is one file to check; a line of it that
ends in `# error: [TL101] "part of the message"` must get exactly that finding, and no other line may get any.
Hints and information count in the file of their own rule, and where a mark asks for their code: cases of other
rules need not be at their best.
A ```` ```py fixed ```` block after it shows the file after the first fix of every finding, applied until
nothing changes. The headings above a block make its name.

Blocks of one heading that begin with `# file: models/net.py` are the files of one workspace. Each of them is
checked, with the others around it, and is a case of its own; a fixed block begins with the line of its file.
"""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from torchlore.analysis import Analysis, analyze
from torchlore.analysis.workspace import Workspace
from torchlore.rules import Finding, Severity, check, rule_by_code_or_name
from torchlore.text import Edit, Source, apply_edits

MAX_ROUNDS = 5
"""Fixes that touch each other wait for the next round; after so many, they fight."""

_FENCE = re.compile(
    r"^```(?P<info>[^\n]*)\n(?P<code>.*?)^```$|^(?P<level>#+) +(?P<title>[^\n]+)$", re.M | re.S
)
_FILE = re.compile(r"\A# file: (\S+)\n")
_MARK = re.compile(r'\s*# error: \[(?P<code>TL\d{3})\] "(?P<message>.*?)"(?=\s*(?:# error:|$))')


@dataclass(frozen=True, slots=True, order=True)
class Expected:
    """A finding that must be there: line (1-based), code, and a part of the message."""

    line: int
    code: str
    message: str

    def __str__(self) -> str:
        return f'line {self.line}: [{self.code}] "{self.message}"'

    def matches(self, finding: Expected) -> bool:
        return (self.line, self.code) == (finding.line, finding.code) and self.message in finding.message


@dataclass(frozen=True, slots=True)
class Case:
    """One block and what must be found in it.

    Attributes:
        name: the headings above the block.
        place: Markdown file and line of the block, for messages.
        code: the block without its marks.
        expected: what the marks ask for.
        fixed: the text after all fixes; None where no block shows it.
        path: of the file in its workspace; empty where it stands alone.
        files: the text of every file of the workspace by its path, its own included.
    """

    name: str
    place: str
    code: str
    expected: tuple[Expected, ...]
    fixed: str | None
    path: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def rule(self) -> str:
        """The rule that the case is about: files are called after rules."""
        return self.place.partition(".md:")[0]

    @property
    def codes(self) -> frozenset[str]:
        """The codes that its marks ask for."""
        return frozenset(expected.code for expected in self.expected)


def cases_below(folder: Path) -> list[Case]:
    """Every case of every Markdown file in the folders of `folder`."""
    return [case for path in sorted(folder.glob("*/*.md")) for case in cases_of(path)]


def cases_of(path: Path) -> list[Case]:
    """The cases of one Markdown file.

    Raises:
        ValueError: a block is neither `py` nor `py fixed`, a fixed block has nothing before it, or a
            workspace has two files of one name.
    """
    cases: list[Case] = []
    used: dict[str, int] = {}
    workspaces: dict[str, dict[str, str]] = {}
    for name, info, code, line in _blocks(path.read_text(encoding="utf-8")):
        place = f"{path.name}:{line}"
        file = _file_of(code)
        if info == "py fixed" and _with_fixed(cases, file, code):
            continue
        if info != "py":
            raise ValueError(f"{place}: a block `{info}` is not expected here")
        unmarked, expected = _unmark(code)
        files = workspaces.setdefault(name, {}) if file else {}
        if file in files:
            raise ValueError(f"{place}: {file} is there twice; give each case a heading of its own")
        used[name] = used.get(name, 0) + 1
        number = f": {file}" if file else f" {used[name]}" if used[name] > 1 else ""
        cases.append(Case(f"{path.stem}: {name}{number}", place, unmarked, expected, None, file, files))
        if file:
            files[file] = unmarked
    return cases


def problems_of(case: Case) -> str:
    """What is wrong with `case`, for a reader; empty where all is as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        write(case, root)
        return _problems(case, root)


def is_worse(finding: Finding) -> bool:
    """Whether a finding is worse than its rule: which rules are asked goes by what their classes say."""
    rule, grades = rule_by_code_or_name(finding.code), [*Severity]  # from the worst down
    return rule is not None and grades.index(finding.severity) < grades.index(rule.severity)


def write(case: Case, root: Path) -> None:
    """Writes the files of the case's workspace below `root`."""
    for path, text in case.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def _problems(case: Case, root: Path) -> str:
    analysis = analysed(case.code, case, root)
    findings = counted(check(analysis), case.rule, case.codes)
    wrong = _compare(case, [_seen(analysis.source, finding) for finding in findings])
    if wrong:
        return wrong
    for finding in findings:
        if is_worse(finding):
            return (
                f"{case.place}: {finding.code} gives an {finding.severity.value}, worse than its class says"
            )
    after = fix_all(case.code, case, root)
    if case.fixed is not None and after != case.fixed:
        diff = difflib.unified_diff(
            case.fixed.splitlines(), after.splitlines(), "expected", "fixed", lineterm=""
        )
        return "\n".join([f"{case.place}: the fixes give something else than the block shows", *diff])
    if Source(after).parsed.blanked and not analysis.source.parsed.blanked:
        return f"{case.place}: the fixed text does not parse:\n{after}"
    mendable = {finding.code for finding in findings if finding.fixes}
    left = [finding for finding in check(analysed(after, case, root)) if finding.code in mendable]
    if left:
        return f"{case.place}: after the fixes this is left: {left[0].message}\n{after}"
    return ""


def analysed(code: str, case: Case | None = None, root: Path | None = None) -> Analysis:
    """The analysis of `code` in the place of the file of `case`, whose workspace lies below `root`."""
    if case is None or root is None or not case.files:
        return analyze(Source(code))
    return analyze(Source(code, str(root / case.path)), workspace=Workspace([root]))


def fix_all(code: str, case: Case | None = None, root: Path | None = None) -> str:
    """`code` after the first fix of every finding, until nothing changes. See `analysed`."""
    for _ in range(MAX_ROUNDS):
        findings = check(analysed(code, case, root))
        edits = compatible_edits(findings if case is None else counted(findings, case.rule, case.codes))
        if not edits:
            break
        code = apply_edits(code, edits)
    return code


def counted(findings: list[Finding], rule: str, codes: Collection[str] = ()) -> list[Finding]:
    """Without the hints, and what is for information only, of other rules than `rule` (its name) and `codes`."""
    serious = (Severity.ERROR, Severity.WARNING)
    return [f for f in findings if f.name == rule or f.code in codes or f.severity in serious]


def compatible_edits(findings: list[Finding]) -> list[Edit]:
    """The edits of the first fixes of as many findings as do not touch each other."""
    edits: list[Edit] = []
    for finding in findings:
        new = finding.fixes[0].edits if finding.fixes else ()
        if not any(a.span.overlaps(b.span) for a in new for b in edits):
            edits += new
    return edits


def _blocks(text: str) -> Iterator[tuple[str, str, str, int]]:
    """Headings above, info string, code and line of every fenced block."""
    headings: list[str] = []
    for match in _FENCE.finditer(text):
        if match["level"] is not None:
            depth = len(match["level"])
            headings = [*headings[: depth - 1], match["title"]]
        else:
            line = text.count("\n", 0, match.start()) + 1
            yield " / ".join(headings[1:]), match["info"].strip(), match["code"], line


def _file_of(code: str) -> str:
    """The path that the first line of a block gives it; empty where there is none."""
    header = _FILE.match(code)
    return header[1] if header is not None else ""


def _with_fixed(cases: list[Case], file: str, code: str) -> bool:
    """Gives a fixed text to the case that it belongs to; False where there is none."""
    for index in range(len(cases) - 1, -1, -1):
        if cases[index].path == file and cases[index].files == cases[-1].files:
            found = cases[index].fixed is None
            cases[index] = replace(cases[index], fixed=code)
            return found
    return False


def _unmark(code: str) -> tuple[str, tuple[Expected, ...]]:
    """The code without its marks, and what they ask for."""
    lines: list[str] = []
    expected: list[Expected] = []
    for number, line in enumerate(code.split("\n"), start=1):
        expected += [Expected(number, m["code"], m["message"]) for m in _MARK.finditer(line)]
        unmarked = _MARK.sub("", line)
        if "# error:" in unmarked:
            raise ValueError(f"this mark is not understood: {line.strip()}")
        lines.append(unmarked)
    return "\n".join(lines), tuple(expected)


def _seen(source: Source, finding: Finding) -> Expected:
    return Expected(source.position(finding.span.start)[0] + 1, finding.code, finding.message)


def _compare(case: Case, seen: list[Expected]) -> str:
    """Every mark takes one finding; what is left on either side is wrong."""
    surplus = list(seen)
    missing: list[Expected] = []
    for expected in case.expected:
        match = next((finding for finding in surplus if expected.matches(finding)), None)
        if match is None:
            missing.append(expected)
        else:
            surplus.remove(match)
    if not missing and not surplus:
        return ""
    lines = [f"- missing     {one}" for one in missing] + [f"+ not expected {one}" for one in surplus]
    marks = {one.line: "-" for one in missing} | {one.line: "+" for one in surplus}
    shown = [
        f"{marks.get(number, ' ')} {number:3} {line}"
        for number, line in enumerate(case.code.splitlines(), start=1)
    ]
    return "\n".join([case.place, *lines, *shown])
