"""A file of the workspace as others import it: each of its statements is parsed when it is asked for."""

from __future__ import annotations

import ast
import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from torchlore.analysis.interface import Interface, Patch, binding, patches, read_interface
from torchlore.analysis.store import InterfaceStore
from torchlore.text import Source, decode
from torchlore.text.nodes import around
from torchlore.text.outline import Segment, segments
from torchlore.text.parse import parse
from torchlore.text.words import ends_of

if TYPE_CHECKING:
    from torchlore.analysis.inert import Inert
    from torchlore.analysis.quiet import OwnWords, Words

_LOG = logging.getLogger(__name__)

_WORTH_STORING = 20_000
"""Characters from which reading an interface back is quicker than finding it out."""

_DEFINING = ("def", "class", "async")
"""What a definition begins with; its name stands behind it."""

Signature = tuple[int, int] | int
"""Tells two versions of a file apart: time and size on disk, or the identity of an editor's text."""


def digest_of(data: bytes) -> str:
    """Tells contents of files apart."""
    return sha256(data).hexdigest()


class File:
    """One version of one file of the workspace.

    Attributes:
        path: where it is, normalized.
        signature: tells this version from others.
        was_read: whether its text was asked for.
        inert: what was found out of its functions by themselves (see `inert`); None of those that matter.
        words: what its words, and those of what it imports, say of its code (see `quiet`), once it was asked.
        own_words: what its own words say, once that was asked.
    """

    def __init__(
        self, path: str, signature: Signature, source: Source | None, store: InterfaceStore | None
    ) -> None:
        self.path = path
        self.signature = signature
        self._given = source
        self._store = store
        self.inert: dict[ast.AST, Inert | None] = {}
        self.words: Words | None = None
        self.own_words: OwnWords | None = None
        self._statements: dict[int, list[ast.stmt] | None] = {}
        self._parses: dict[str, bool] = {}
        self._bound: dict[str, list[ast.stmt]] = {}

    @property
    def was_read(self) -> bool:
        return "_read" in self.__dict__

    @property
    def source(self) -> Source:
        """Its text; empty where it cannot be read."""
        return self._read[0]

    @property
    def digest(self) -> str:
        """Of its bytes."""
        return self._read[1]

    @cached_property
    def _read(self) -> tuple[Source, str]:
        if self._given is not None:
            return self._given, digest_of(self._given.text.encode("utf-8", "surrogatepass"))
        data = b""
        try:
            data = Path(self.path).read_bytes()
            return Source(decode(data), self.path), digest_of(data)
        except (OSError, UnicodeDecodeError, SyntaxError, LookupError) as error:
            _LOG.info("%s cannot be imported from: %s", self.path, error)
            return Source("", self.path), digest_of(data)

    @cached_property
    def _segments(self) -> list[Segment]:
        return segments(self.source.text)

    @cached_property
    def _whole(self) -> ast.Module | None:
        """The whole tree, where some statement does not parse by itself; else None: nobody needs it."""
        loose = (i for i in self._by_name[""] if self._segments[i].word not in _DEFINING)
        return self.source.tree if any(self._parsed(index) is None for index in loose) else None

    def _parsed(self, index: int) -> list[ast.stmt] | None:
        """The statement in segment `index`, parsed when it is first asked for; None where it is broken."""
        if index not in self._statements:
            segment = self._segments[index]
            try:
                text = "\n" * segment.line + self._text_of(segment)
                self._statements[index] = parse(text).body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                self._statements[index] = None
        return self._statements[index]

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        """The segments that bind one name each; those under the empty name may bind any that they mention."""
        found: dict[str, list[int]] = {"": []}
        for index, segment in enumerate(self._segments):
            found.setdefault(segment.name, []).append(index)
        return found

    @cached_property
    def _loose(self) -> list[tuple[int, str]]:
        """The segments that may bind any name that they mention, with their texts."""
        return [(index, self._text_of(self._segments[index])) for index in self._by_name[""]]

    def _binding(self, name: str) -> list[list[ast.stmt] | None]:
        """The statements of the segments that may bind `name`, in order; None for those that are broken."""
        named = self._by_name.get(name, []) if name else []
        others = [index for index, text in self._loose if name in text]
        return [self._parsed(index) for index in sorted((*named, *others))]

    def binding(self, name: str) -> list[ast.stmt]:
        """The statements that bind `name` when the file is imported, in order: asked by all who import it."""
        if name not in self._bound:
            self._bound[name] = self._find_binding(name)
        return self._bound[name]

    def _find_binding(self, name: str) -> list[ast.stmt]:
        if self._whole is not None:
            return binding(name, self._whole.body)
        found: list[ast.stmt] = []
        for statements in self._binding(name):
            if statements is None:
                return binding(name, self.source.tree.body)
            found += binding(name, statements)
        return found

    def parses(self, name: str) -> bool:
        """Whether what binds `name`, and what may bind anything, parses."""
        known = self._parses.get(name)
        if known is None:
            whole = self._whole is None and not self._has_nameless
            known = self._parses[name] = whole and None not in self._binding(name)
        return known

    @cached_property
    def _has_nameless(self) -> bool:
        """Whether something is defined of which the name is not typed yet."""
        return any(self._segments[index].word in _DEFINING for index in self._by_name[""])

    def _text_of(self, segment: Segment) -> str:
        return self.source.text[segment.start : segment.end]

    def text_of(self, node: ast.stmt) -> str:
        """The lines of a statement."""
        lines = self.source.lines
        return self.source.text[
            lines.start(node.lineno - 1) : lines.end((node.end_lineno or node.lineno) - 1)
        ]

    def holds(self, node: ast.AST) -> bool:
        """Whether a node is of what was parsed of this file."""
        bodies = [self._whole.body] if self._whole is not None else self._statements.values()
        return any(top is node or around(node, top) is not None for body in bodies for top in body or ())

    @cached_property
    def interface(self) -> Interface:
        """What it offers. That of a long file on disk is kept on disk too."""
        if self._store is None or self._given is not None or len(self.source.text) < _WORTH_STORING:
            return self._read_interface()
        known = self._store.load(self.digest)
        if known is None:
            known = self._read_interface()
            self._store.save(self.digest, known)
        return known

    def _read_interface(self) -> Interface:
        classes = [segment.name for segment in self._segments if segment.word == "class"]
        found = read_interface(self._outlined(), classes, self._is_mentioned)
        return replace(found, broken=True) if self._whole is not None or self._has_nameless else found

    def _is_mentioned(self, name: str) -> bool:
        """Whether a name that is imported stands in some other place too."""
        return len(list(islice(ends_of(name, self.source.text), 2))) == 2

    @property
    def patches(self) -> list[Patch]:
        """What its top level sets on things that it imports, or on its own classes."""
        known = self.interface.patches
        if not known:
            return []
        bodies = [self._whole.body] if self._whole is not None else map(self._parsed, self._by_name[""])
        return [patch for body in bodies for patch in patches(body or ()) if patch.written in known]

    def _outlined(self) -> Iterator[tuple[str, list[ast.stmt]]]:
        if self._whole is not None:
            yield "", self._whole.body
            return
        for index, segment in enumerate(self._segments):
            if segment.name and segment.name != "__all__":
                yield segment.name, []
            else:
                yield "", self._parsed(index) or []
