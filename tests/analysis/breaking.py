"""Breaks files as typing does, and says what of a file must survive that."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from describing import describe
from torchlore.analysis.interpret import interpret
from torchlore.analysis.run import Run
from torchlore.text import Parsed, Source

Key = tuple[int, int, str]
"""Line (1-based, of the whole file), column and name: of a statement its type, of an expression what it says."""

KINDS = ("prefix", "delete", "half", "stray", "type", "two")

_TYPED = (
    *(
        "x = ",
        "x = foo(",
        "x = foo(1,",
        "x = [",
        "x = {'a': ",
        "self.",
        "loss.",
        "loss.backward(",
        "x = y.",
        "x =",
    ),
    *(
        "def f(",
        "def f(x, ",
        "def f(self):",
        "def",
        "class A(",
        "class A:",
        "class",
        "@",
        "@foo(",
        "import ",
        "lambda x",
    ),
    *(
        "from x import (",
        "from x import",
        "if",
        "if x",
        "if x:",
        "if foo(",
        "else:",
        "elif x:",
        "except E:",
        "try:",
    ),
    *(
        "for i in",
        "for i in foo(",
        "for",
        "for x in y:",
        "while",
        "while True:",
        "with",
        "with foo(",
        "with a as b:",
    ),
    *(
        "return foo(",
        "'abc",
        '"',
        "f'{x",
        "f'{x}",
        '"""',
        '"""Text of',
        "x = '''",
        "(",
        ")",
        "}",
        "\\",
        "x = (1, 2))",
    ),
    *(
        "match x:",
        "case 1:",
        "async def f(",
        "print(f'{x",
        "x += ",
        "del ",
        "global ",
        "raise E(",
        "assert x,",
        "yield (",
    ),
)
_STRAY = ("'", '"', "(", ")", "[", "]", "{", "}", "\\", ":", '"""', "$", "=", ".", "\n")
_PLACES = re.compile(
    r"[(\[{.,=:'\"]\s*|\b(?:def \w*|class \w*|if|for|in|with|as|import|from|return|async|not)\b ?"
)


_NOTHING = ("unknown", "nothing")


@dataclass(frozen=True)
class Broken:
    """A broken text.

    Attributes:
        what: which edit it was, for messages.
        text: the text after it.
        touched: the lines (0-based, of the whole file) that it changed.
        places: where each line of the whole file is now; lines that are gone are left out.
        before: the line that a new one was put before, or -1.
    """

    what: str
    text: str
    touched: frozenset[int]
    places: dict[int, int]
    before: int = -1


def break_text(text: str, kind: str, rng: random.Random) -> Broken:
    """`text` after a random edit of this kind."""
    lines = text.splitlines(keepends=True)
    count = len(lines)
    same = {line: line for line in range(count)}
    filled = [number for number, line in enumerate(lines) if line.strip()]
    at = rng.choice(filled)
    if kind == "prefix":
        cut = rng.randrange(len(lines[at]))
        kept = {line: line for line in range(at + 1)}
        return Broken(f"cut {at + 1}:{cut}", "".join(lines[:at]) + lines[at][:cut], frozenset([at]), kept)
    if kind == "delete":
        moved = {line: line - (line > at) for line in range(count) if line != at}
        return Broken(f"delete {at + 1}", "".join(lines[:at] + lines[at + 1 :]), frozenset([at]), moved)
    if kind == "type":
        typed = rng.choice(_TYPED)
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        moved = {line: line + (line >= at) for line in range(count)}
        new = "".join([*lines[:at], f"{indent}{typed}\n", *lines[at:]])
        return Broken(f"type {at + 1} {typed!r}", new, frozenset(), moved, at)
    if kind == "stray":
        return _with_stray(lines, at, rng)
    touched = {at, rng.choice(filled)} if kind == "two" else {at}
    for line in touched:
        lines[line] = _half(lines[line], rng)
    shown = ", ".join(f"{line + 1} {lines[line]!r}" for line in sorted(touched))
    return Broken(f"{kind} {shown}", "".join(lines), frozenset(touched), same)


