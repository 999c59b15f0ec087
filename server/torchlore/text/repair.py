"""Mends a text that does not parse: each broken line is replaced, as far as it reaches, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torchlore.text.blocks import CLAUSES, FOLLOWS, Group, Node, groups_of, opens_block, tree_of
from torchlore.text.forms import NOBODY, NOWHERE, UNKNOWN, UNNAMED, header_forms, simple_forms
from torchlore.text.logical import Logical, logical_lines
from torchlore.text.mended import Mended, drop, insert_after, insert_before, move, number_at, replace, text_of
from torchlore.text.tokens import without_comment

Parse = Callable[[str], "ast.Module | SyntaxError"]
"""The tree of a text, or why there is none."""

_CHUNK = 40
"""Statements that are parsed together to find the broken ones."""

_PATIENCE = 2_000_000
"""Characters parsed, beside twice the text, to mend one file; past that, much goes at once."""

_EFFORT = 200
"""What parsing a text costs beside its length, in characters."""

_DEEPEST = 90
"""Blocks nested deeper than this go as a whole; Python itself gives up at 100."""

_LEADS = {"elif": "if 1:pass\n", "else": "if 1:pass\n", "except": "try:pass\n", "finally": "try:pass\n"}
"""What must stand before a clause for it to parse."""

_ENDLESS = re.compile(r"while\s+(?:True|1)\s*:$")
"""Without a block it would hide what follows."""

_GUARDS = ("if", "elif", "for", "while", "with", "except")
"""Headers of which what was typed so far may be kept; what comes yet is not known."""

_METHOD = re.compile(r"(?:async\s+)?def\s+\w+\s*\(\s*(?:self|cls)\b")
_IN_FUNCTION = re.compile(r"(?:return|yield|await)\b|self\.|super\(\)")


@dataclass(slots=True)
class _Repair:
    """One repair: what it has done so far, and how many characters it may still parse."""

    mended: Mended
    parse: Parse
    left: int

    def parses(self, text: str) -> bool:
        return self.error(text) is None

    def error(self, text: str) -> SyntaxError | None:
        self.left -= len(text) + _EFFORT
        if text.endswith("\\\r\n"):
            text = f"{text[:-2]}\n"  # Of these line ends Python takes a backslash at the end of the text.
        return _error(self.parse(text)) if self.left > 0 else SyntaxError("not tried")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where statements stand: the keyword of the block around them, and whether that is in a function."""

    keyword: str = ""
    in_function: bool = False
    depth: int = 0

    def inside(self, keyword: str) -> _Place:
        in_function = keyword == "def" or (self.in_function and keyword != "class")
        return _Place(keyword, in_function, self.depth + 1)


def repair(lines: list[str], error: SyntaxError, parse: Parse) -> tuple[Mended, ast.Module | None]:
    """Mends a text.

    Args:
        lines: its lines, with line ends.
        error: why it does not parse.
        parse: gives the tree of a text, or why there is none.

    Returns:
        The mended text and its tree; None where no repair helps.
    """
    work = _Repair(Mended(list(lines)), parse, _PATIENCE + 2 * sum(map(len, lines)))
    groups = _joined(work, groups_of(tree_of(logical_lines(lines))))
    done: set[int] = set()
    for _ in range(3):  # One broken statement is the rule: look first at the one that the parser fails on.
        index = _group_at(groups, error, work.mended)
        if index is None or index in done:
            break
        done.add(index)
        _mend_group(work, groups[index], _Place())
        result = parse(text_of(work.mended))
        if isinstance(result, ast.Module):
            return work.mended, result
        error = result
    _mend_siblings(work, [group for index, group in enumerate(groups) if index not in done], _Place())
    result = parse(text_of(work.mended))
    if isinstance(result, SyntaxError):
        _drop_what_fails(work, groups)
        result = parse(text_of(work.mended))
    return work.mended, result if isinstance(result, ast.Module) else None


def _error(result: ast.Module | SyntaxError) -> SyntaxError | None:
    return result if isinstance(result, SyntaxError) else None


def _group_at(groups: Sequence[Group], error: SyntaxError, mended: Mended) -> int | None:
    """The statement that `error` is in."""
    if error.lineno is None:
        return None
    line = number_at(mended, error.lineno - 1)
    return max((index for index, group in enumerate(groups) if group.first <= line), default=None)


def _drop_what_fails(work: _Repair, groups: Sequence[Group]) -> None:
    for start in range(0, len(groups), _CHUNK):
        chunk = groups[start : start + _CHUNK]
        if isinstance(work.parse(text_of(work.mended, chunk[0].first, chunk[-1].last)), ast.Module):
            continue
        for group in chunk:
            if isinstance(work.parse(text_of(work.mended, group.first, group.last)), SyntaxError):
                _leave_out(work, [group])


