"""Hover on a key of `torchlore.toml`, or of `[tool.torchlore]` in a pyproject.toml, and on a rule in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

from lsprotocol import types

from torchlore import rules
from torchlore.config_schema import PROPERTIES
from torchlore.lsp.client import Client
from torchlore.lsp.documents import Document
from torchlore.lsp.markdown import content

_OWN = "torchlore.toml"
_TABLE = re.compile(r"\s*\[\s*(?P<name>[^\[\]]+?)\s*\]\s*(?:#.*)?$")
_KEY = re.compile(r"\s*(?P<key>[A-Za-z0-9_-]+|\"[^\"]*\")\s*(?:=|\.)")
_VALUE = re.compile(r"(?P<quote>['\"])(?P<value>[A-Za-z0-9-]+)(?P=quote)")


def configuration_hover(document: Document, position: types.Position, client: Client) -> types.Hover | None:
    """What the key means that the cursor is on, or the rule does that is named there; None elsewhere.

    Args:
        document: a `torchlore.toml`, or a pyproject.toml.
        position: in the client's units.
        client: decides the form.
    """
    lines = document.lines
    if position.line >= len(lines):
        return None
    table = _table(lines, position.line)
    own = "" if PurePath(document.path or "").name == _OWN else "tool.torchlore"
    offset = document.offset_at_position(position)
    start = document.table.start(position.line)
    found = _told(lines[position.line], offset - start, table, own)
    if found is None:
        return None
    begin, end, text = found
    encoding = document.encoding
    first, last = (types.Position(*document.table.position(start + at, encoding)) for at in (begin, end))
    return types.Hover(content(text, shows_markdown=client.markdown), types.Range(first, last))


def _table(lines: Sequence[str], line: int) -> str:
    """The name of the table that a line stands in; empty above the first."""
    matches = (_TABLE.match(lines[at].rstrip("\r\n")) for at in range(line, -1, -1))
    name = next((match["name"] for match in matches if match is not None), "")
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


def _told(line: str, column: int, table: str, own: str) -> tuple[int, int, str] | None:
    """From where to where a word stands that means something here, and what."""
    if table not in (own, ".".join(filter(None, (own, "per-file-ignores")))):
        return None
    key = _KEY.match(line)
    name = key["key"] if key is not None and table == own else ""
    if key is not None and name in PROPERTIES and key.start("key") <= column <= key.end("key"):
        return key.start("key"), key.end("key"), f"**{name}**\n\n{_described(name)}"
    for value in _VALUE.finditer(line):
        rule = rules.rule_by_code_or_name(value["value"])
        if rule is not None and value.start("value") <= column <= value.end("value"):
            does = rule.documentation().partition("## What it does")[2].partition("\n## ")[0].strip()
            return value.start("value"), value.end("value"), f"**{rule.code} {rule.name}**\n\n{does}"
    return None


def _described(name: str) -> str:
    known = PROPERTIES[name]
    text = str(known["description"])
    if "enum" in known:
        text += f"\n\nOne of {', '.join(f'`{value}`' for value in known['enum'])}."
    if "default" in known:
        text += f"\n\nDefault: `{str(known['default']).lower()}`."
    return text