def _half(line: str, rng: random.Random) -> str:
    """`line` cut after one of the places where people stop typing, or anywhere."""
    body = line.rstrip("\r\n")
    indent = len(body) - len(body.lstrip())
    ends = [match.end() for match in _PLACES.finditer(body) if match.end() < len(body)]
    if not ends or rng.random() < 0.3:
        ends = list(range(indent, len(body)))
    return body[: rng.choice(ends)] + line[len(body) :]


def _with_stray(lines: list[str], at: int, rng: random.Random) -> Broken:
    same = {line: line for line in range(len(lines))}
    if rng.random() < 0.25:
        indent = rng.choice([" ", "\t", "  "])
        new = indent + lines[at] if rng.random() < 0.6 else lines[at][1:]
        what = f"indent {at + 1} {new!r}"
    else:
        stray, place = rng.choice(_STRAY), rng.randrange(len(lines[at]))
        new = lines[at][:place] + stray + lines[at][place:]
        what = f"stray {at + 1} {new!r}"
        if stray == "\n":
            same = {line: line + (line > at) for line in same}
    return Broken(what, "".join([*lines[:at], new, *lines[at + 1 :]]), frozenset([at]), same)


@dataclass
class Whole:
    """A whole file: its statements, and what is known where."""

    text: str
    tree: ast.Module = field(init=False)
    facts: dict[Key, str] = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.text)
        self.facts = facts(self.text)


def facts(text: str) -> dict[Key, str]:
    """What is known of every name and attribute, by place."""
    return _facts_of(interpret(Source(text)))


def _facts_of(run: Run) -> dict[Key, str]:
    found: dict[Key, str] = {}
    for node, value in run.values.items():
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            found[(node.end_lineno or 0, node.end_col_offset or 0, name)] = describe(value)
    return found


def header_end(node: ast.stmt) -> int:
    """The last line (1-based) of a statement without the statements inside it."""
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    if not body:
        return node.end_lineno or node.lineno
    first = body[0]
    first_line = first.pattern.lineno if isinstance(first, ast.match_case) else first.lineno
    return max(node.lineno, min([first_line, *(d.lineno for d in getattr(first, "decorator_list", []))]) - 1)


