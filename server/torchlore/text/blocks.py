"""Logical lines as a tree of blocks, by their indentation alone: it says most where the rest is broken."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from torchlore.text.logical import Logical
from torchlore.text.tokens import width

_HEADER = re.compile(
    r"(?:async\s+)?(?:if|elif|else|for|while|with|try|except|finally|def|class)\b(?!\s*(?:[.,)\]}]|=(?!=)))"
)
_SOFT_HEADER = re.compile(r"(?:match|case)\b(?=\s*[^\s=.,:)\]}])(?!\s*\(.*\)\s*$)")
_BEGINNING = re.compile(r"[\w@'\"(\[{~+*-]|\.\.\.")
"""What a statement may begin with."""

FOLLOWS = {
    "if": ("elif", "else"),
    "elif": ("elif", "else"),
    "for": ("else",),
    "while": ("else",),
    "try": ("except", "else", "finally"),
    "except": ("except", "else", "finally"),
}
CLAUSES = ("elif", "else", "except", "finally")


@dataclass(slots=True, eq=False)
class Node:
    """A logical line and the deeper ones below it.

    Attributes:
        head: None where the lines are indented deeper than what stands before them, which opens no block.
        body: what is deeper than `head`.
        level: the white space that this block begins its lines with; `head` may differ from it.
    """

    head: Logical | None
    level: str
    body: list[Node] = field(default_factory=list)

    @property
    def first(self) -> int:
        return self.head.first if self.head is not None else self.body[0].first

    @property
    def last(self) -> int:
        node = self
        while node.body:
            node = node.body[-1]
        assert node.head is not None
        return node.head.last

    @property
    def keyword(self) -> str:
        return keyword_of(self.head.text) if self.head is not None else ""


@dataclass(slots=True, eq=False)
class Group:
    """One statement: its decorators and its clauses (`if`, `elif`, `else`), of which a simple one has one.

    Attributes:
        is_last: nothing follows it in its block.
    """

    clauses: list[Node]
    decorators: list[Node] = field(default_factory=list)
    is_last: bool = False

    @property
    def first(self) -> int:
        return (self.decorators or self.clauses)[0].first

    @property
    def last(self) -> int:
        return (self.clauses or self.decorators)[-1].last

    @property
    def level(self) -> str:
        return (self.clauses or self.decorators)[-1].level


def keyword_of(text: str) -> str:
    """The keyword that opens a block, where `text` begins with one: "for" of `async for`."""
    match = _HEADER.match(text) or _SOFT_HEADER.match(text)
    return match[0].split()[-1] if match is not None else ""


def opens_block(head: Logical) -> bool:
    """Whether a logical line looks like the header of a block."""
    return keyword_of(head.text) != "" or head.text.rstrip().endswith(":")


def tree_of(lines: Sequence[Logical]) -> list[Node]:
    """The blocks of a text."""
    unit = _unit(lines)
    root: list[Node] = []
    levels: list[tuple[int, str, list[Node]]] = [(0, "", root)]
    for line, following in zip_longest(lines, lines[1:]):
        own = _without_slip(line.indent, levels, unit)
        depth = width(own)
        strange = keyword_of(line.text) == "" and (not line.whole or _BEGINNING.match(line.text) is None)
        if strange and following is not None and width(following.indent) >= levels[-1][0]:
            # A character has slipped into the white space: what follows tells where the line stood.
            depth = max(depth, levels[-1][0])
        _leave(levels, depth, own, unit)
        top, indent, siblings = levels[-1]
        above = siblings[-1] if siblings else None
        if depth > top:
            opens = _awaits_block(above)
            if opens or depth - top >= unit:
                if above is None:
                    above = Node(None, indent)
                    siblings.append(above)
                levels.append((depth, own, above.body))
                siblings, indent = above.body, own
        siblings.append(Node(line, indent))
    return root


def _without_slip(indent: str, levels: list[tuple[int, str, list[Node]]], unit: int) -> str:
    """`indent` without a tab that slipped in where nothing as deep can stand."""
    spaces = indent.replace("\t", "")
    if "\t" not in indent or width(indent) <= levels[-1][0]:
        return indent
    siblings = levels[-1][2]
    if _awaits_block(siblings[-1] if siblings else None):
        slipped = width(spaces) == levels[-1][0] + unit
    else:
        slipped = width(spaces) in [depth for depth, _, _ in levels]
    return spaces if slipped else indent


def _awaits_block(above: Node | None) -> bool:
    """Whether a block may begin below a line."""
    return above is not None and above.head is not None and not above.body and opens_block(above.head)


def _leave(levels: list[tuple[int, str, list[Node]]], depth: int, indent: str, unit: int) -> None:
    """Closes the blocks that a line of this depth ends."""
    while len(levels) > 1 and depth < levels[-1][0]:
        lower, top = levels[-2][0], levels[-1][0]
        if depth <= lower:
            levels.pop()
        elif depth - lower == unit:
            # The header of the block above is gone: what it held is deeper than its siblings.
            inner = levels[-1][2]
            inner[:] = [Node(None, indent, list(inner))]
            levels[-1] = (depth, indent, inner)
        elif top - depth <= depth - lower:
            return
        else:
            levels.pop()
            return


def groups_of(nodes: Sequence[Node]) -> Iterator[Group]:
    """The statements among siblings."""
    decorators: list[Node] = []
    open_group: Group | None = None
    for node in nodes:
        if open_group is not None and _continues(open_group, node):
            open_group.clauses.append(node)
            continue
        if open_group is not None:
            yield open_group
            open_group = None
        if node.head is not None and node.head.text.startswith("@") and not node.body:
            decorators.append(node)
            continue
        if decorators and node.keyword not in ("def", "class"):
            yield from (Group([decorator]) for decorator in decorators)
            decorators = []
        open_group = Group([node], decorators)
        decorators = []
    if open_group is not None:
        yield open_group
    yield from (Group([decorator]) for decorator in decorators)


def _continues(group: Group, node: Node) -> bool:
    last = group.clauses[-1].keyword
    if node.keyword == "else" and last == "else":
        return not group.clauses[-1].body
    if node.keyword == "finally" and last == "else":
        return any(clause.keyword in ("try", "except") for clause in group.clauses)
    return node.keyword in CLAUSES and node.keyword in FOLLOWS.get(last, ())


def _unit(lines: Sequence[Logical]) -> int:
    """How much deeper blocks are than what they lie in, mostly."""
    steps: Counter[int] = Counter()
    before = 0
    for line in lines:
        depth = width(line.indent)
        if depth > before:
            steps[depth - before] += 1
        before = depth
    return steps.most_common(1)[0][0] if steps else 4
