"""Cost per line by the size of the file: one file of a thousand lines, of ten thousand, of fifty thousand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from torchlore.rules import all_rules, check

from tests.perf.corpus import File, analysed, files
from tests.perf.generate import module
from tests.perf.timing import parse_time, timed

SIZES = (1_000, 10_000, 50_000)


def print_scaling(paths: list[Path]) -> None:
    """Prints the cost of a line in files of several sizes, generated and joined from real ones."""
    all_rules()
    check(analysed(File(Path(), "warm.py", module(500))))
    print("one file               CPU time of `check` per line, and against ast.parse; must not grow")
    for size in SIZES:
        _print_size("generated", module(size))
    code = files(paths)
    for size in SIZES:
        text = joined(code, size)
        if text is not None:
            _print_size("real, joined", text)
        else:
            print(f"  real, joined {size:>9} lines: the files that are measured have fewer")
    print()


def _print_size(kind: str, text: str) -> None:
    lines = text.count("\n")
    file = File(Path(), "scaled.py", text)
    rounds = 3 if lines < 20_000 else 1
    parse = parse_time(text)
    total = min(timed(lambda: check(analysed(file)))[1] for _ in range(rounds))
    microseconds = 1e6 * total / lines
    print(f"  {kind:<13}{lines:>9} lines {microseconds:8.0f} us per line {total / parse:8.1f} x ast.parse")


def joined(code: list[File], lines: int) -> str | None:
    """The first files, one after the other in one module of `lines` lines or a little more.

    Functions and classes at the top of each get a number, so that none hides one of another file.
    None where all files together have too few lines.
    """
    parts: list[str] = []
    have = 0
    for number, file in enumerate(code):
        if have >= lines:
            break
        parts.append(renumbered(file.text, number))
        have += parts[-1].count("\n")
    return "".join(parts) if have >= lines else None


def renumbered(text: str, number: int) -> str:
    """The module with a number behind the names of its functions and classes; "" if it does not parse."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ""
    parameters = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own = {node.name for node in _definitions(tree)} - parameters
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in own:
            node.id = f"{node.id}_{number}"
        elif isinstance(node, ast.Global | ast.Nonlocal):
            node.names = [f"{name}_{number}" if name in own else name for name in node.names]
    for node in _definitions(tree):
        if node.name in own:
            node.name = f"{node.name}_{number}"
    kept = [s for s in tree.body if not (isinstance(s, ast.ImportFrom) and s.module == "__future__")]
    return ast.unparse(ast.Module(kept, [])) + "\n"


def _definitions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement
