"""Reads the cases of `cases/*.md` and says what the analysis makes of them.

A case is a heading with Python under it. In the code a comment says what the expression above its caret is:

    y = model(x)
    #        ^ tensor attached

A caret on a name or an attribute asks about that; a caret on a bracket of a call asks about what the call
gives. A tensor may be described in part: its shape, and what stands in brackets behind it, count only if the
marker has such brackets too. An `events` block after the code lists what happens in the module (`events train`: in the
function or method `train`). A block that begins with `# file: models/net.py` is a file of a workspace; the
last one, or the one that begins with `# main file: …`, is analysed. A heading that ends in `(todo)` marks
a case that the analysis does not master yet.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from printed_events import printed, without_shapes
from torchlore.analysis import Analysis, analyze
from torchlore.analysis.describe import describe
from torchlore.text import Source

HERE = Path(__file__).parent / "cases"
_SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.M | re.S)
_BLOCK = re.compile(r"^```(py|events)( \w+)?\n(.*?)^```$", re.M | re.S)
_FILE = re.compile(r"\A# (main )?file: (\S+)\n")
_MARKER = re.compile(r"^\s*#\s*\^ (.*)$")
_TODO = " (todo)"
_ONLY = "<only>"


@dataclass(frozen=True)
class Case:
    """One piece of code and what is true of it.

    Attributes:
        title: its heading, with the topic before it.
        files: the text of every file by its path; "<only>" where it names none.
        main: the path of the file that the markers and events are about.
        events: by function name ("" for the module): what happens there, as `printed` shows it.
        todo: the analysis does not master it yet.
    """

    title: str
    files: dict[str, str]
    main: str
    events: dict[str, str]
    todo: bool

    @property
    def code(self) -> str:
        return self.files[self.main]

    @property
    def is_workspace(self) -> bool:
        return self.main != _ONLY


@dataclass(frozen=True)
class Marker:
    """What a case says about one expression. Line and column count from 0."""

    line: int
    column: int
    want: str


def all_cases() -> list[Case]:
    return [case for path in sorted(HERE.glob("*.md")) for case in cases(path)]


def cases(path: Path) -> list[Case]:
    """The cases of one Markdown file."""
    text = path.read_text(encoding="utf-8")
    return [_case(path.stem, title, body) for title, body in _SECTION.findall(text)]


def _case(topic: str, title: str, body: str) -> Case:
    files: dict[str, str] = {}
    events: dict[str, str] = {}
    main = ""
    for kind, of, text in _BLOCK.findall(body):
        if kind == "events":
            events[of.strip()] = text
            continue
        header = _FILE.match(text)
        name = header[2] if header is not None else _ONLY
        assert name not in files, f"{title}: two blocks for {name}; give each case a heading of its own"
        files[name] = text
        if not main.endswith("!"):
            main = f"{name}!" if header is not None and header[1] else name
    name = title.removesuffix(_TODO)
    return Case(f"{topic}: {name}", files, main.rstrip("!"), events, name != title)


def markers(code: str) -> Iterator[Marker]:
    """What the comments of `code` say, each about the last line of code above it."""
    last_code_line = 0
    for number, line in enumerate(code.splitlines()):
        match = _MARKER.match(line)
        if match is None:
            last_code_line = number
        else:
            yield Marker(last_code_line, line.index("^"), match[1].strip())


def has_workspaces() -> bool:
    return importlib.util.find_spec("torchlore.analysis.workspace") is not None


def analysed(case: Case, root: Path) -> Analysis:
    """The analysis of the case's main file; the files of a workspace are written below `root` first."""
    if not case.is_workspace:
        return analyze(Source(case.code))
    written(case, root)
    workspace = importlib.import_module("torchlore.analysis.workspace").Workspace([root])
    return analyze(Source(case.code, path=str(root / case.main)), workspace=workspace)


def written(case: Case, root: Path) -> None:
    """Writes the files of a workspace below `root`."""
    for name, text in case.files.items() if case.is_workspace else ():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def found(analysis: Analysis, code: str) -> list[tuple[str, str]]:
    """For every marker of the code: what the analysis says and what the marker says."""
    nodes = list(ast.walk(analysis.source.tree))
    return [(_said(analysis, nodes, marker), marker.want) for marker in markers(code)]


def _said(analysis: Analysis, nodes: list[ast.AST], marker: Marker) -> str:
    said = described(analysis, node_at(analysis.source, nodes, marker))
    if "tensor[" not in marker.want:
        said = without_shapes(said)
    if said.startswith("tensor") and "(" not in marker.want:
        said = re.sub(r" \([^()]*\)", "", said)
    return f"line {marker.line + 1}: {said}" if said != marker.want else said


def described(analysis: Analysis, node: ast.AST) -> str:
    """What a node is, in words; "nothing" where the analysis never came by."""
    value = analysis.run.values.get(node)
    return "nothing" if value is None else describe(value)


def node_at(source: Source, nodes: list[ast.AST], marker: Marker) -> ast.AST:
    """The name, attribute, parameter or call that a caret points at."""
    offset = source.offset(marker.line, marker.column)
    on_bracket = source.text[offset : offset + 1] in ("(", ")")
    hits = [
        n for n in nodes if (_is_at_bracket(source, n, offset) if on_bracket else _is_at(source, n, offset))
    ]
    assert hits, f"line {marker.line + 1}: the caret of {marker.want!r} points at nothing"
    return hits[0]


def _is_at(source: Source, node: ast.AST, offset: int) -> bool:
    if not isinstance(node, ast.Name | ast.Attribute | ast.arg):
        return False
    span = source.span(node)
    if isinstance(node, ast.arg):
        return span.start <= offset <= span.start + len(node.arg)
    word = node.id if isinstance(node, ast.Name) else node.attr
    return span.end - len(word) <= offset <= span.end  # a caret cannot stand under column 0


def _is_at_bracket(source: Source, node: ast.AST, offset: int) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called, end = source.span(node.func).end, source.span(node).end
    opening = source.text.index("(", called)
    return offset in (opening, end - 1)


def happened(analysis: Analysis, of: str) -> str:
    """What happens in the module, or in the entry point named `of`."""
    roots = [root for root in analysis.roots if getattr(root.node, "name", "") == of]
    assert len(roots) == 1, f"{len(roots)} entry points are called {of!r}"
    return printed(roots[0].path)
