"""Insertable snippets: `knowledge/inserts/<slug>.py`, with holes that the server fills from scope."""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from torchlore.knowledge.data import ContentError, data_root, read_toml
from torchlore.knowledge.model import Card, Hole, Insert

KINDS = (
    "Module",
    "Optimizer",
    "Scheduler",
    "GradScaler",
    "DataLoader",
    "Dataset",
    "Loss",
    "Tensor",
    "Device",
    "Number",
    "Unknown",
)

_log = logging.getLogger(__name__)
_HEADER = re.compile(r"# /// torchlore\n((?:#[^\n]*\n)*?)# ///\n", re.MULTILINE)


@lru_cache(maxsize=1)
def inserts() -> tuple[Insert, ...]:
    """Every insertable snippet, sorted by slug. A file that is not one is logged and left out."""
    found = []
    for path in sorted((data_root() / "inserts").glob("*.py")):
        try:
            found.append(read_insert(path))
        except (ContentError, OSError) as error:
            _log.error("insert left out: %s", error)
    return tuple(found)


def insert(slug: str) -> Insert | None:
    """The insertable snippet of that slug, or None."""
    return next((known for known in inserts() if known.slug == slug), None)


def inserts_of(card: Card) -> tuple[Insert, ...]:
    """The insertable snippets that a card explains; those that are called like it come first."""
    own = [known for known in inserts() if known.card == card.slug]
    return tuple(sorted(own, key=lambda known: known.slug != card.slug))


def read_insert(path: Path) -> Insert:
    """Read one insertable snippet.

    Raises ContentError where its header is not as it must be, OSError where the file cannot be read.
    """
    text = path.read_text(encoding="utf-8")
    header = _HEADER.match(text)
    if header is None:
        raise ContentError(f"{path.name}: does not start with a `# /// torchlore` header")
    toml = "".join(re.sub(r"^# ?", "", line) for line in header[1].splitlines(keepends=True))
    front = read_toml(toml, path.name)
    try:
        return Insert(
            slug=path.stem,
            title=front["title"],
            description=front["description"],
            card=front["card"],
            holes=tuple(_hole(name, value, path.name) for name, value in front.get("holes", {}).items()),
            imports=tuple(front.get("imports", ())),
            body=text[header.end() :].strip("\n") + "\n",
        )
    except KeyError as error:
        raise ContentError(f"{path.name}: header lacks {error}") from error


def _hole(name: str, value: Any, path: str) -> Hole:
    """A hole is written `name = "Kind"`, or `name = { kind = "Kind", default = "text" }`."""
    if isinstance(value, str):
        value = {"kind": value}
    kind = value.get("kind")
    if kind not in KINDS:
        raise ContentError(
            f"{path}: hole {name!r} has the kind {kind!r}, which is none of {', '.join(KINDS)}"
        )
    return Hole(name=name, kind=kind, default=value.get("default", name))
