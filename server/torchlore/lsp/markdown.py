"""Markdown for the clients that show it, and the same without marks for those that do not."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsprotocol import types

_FENCE = re.compile(
    r"^(?P<fence>`{3,}|~{3,})[^\n]*\n(?P<code>.*?)\n?(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL
)
_CODE = re.compile(r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)")
_LINK = re.compile(r"!?\[(?P<text>[^\]\n]*)\]\((?P<target>[^)\s]*)[^)\n]*\)")
_EMPHASIS = re.compile(r"(?<![\w*])(?P<mark>\*\*|\*)(?=\S)(?P<text>[^\n]+?)(?<=\S)(?P=mark)(?![\w*])")
_HEADING = re.compile(r"^#{1,6} +", re.MULTILINE)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def content(markdown: str, *, shows_markdown: bool) -> types.MarkupContent:
    """`markdown` in the form that the client declared."""
    if shows_markdown:
        return types.MarkupContent(types.MarkupKind.Markdown, markdown)
    return types.MarkupContent(types.MarkupKind.PlainText, plain(markdown))


def documentation(markdown: str, formats: Sequence[str]) -> str | types.MarkupContent:
    """`markdown` in the first of the forms that are declared; bare text where none is.

    Args:
        markdown: what is to be shown.
        formats: of the protocol's names of forms those that the client takes, the preferred one first.
    """
    if not formats:
        return plain(markdown)
    return content(markdown, shows_markdown=formats[0] == types.MarkupKind.Markdown.value)


def escaped(text: str) -> str:
    """Text that is nothing but text in Markdown: what a snippet says must make no link and no element."""
    return re.sub(r"([\\`*_\[\]<>&~|])", r"\\\1", " ".join(text.split()))


def plain(markdown: str) -> str:
    """The text of `markdown` without its marks. Code keeps every character, a link its target."""
    kept: list[str] = []

    def keep(text: str) -> str:
        kept.append(text)
        return f"\x00{len(kept) - 1}\x00"

    text = markdown.replace("\x00", "")
    text = _FENCE.sub(lambda m: keep(m["code"]), text)
    text = _CODE.sub(lambda m: keep(m["code"]), text)
    text = _LINK.sub(_link, text)
    text = _EMPHASIS.sub(lambda m: m["text"], text)
    text = _HEADING.sub("", text)
    text = _ESCAPE.sub(lambda m: m[1], text)
    # Code inside a link's text was kept before the link was: put back until nothing is left to put back.
    while "\x00" in text:
        text = re.sub("\x00(\\d+)\x00", lambda m: kept[int(m[1])], text)
    return text


def _link(match: re.Match[str]) -> str:
    text, target = match["text"], match["target"]
    shown = target.startswith(("http://", "https://")) and target != text
    return f"{text} ({target})" if shown else text