def own_lines(node: ast.stmt) -> range:
    """The lines (0-based) of a statement without the statements inside it."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return range(first - 1, header_end(node))


def broken_statements(tree: ast.Module, broken: Broken) -> list[ast.stmt]:
    """The smallest statements that the edited lines lie in."""
    return [n for n in ast.walk(tree) if isinstance(n, ast.stmt) and _is_touched(n, broken)]


def _is_touched(node: ast.stmt, broken: Broken) -> bool:
    own = own_lines(node)
    return bool(broken.touched & set(own)) or broken.before in own[1:]


def survivors(tree: ast.Module, broken: Broken) -> Iterator[ast.stmt]:
    """The statements that the edit did not touch."""
    gone = {id(node) for node in broken_statements(tree, broken)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.stmt)
            and id(node) not in gone
            and all(n in broken.places for n in own_lines(node))
        ):
            yield node


def lost_statements(whole: Whole, broken: Broken) -> tuple[list[Key], int]:
    """The statements that were lost though nothing touched them, and how many there were."""
    parsed = Source(broken.text).parsed
    there = {
        (node.lineno, node.col_offset, type(node).__name__)
        for node in ast.walk(parsed.tree)
        if isinstance(node, ast.stmt)
    }
    lost: list[Key] = []
    count = 0
    for node in survivors(whole.tree, broken):
        count += 1
        if (broken.places[node.lineno - 1] + 1, node.col_offset, type(node).__name__) not in there:
            lost.append((node.lineno, node.col_offset, type(node).__name__))
    return lost, count


class _Neutral(ast.NodeTransformer):
    """Makes the touched statements say nothing, and leaves out all that no longer stands in the text."""

    def __init__(self, broken: Broken, keeps_names: bool) -> None:
        self.broken = broken
        self.keeps_names = keeps_names

    def visit(self, node: ast.AST) -> ast.AST | None:
        if isinstance(node, ast.stmt) and node.lineno - 1 > max(self.broken.places, default=0):
            return None
        if isinstance(node, ast.stmt) and _is_touched(node, self.broken):
            node = _neutral(node, self.keeps_names)
        self.generic_visit(node)
        if (
            isinstance(getattr(node, "body", None), list)
            and not node.body
            and not isinstance(node, ast.Module)
        ):
            node.body = [ast.copy_location(ast.Pass(), node)]
        if isinstance(node, ast.Try) and not node.handlers and not node.finalbody:
            node.finalbody = [ast.copy_location(ast.Pass(), node)]
        return node


def _neutral_source(whole: Whole, broken: Broken, keeps_names: bool) -> Source:
    source = Source(whole.text)
    tree = _Neutral(broken, keeps_names).visit(ast.parse(whole.text))
    source.__dict__["parsed"] = Parsed(tree, frozenset())
    return source


def _neutral(node: ast.stmt, keeps_names: bool) -> ast.stmt:
    """A statement that holds the same statements and says nothing itself.

    Args:
        keeps_names: whether the names that an assignment binds are bound to something unknown.
    """
    unknown = ast.copy_location(ast.Name("unknown_thing", ast.Load()), node)
    match node:
        case ast.If(body=body, orelse=orelse) | ast.While(body=body, orelse=orelse):
            new: ast.stmt = ast.If(unknown, body, orelse)
        case ast.For(target=target, body=body, orelse=orelse):
            new = ast.For(target, unknown, body, orelse)
        case ast.With(items=items, body=body):
            new = ast.With([ast.withitem(unknown, item.optional_vars) for item in items], body)
        case ast.ClassDef(body=body):
            new = ast.ClassDef("unnamed", [unknown], [], body, [])
        case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body):
            new = ast.FunctionDef("unnamed", ast.arguments([], [], None, [], [], None, []), body, [], None)
        case ast.Try() | ast.Match():
            return node
        case ast.Assign(targets=targets) if keeps_names:
            new = ast.Assign(targets, unknown)
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target) if keeps_names:
            new = ast.Assign([target], unknown)
        case _:
            new = ast.Pass()
    return ast.copy_location(new, node)


@dataclass
class Score:
    """What became of the facts that no edit concerns: how many there were, which were lost, which are wrong."""

    count: int = 0
    lost: list[tuple[Key, str, str]] = field(default_factory=list)
    wrong: list[tuple[Key, str, str]] = field(default_factory=list)


def compare_facts(whole: Whole, broken: Broken) -> Score:
    """Compares facts outside the broken statements with those of the whole file."""
    expected, as_well = (
        _facts_of(interpret(_neutral_source(whole, broken, keeps_names))) for keeps_names in (False, True)
    )
    known = expected if broken.what.startswith("cut") else whole.facts
    found = facts(broken.text)
    outside: set[int] = set()
    for node in survivors(whole.tree, broken):
        outside |= set(own_lines(node))
    score = Score()
    for key, fact in known.items():
        line, column, name = key
        if line - 1 not in outside or line - 1 not in broken.places or line - 1 in broken.touched:
            continue
        if fact.lower() in _NOTHING or not (fact == expected.get(key) == as_well.get(key)):
            continue
        score.count += 1
        now = found.get((broken.places[line - 1] + 1, column, name), "nothing")
        if now.lower() in _NOTHING or "unknown" in now.lower() or fact.startswith(now):
            if now == fact:
                continue
            score.lost.append((key, fact, now))
        elif now != fact:
            score.wrong.append((key, fact, now))
    return score