def _joined(work: _Repair, groups: Iterator[Group]) -> list[Group]:
    """`groups`, clauses that a broken line parts from their statement put back to it."""
    joined: list[Group] = []
    for group in groups:
        keyword = group.clauses[0].keyword if group.clauses else ""
        if keyword in CLAUSES and joined and joined[-1].clauses:
            last = joined[-1].clauses[-1]
            if last.body and last.keyword == "":
                joined[-1].clauses += group.clauses
                continue
            if _stands_between(work, joined, keyword):
                drop(work.mended, joined[-1].first, joined[-1].last)
                joined.pop()
                joined[-1].clauses += group.clauses
                continue
        joined.append(group)
    if joined:
        joined[-1].is_last = True
    return joined


def _stands_between(work: _Repair, groups: Sequence[Group], keyword: str) -> bool:
    """Whether the last of `groups` is a broken line between the clauses of one statement."""
    if len(groups) < 2 or not groups[-2].clauses:
        return False
    between = groups[-1].clauses[0]
    goes_on = keyword in FOLLOWS.get(groups[-2].clauses[-1].keyword, ())
    return goes_on and between.head is not None and not between.body and not work.parses(between.head.text)


def _mend_siblings(work: _Repair, groups: Sequence[Group], place: _Place) -> None:
    if place.depth > _DEEPEST:
        if groups:
            _leave_out(work, groups)
        return
    for start in range(0, len(groups), _CHUNK):
        _mend_run(work, groups[start : start + _CHUNK], place)


def _mend_run(work: _Repair, groups: Sequence[Group], place: _Place) -> None:
    """Mends the broken statements among `groups`, which follow one another."""
    lead = "" if place.depth == 0 else "match 1:\n" if place.keyword == "match" else "if 1:\n"
    waiting = [groups]
    while waiting:
        run = waiting.pop()
        first, last = run[0].first, run[-1].last
        if work.left <= 0:
            _leave_out_what_fails(work, run, lead)
            continue
        error = work.error(lead + "".join(work.mended.lines[first : last + 1]))
        if error is None and not any(_is_moved(group) for group in run):
            continue
        if len(run) == 1:
            _mend_group(work, run[0], place)
            continue
        middle = len(run) // 2
        if error is not None and error.lineno is not None:
            line = error.lineno - 1 - (lead != "") + first
            middle = max((index for index, group in enumerate(run) if group.first <= line), default=middle)
        parts = (run[:middle], run[middle : middle + 1], run[middle + 1 :])
        waiting += [part for part in reversed(parts) if part]


def _leave_out_what_fails(work: _Repair, groups: Sequence[Group], lead: str) -> None:
    for group in groups:
        text = lead + "".join(work.mended.lines[group.first : group.last + 1])
        if _is_moved(group) or isinstance(work.parse(text), SyntaxError):
            _leave_out(work, [group])


def _leave_out(work: _Repair, groups: Sequence[Group]) -> None:
    """Puts one unknown thing in the place of statements that follow one another."""
    drop(work.mended, groups[0].first, groups[-1].last)
    insert_after(work.mended, groups[-1].last, f"{groups[0].level}{UNKNOWN}")


def _is_moved(group: Group) -> bool:
    """Whether a line of the statement is not indented as its siblings are."""
    return any(
        node.head is None or node.head.indent != node.level for node in [*group.decorators, *group.clauses]
    )


def _mend_group(work: _Repair, group: Group, place: _Place) -> None:
    for decorator in group.decorators:
        assert decorator.head is not None
        _mend_decorator(work, decorator, decorator.head, group.clauses != [])
    for index, clause in enumerate(group.clauses):
        following = group.clauses[index + 1].keyword if index + 1 < len(group.clauses) else ""
        _mend_clause(work, clause, place, index == 0, following, group.is_last)
    keywords = [clause.keyword for clause in group.clauses]
    if keywords[:1] == ["try"] and not {"except", "finally"} & set(keywords):
        last = group.clauses[0]
        code = f"except: {UNKNOWN}" if "else" in keywords else f"finally: {UNKNOWN}"
        insert_after(work.mended, last.last, last.level + code)
        if last.head is not None:
            work.mended.blanked.add(last.head.first)


def _mend_clause(
    work: _Repair, node: Node, place: _Place, is_first: bool, following: str, is_last: bool
) -> None:
    head, keyword = node.head, node.keyword
    if head is not None and not node.body and not opens_block(head):
        _mend_simple(work, node, head, place, is_last)
        return
    if (
        head is not None
        and keyword == ""
        and head.whole
        and not _ends_with_colon(head)
        and work.parses(head.text)
    ):
        _settle(work, node, head)
        head = None
    if head is None:
        keyword = _put_header(work, node, place, following)
    elif keyword == "" or not _belongs(keyword, place, is_first):
        if not node.body:
            replace(work.mended, head, "" if place.keyword == "match" else UNKNOWN, node.level)
            return
        code = _guess(node, place, following)
        replace(work.mended, head, code, node.level)
        keyword = code.partition(" ")[0].rstrip(":")
    elif not node.body and following in CLAUSES and following == keyword:
        replace(work.mended, head, "", node.level)  # Typed before the clause that was there already.
        return
    else:
        _mend_header(work, node, head, keyword)
    _mend_siblings(work, _joined(work, groups_of(node.body)), place.inside(keyword))
    if (
        keyword == "match"
        and node.body
        and not any(child.keyword == "case" or child.body for child in node.body)
    ):
        insert_after(work.mended, node.last, f"{node.level} case {NOWHERE}: {UNKNOWN}")


