"""Reads the cases of `*.md`: code in which a comment names what the expression above its caret is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from torchlore.analysis import Analysis, analyze
from torchlore.analysis.members import kind_of
from torchlore.analysis.values import (
    Const,
    Container,
    Function,
    Instance,
    LocalClass,
    Number,
    OneOf,
    Params,
    Ref,
    Tensor,
    Value,
)
from torchlore.text import Source

HERE = Path(__file__).parent
_BLOCK = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.M | re.S)
_CODE = re.compile(r"```py\n(.*?)```", re.S)
_MARKER = re.compile(r"^\s*#(\s*)\^ ?(.*)$")


@dataclass(frozen=True)
class Case:
    title: str
    code: str


def cases(file: str) -> list[Case]:
    """The code blocks of a Markdown file, each under its heading."""
    text = (HERE / file).read_text(encoding="utf-8")
    return [
        Case(f"{title} {number}", code)
        for title, body in _BLOCK.findall(text)
        for number, code in enumerate(_CODE.findall(body), start=1)
    ]


def markers(code: str) -> Iterator[tuple[int, int, str]]:
    """Line and column (0-based) that each marker points at, and what it expects there."""
    last_code_line = 0
    for number, line in enumerate(code.splitlines()):
        match = _MARKER.match(line)
        if match is None:
            last_code_line = number
        else:
            yield last_code_line, line.index("^"), match[2].strip()


def value_at(analysis: Analysis, line: int, column: int) -> Value | None:
    """What the name or attribute at a place is."""
    offset = analysis.source.offset(line, column)
    for node in ast.walk(analysis.source.tree):
        if isinstance(node, ast.Name | ast.Attribute):
            end = analysis.source.span(node).end
            start = end - len(node.id if isinstance(node, ast.Name) else node.attr)
            if start <= offset <= end:  # a caret cannot stand under column 0
                return analysis.run.values.get(node)
    return None


def described(code: str) -> list[tuple[str, str]]:
    """For every marker in `code`: what was found and what was expected."""
    analysis = analyze(Source(code))
    return [(describe(value_at(analysis, line, column)), want) for line, column, want in markers(code)]


def describe(value: Value | None) -> str:
    """A value in words."""
    match value:
        case None:
            return "nothing"
        case Ref(name=name):
            return name
        case Instance(cls=LocalClass() as cls):
            return f"{kind_of(value)} {cls.node.name}"
        case Instance(cls=str() as name):
            return f"{kind_of(value)} {name}"
        case Tensor():
            graph = {True: "attached", False: "detached", None: "perhaps attached"}[value.attached]
            likely = "" if value.certain else " by convention"
            return f"Tensor {graph}{f' {value.activation}' if value.activation else ''}{likely}"
        case Params(owners=owners):
            return f"Params of {len(owners)}" if owners is not None else "Params of unknown"
        case Const(value=literal):
            return repr(literal)
        case Number():
            return "Number"
        case Function(node=ast.FunctionDef(name=name)):
            return f"Function {name}"
        case LocalClass(node=node):
            return f"Class {node.name}"
        case Container(kind=kind):
            return kind
        case OneOf(options=parts):
            return " or ".join(sorted(describe(part) for part in parts))
        case _:
            return "Unknown"
