"""`Source`: one immutable version of one file."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TypeVar

from torchlore.text.edits import Edit, Span, apply_edits
from torchlore.text.lines import Encoding, LineTable
from torchlore.text.nodes import statements
from torchlore.text.parse import Parsed, parse_tolerantly

Statement = TypeVar("Statement", bound=ast.stmt)


class Source:
    """One version of a file: its text, its lines and its syntax tree. Never changes.

    Args:
        text: the whole text, line ends as they are in the file.
        path: where it is, for messages only; need not exist.
        version: the editor's version number, or 0.
        lines: the line table of `text`, where the caller has it already.
    """

    def __init__(
        self, text: str, path: str = "<text>", version: int = 0, lines: LineTable | None = None
    ) -> None:
        self.text = text
        self.path = path
        self.version = version
        if lines is not None:
            self.__dict__["lines"] = lines

    @cached_property
    def lines(self) -> LineTable:
        return LineTable(self.text)

    @cached_property
    def parsed(self) -> Parsed:
        """The syntax tree, with broken statements left out (`parsed.blanked` says which lines)."""
        return parse_tolerantly(self.text)

    @property
    def tree(self) -> ast.Module:
        return self.parsed.tree

    @cached_property
    def _ascii(self) -> bool:
        return self.text.isascii()

    def every(self, kind: type[Statement]) -> list[Statement]:
        """The statements of one class (`ast.Expr`), at any depth, in the order of the text."""
        return self._statements.get(kind, [])  # type: ignore[return-value]

    @cached_property
    def _statements(self) -> dict[type[ast.stmt], list[ast.stmt]]:
        return statements(self.tree.body)

    def offset(self, line: int, column: int, encoding: Encoding = Encoding.UTF32) -> int:
        return self.lines.offset(line, column, encoding)

    def position(self, offset: int, encoding: Encoding = Encoding.UTF32) -> tuple[int, int]:
        return self.lines.position(offset, encoding)

    def ast_offset(self, lineno: int, col_offset: int) -> int:
        """The offset of an `ast` position: 1-based line, column in UTF-8 bytes."""
        if self._ascii:
            return self.lines.start(lineno - 1) + col_offset
        return self.lines.offset(lineno - 1, col_offset, Encoding.UTF8)

    def span(self, node: ast.expr | ast.stmt | ast.ExceptHandler | ast.arg | ast.alias | ast.keyword) -> Span:
        """The stretch of text that `node` covers."""
        end_line = node.lineno if node.end_lineno is None else node.end_lineno
        end_col = node.col_offset if node.end_col_offset is None else node.end_col_offset
        return Span(self.ast_offset(node.lineno, node.col_offset), self.ast_offset(end_line, end_col))

    def segment(self, span: Span) -> str:
        return self.text[span.start : span.end]

    def line_span(self, line: int) -> Span:
        """Line `line` (0-based) without its line end."""
        return Span(self.lines.start(line), self.lines.end(line))

    @cached_property
    def newline(self) -> str:
        """The line end that this file uses first; `\\n` where there is none."""
        end = self.lines.end(0)
        first = self.text[end : self.lines.start(1)] if len(self.lines) > 1 else ""
        return first or "\n"

    def indent(self, line: int) -> str:
        """The white space that line `line` (0-based) begins with."""
        text = self.lines.text(line)
        return text[: len(text) - len(text.lstrip(" \t\f"))]

    @cached_property
    def comments(self) -> dict[int, tuple[int, str]]:
        """Comments by line (0-based): offset and text. Stops where the text no longer tokenizes."""
        found: dict[int, tuple[int, str]] = {}
        if "#" not in self.text:
            return found
        for token in self.tokens():
            if token.type == tokenize.COMMENT:
                line = token.start[0] - 1
                found[line] = (self.lines.start(line) + token.start[1], token.string)
        return found

    def tokens(self) -> Iterator[tokenize.TokenInfo]:
        """The tokens of the text, up to where it no longer tokenizes."""
        return tokens(self.text)

    def edited(self, edits: Iterable[Edit]) -> Source:
        """The next version, with `edits` made.

        Raises:
            ValueError: two edits overlap.
        """
        return Source(apply_edits(self.text, edits), self.path)

    def told_at(self, offset: int, message: str) -> str:
        """`message`, which names lines of this source (`line 12`), as the reader at `offset` counts them."""
        return message

    def takes(self, edits: Iterable[Edit]) -> bool:
        """Whether `edits` of this text can be made in the file; of a notebook, see `Notebook.takes`."""
        return True


def tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of `text`, up to where it no longer tokenizes."""
    try:
        yield from tokenize.generate_tokens(io.StringIO(text, newline="").readline)
    except (tokenize.TokenError, SyntaxError, ValueError):
        return


def decode(data: bytes) -> str:
    """The text of a Python file: PEP 263 declaration or BOM honoured, UTF-8 otherwise.

    Raises:
        UnicodeDecodeError, SyntaxError, LookupError: the bytes are not what they declare.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding)