def _belongs(keyword: str, place: _Place, is_first: bool) -> bool:
    """Whether a clause has the statement that it is a clause of."""
    return (keyword == "case") == (place.keyword == "match") and not (is_first and keyword in CLAUSES)


def _mend_simple(work: _Repair, node: Node, head: Logical, place: _Place, is_last: bool) -> None:
    if place.keyword == "match":
        replace(work.mended, head, "", node.level)
    elif head.text.startswith("@"):
        replace(work.mended, head, UNKNOWN, node.level)
    elif head.whole and work.parses(head.text):
        _settle(work, node, head)
    else:
        forms = simple_forms(head.text)
        code = next((form for form in forms if form == UNKNOWN or work.parses(form)), UNKNOWN)
        if code.startswith(("return", "raise")) and not is_last:
            code = UNKNOWN  # What follows was there before this line was begun: it is reached.
        replace(work.mended, head, code, node.level)


def _mend_decorator(work: _Repair, node: Node, head: Logical, decorates: bool) -> None:
    if decorates and work.parses(f"{head.text}\ndef f():pass"):
        _settle(work, node, head)
    else:
        replace(work.mended, head, f"@{NOBODY}" if decorates else UNKNOWN, node.level)


def _settle(work: _Repair, node: Node, head: Logical) -> None:
    if head.indent != node.level:
        move(work.mended, head, node.level)


def _mend_header(work: _Repair, node: Node, head: Logical, keyword: str) -> None:
    code = without_comment(head.text)
    if _is_header(work, code, keyword, node.body != []):
        _settle(work, node, head)
    else:
        forms = list(header_forms(head.text))
        code = next((form for form in forms[:-1] if _is_header(work, form, keyword, True)), forms[-1])
        replace(work.mended, head, code, node.level)
        if node.body and UNKNOWN not in code and keyword in _GUARDS:
            insert_after(work.mended, head.last, node.body[0].level + UNKNOWN)
        if keyword == "def":  # What a call of it does is not known, as with any decorator that is not.
            insert_before(work.mended, head.first, f"{node.level}@{NOBODY}")
    if not node.body and code.endswith(":"):
        if _ENDLESS.match(code):
            replace(work.mended, head, f"while {UNKNOWN}:", node.level)
        body = f"case {NOWHERE}: {UNKNOWN}" if keyword == "match" else UNKNOWN
        insert_after(work.mended, head.last, f"{node.level} {body}")
        work.mended.blanked.update(range(head.first, head.last + 1))


def _is_header(work: _Repair, code: str, keyword: str, has_body: bool) -> bool:
    """Whether `code` can open a block, or be a whole statement on one line."""
    if not code.endswith(":"):
        return not has_body and work.parses(_LEADS.get(keyword, "") + code)
    match keyword:
        case "match":
            return work.parses(f"{code}\n case _:pass")
        case "case":
            return work.parses(f"match 1:\n {code} pass")
        case "try":
            return work.parses(f"{code} pass\nfinally:pass")
        case _:
            return work.parses(f"{_LEADS.get(keyword, '')}{code} pass")


def _put_header(work: _Repair, node: Node, place: _Place, following: str) -> str:
    """Puts a header before lines that are indented deeper than those before them; tells its keyword."""
    code = _guess(node, place, following)
    first = node.body[0].first
    insert_before(work.mended, first, node.level + code)
    work.mended.blanked.add(first)
    return code.partition(" ")[0].rstrip(":")


def _guess(node: Node, place: _Place, following: str) -> str:
    """A header for a block that has lost its own."""
    heads = [child.head.text for child in node.body if child.head is not None]
    if following in ("except", "finally"):
        return "try:"
    if following in CLAUSES:
        return f"if {UNKNOWN}:"
    if place.keyword == "match":
        return f"case {NOWHERE}:"
    if heads and all(child.keyword == "case" for child in node.body):
        return f"match {UNKNOWN}:"
    if any(_METHOD.match(head) for head in heads):
        return f"class {UNNAMED}({NOBODY}):"
    if place.keyword == "class" or (not place.in_function and _is_of_function(node)):
        return f"def {UNNAMED}():"
    return f"if {UNKNOWN}:"


def _is_of_function(node: Node) -> bool:
    """Whether what stands in `node` makes sense in a function only."""
    waiting = list(node.body)
    while waiting:
        child = waiting.pop()
        if child.head is not None and _IN_FUNCTION.match(child.head.text):
            return True
        if child.keyword not in ("def", "class"):
            waiting += child.body
    return False


def _ends_with_colon(head: Logical) -> bool:
    return without_comment(head.text).endswith(":")
