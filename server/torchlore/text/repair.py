"""Blanking the broken lines of a text, guided by what the parser complains about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_MAX_REPAIRS = 24
"""Repairs tried on one stretch of text; each costs one more parse of it."""

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")
_OPENER = re.compile(
    r"[ \t\f]*(?:if|elif|else|for|while|with|try|except|finally|def|class|async|match|case)\b"
)
_TRY = re.compile(r"[ \t\f]*try\s*:")
_CONTINUES = re.compile(r"(?:elif|else|except|finally)\b|[)\]}]")
_STRING_OR_COMMENT = re.compile(
    r"#[^\r\n]*|'''|\"\"\"|'(?:\\.|[^'\\\r\n])*'?|\"(?:\\.|[^\"\\\r\n])*\"?", re.DOTALL
)


def split_lines(text: str) -> list[str]:
    """The lines of `text` with their ends."""
    return _LINE.findall(text)


def repair(lines: list[str], error_of: Callable[[str], SyntaxError | None]) -> set[int] | None:
    """Blanks lines of `lines`, in place, until they parse.

    Args:
        lines: consecutive lines with their ends.
        error_of: why a text does not parse, None where it does.

    Returns:
        The lines that were blanked; None where the text could not be mended.
    """
    original = list(lines)
    stages: dict[int, int] = {}
    for _ in range(_MAX_REPAIRS):
        error = error_of("".join(lines))
        if error is None:
            return set(stages)
        suspects = _suspects(lines, error, stages, original)
        if not suspects:
            return None
        for index in suspects:
            _weaken(lines, index, stages, original)
    return set(stages) if error_of("".join(lines)) is None else None


def top_level_statements(text: str, lines: list[str]) -> Iterator[tuple[int, int]]:
    """The stretches of `lines` (first line, line after the last) that each hold one top-level statement.

    Goes by indentation, since the text does not parse: a statement begins where a line does at its
    first column, outside a triple-quoted string, and is no `else`, bracket or decorated definition.
    """
    inside = _lines_inside_strings(text)
    start, decorated = 0, False
    for index, line in enumerate(lines):
        if line[:1] in " \t\f#\r\n" or index in inside or _CONTINUES.match(line):
            continue
        if not decorated and index > start:
            yield start, index
            start = index
        decorated = line.startswith("@")
    yield start, len(lines)


def _suspects(lines: list[str], error: SyntaxError, stages: dict[int, int], original: list[str]) -> list[int]:
    """The lines to blank next for `error`: where it was reported, else the nearest one before it."""
    if error.lineno is None:
        return []
    at = min(max(error.lineno - 1, 0), len(lines) - 1)
    message = error.msg or ""

    def can_give(index: int) -> bool:
        return 0 <= index < len(lines) and _next_form(lines, index, stages, original) is not None

    opened = _unclosed(error, message)
    if opened is not None and opened <= at and can_give(opened):
        return [opened, *_deeper_run(lines, opened)]
    if "unexpected indent" in message and can_give(at):
        return [at, *_run_of_indent(lines, at)]
    if "expected an indented block" in message:
        # The block's header has lost its body: the header is what makes no sense any more.
        match = re.search(r"on line (\d+)", message)
        header = int(match[1]) - 1 if match else at
        if can_give(header):
            return [header]
    if "'except' or 'finally'" in message:
        opener = next((i for i in range(at, -1, -1) if i not in stages and _TRY.match(lines[i])), None)
        if opener is not None:
            return [opener]
    while at >= 0 and not can_give(at):
        at -= 1
    return [at] if at >= 0 else []


def _unclosed(error: SyntaxError, message: str) -> int | None:
    """The line of the bracket or string that `error` says was never closed."""
    if "was never closed" in message or "unterminated" in message:
        return error.lineno - 1 if error.lineno else None
    match = re.search(r"does not match opening parenthesis .* on line (\d+)", message)
    return int(match[1]) - 1 if match else None


def _deeper_run(lines: list[str], opened: int) -> list[int]:
    """The lines after `opened` that are indented deeper: what the bracket opened there was to hold."""
    if lines[opened].rstrip().endswith(":"):
        return []
    width = _width(lines[opened])
    run: list[int] = []
    for index in range(opened + 1, len(lines)):
        if lines[index].strip() and _width(lines[index]) <= width:
            break
        if lines[index].strip():
            run.append(index)
    return run


def _run_of_indent(lines: list[str], at: int) -> list[int]:
    """The lines after `at` that are indented as deep: what has lost its header together with it."""
    width = _width(lines[at])
    run: list[int] = []
    for index in range(at + 1, len(lines)):
        if lines[index].strip() and _width(lines[index]) < width:
            break
        if lines[index].strip():
            run.append(index)
    return run


def _weaken(lines: list[str], index: int, stages: dict[int, int], original: list[str]) -> None:
    form = _next_form(lines, index, stages, original)
    if form is not None:
        stages[index], lines[index] = form


def _next_form(
    lines: list[str], index: int, stages: dict[int, int], original: list[str]
) -> tuple[int, str] | None:
    """What stands in for a broken line next, weaker each time; None where nothing is left of it.

    `if 1:` keeps a block in place, `pass` keeps a body non-empty, nothing fits between brackets.
    """
    line = original[index]
    if not lines[index].strip():
        return None
    ending = line[len(line.rstrip("\r\n")) :]
    indent = line[: len(line) - len(line.lstrip(" \t\f"))]
    forms = [f"{indent}pass{ending}", ending]
    following = next((text for text in lines[index + 1 :] if text.strip()), "")
    opens = _OPENER.match(line) or line.rstrip().endswith(":")
    if opens and _width(following) > _width(line):
        forms.insert(0, f"{indent}if 1:{ending}")
    stage = stages.get(index, 0)
    while stage < len(forms) and forms[stage] == lines[index]:
        stage += 1
    return (stage + 1, forms[stage]) if stage < len(forms) else None


def _width(line: str) -> int:
    """How deep a line is indented, in characters."""
    return len(line) - len(line.lstrip(" \t\f"))


def _lines_inside_strings(text: str) -> set[int]:
    """The lines (0-based) that begin inside a triple-quoted string. One that never ends counts as none."""
    inside: set[int] = set()
    starts = [0, *(match.end() for match in re.finditer(r"\r\n|\n|\r", text))]
    line, at = 0, 0
    while (match := _STRING_OR_COMMENT.search(text, at)) is not None:
        at = match.end()
        if match[0] not in ("'''", '"""'):
            continue
        close = text.find(match[0], at)
        if close < 0:
            continue
        while line < len(starts) and starts[line] <= match.start():
            line += 1
        while line < len(starts) and starts[line] <= close:
            inside.add(line)
            line += 1
        at = close + 3
    return inside
