"""Markdown and code as HTML: escaped, highlighted, links and pictures pointed to their places in the book."""

from __future__ import annotations

import html
import posixpath
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

Placed = Callable[[str], str | None]
"""From the target of a relative link or picture to its place in the book; None where the book has none."""


def html_of(markdown: str, placed: Placed) -> str:
    """Markdown as HTML. HTML within the Markdown is text; a picture that has no place is its description."""
    parser = _parser()
    tokens = parser.parse(markdown)
    for token in tokens:
        _turn(token.children or [], placed)
    return str(parser.renderer.render(tokens, parser.options, {}))


def code_block(code: str, language: str) -> str:
    """Code as a block that the keyboard can scroll; plain where the language is none that is known."""
    return f'<pre tabindex="0"><code>{_highlighted(code.rstrip(), language)}</code></pre>\n'


def _highlighted(code: str, language: str) -> str:
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return html.escape(code)
    return str(highlight(code, lexer, HtmlFormatter(nowrap=True))).rstrip("\n")


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


def _fence(_: RendererHTML, tokens: Sequence[Token], at: int, __: Any, ___: Any) -> str:
    return code_block(tokens[at].content, tokens[at].info.strip().partition(" ")[0])


def _table_open(_: RendererHTML, __: Sequence[Token], ___: int, ____: Any, _____: Any) -> str:
    return '<div class="wide" tabindex="0"><table>\n'


def _table_close(_: RendererHTML, __: Sequence[Token], ___: int, ____: Any, _____: Any) -> str:
    return "</table></div>\n"


def _turn(tokens: list[Token], placed: Placed) -> None:
    """Turns the targets of relative links and of pictures; both become text where there is no such place."""
    left_out = False
    for token in tokens:
        if token.type == "image":
            place = placed(str(token.attrs["src"]))
            if place is None:
                token.type, token.children = "text", None  # Its content is the description.
            else:
                token.attrs = {"src": place, "alt": "", "loading": "lazy"}
        elif token.type == "link_open":
            target = str(token.attrs["href"])
            place = target if _is_elsewhere(target) else placed(target)
            left_out = place is None
            if place is None:
                token.type, token.nesting, token.content = "text", 0, ""
            else:
                token.attrs = {"href": place}
        elif token.type == "link_close" and left_out:
            token.type, token.nesting, token.content, left_out = "text", 0, "", False


def _is_elsewhere(target: str) -> bool:
    return target.startswith(("https://", "http://", "mailto:", "#"))


def relative(target: str, folder: str) -> str | None:
    """A relative target as a path from the root, seen from a folder below it; None where it leads outside."""
    path = posixpath.normpath(posixpath.join(folder, target))
    return None if path.startswith(("../", "/")) or path == ".." or "\\" in path or ":" in path else path
