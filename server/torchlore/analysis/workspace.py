"""The files of a workspace as others import them: found by name, read when first asked for, then kept.

Nothing is listed or read ahead, so that a workspace costs nothing until something imports from it.
"""

from __future__ import annotations

import ast
import logging
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from torchlore.analysis.interface import Interface, definitions, read_interface
from torchlore.analysis.store import InterfaceStore
from torchlore.text import Source, decode

_LOG = logging.getLogger(__name__)

MAX_CHARACTERS = 1_000_000
"""Longer files are data or generated code; importing from them gives unknown."""

_KEPT_CHARACTERS = 8_000_000
"""Texts (with their trees, some 30 times as large) kept for the next one that imports them."""

Signature = tuple[int, int] | int
"""Tells two versions of a file apart: time and size on disk, or the identity of an editor's text."""

_NEVER_LOCAL = frozenset({"torch", "__main__", *sys.stdlib_module_names})
"""Top-level modules that a file of the same name does not hide: `torch/` in PyTorch's own tree is torch."""


class File:
    """One version of one file of the workspace.

    Attributes:
        path: where it is, normalized.
        signature: tells this version from others.
    """

    def __init__(
        self, path: str, signature: Signature, source: Source | None, store: InterfaceStore | None
    ) -> None:
        self.path = path
        self.signature = signature
        self._given = source
        self._store = store

    @cached_property
    def source(self) -> Source:
        """Its text; empty where it cannot be read."""
        if self._given is not None:
            return self._given
        try:
            return Source(decode(Path(self.path).read_bytes()), self.path)
        except (OSError, UnicodeDecodeError, SyntaxError, LookupError) as error:
            _LOG.info("%s cannot be imported from: %s", self.path, error)
            return Source("", self.path)

    @cached_property
    def digest(self) -> str:
        """Of its text."""
        return sha256(self.source.text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def tree(self) -> ast.Module:
        return self.source.tree

    @cached_property
    def definitions(self) -> dict[str, list[ast.stmt]]:
        return definitions(self.tree)

    @cached_property
    def interface(self) -> Interface:
        """What it offers. That of a file on disk is kept on disk too: reading it back takes no parse."""
        if self._store is None or self._given is not None or "parsed" in self.source.__dict__:
            return read_interface(self.tree)
        known = self._store.load(self.digest)
        if known is None:
            known = read_interface(self.tree)
            self._store.save(self.digest, known)
        return known

    @property
    def is_package(self) -> bool:
        return os.path.basename(self.path) == "__init__.py"  # noqa: PTH119 (a thousand of these are asked)


class Workspace:
    """Folders that hold files which import from one another.

    Args:
        roots: the folders, from which absolute imports are looked up too. None need exist.
        opened: the text that an editor has of a path; None where it has none.
        store: where interfaces are kept between runs; None keeps none.
    """

    def __init__(
        self,
        roots: Iterable[str | os.PathLike[str]] = (),
        opened: Callable[[str], Source | None] = lambda path: None,
        store: InterfaceStore | None = None,
    ) -> None:
        self.roots = tuple(os.path.abspath(root) for root in roots)  # noqa: PTH100
        self._opened = opened
        self._store = store
        self._files: OrderedDict[str, File] = OrderedDict()
        self._characters = 0

    def file(self, path: str) -> File | None:
        """The current version of a file; None where there is no such file, or it is too large."""
        given = self._opened(path)
        if given is not None:
            signature: Signature = id(given)
        else:
            try:
                stat = os.stat(path)  # noqa: PTH116
            except (OSError, ValueError):
                return None
            signature = (stat.st_mtime_ns, stat.st_size)
            if stat.st_size > MAX_CHARACTERS:
                return None
        known = self._files.get(path)
        if known is None or known.signature != signature:
            known = File(path, signature, given, self._store)
            self._keep(known)
        else:
            self._files.move_to_end(path)
        return known

    def _keep(self, file: File) -> None:
        """Remembers a file, and forgets those that were not asked for longest."""
        self._forget(file.path)
        self._files[file.path] = file
        self._characters += self._size(file)
        while self._characters > _KEPT_CHARACTERS and len(self._files) > 1:
            self._forget(next(iter(self._files)))

    def _forget(self, path: str) -> None:
        file = self._files.pop(path, None)
        if file is not None:
            self._characters -= self._size(file)

    @staticmethod
    def _size(file: File) -> int:
        return file.signature[1] if isinstance(file.signature, tuple) else len(file.source.text)

    def folders_for(self, path: str) -> Iterator[str]:
        """Where absolute imports of the file at `path` are looked up, first to last.

        A script sees its own folder first; a file of a package sees the folder that holds the package.
        From there up to the root of the workspace every folder may be one that Python is started in.
        """
        own = os.path.dirname(path)  # noqa: PTH120
        top = own
        while os.path.isfile(os.path.join(top, "__init__.py")) and os.path.dirname(top) != top:  # noqa: PTH113, PTH118, PTH120
            top = os.path.dirname(top)  # noqa: PTH120
        root = next((r for r in self.roots if own == r or own.startswith(r.rstrip(os.sep) + os.sep)), None)
        yield top
        folder = top
        while root is not None and folder != root and len(folder) > len(root):
            folder = os.path.dirname(folder)  # noqa: PTH120
            yield folder
        if root is not None:
            yield os.path.join(root, "src")  # noqa: PTH118
        if own != top:
            yield own
        yield from (r for r in self.roots if r != root)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The other files that an analysis rests on.

    Attributes:
        files: those that were read, by path.
        missed: paths where a module was looked for and not found.
    """

    files: Mapping[str, File]
    missed: Collection[str]

    def mention(self, path: str) -> bool:
        """Whether a change of the file at `path`, or its coming to be, may change the analysis."""
        return path in self.files or path in self.missed


class Imports:
    """The imports of one analysis: looks modules up, and remembers which files its answers rest on.

    Attributes:
        files: every file that was looked at, by path.
        missed: paths where a module was looked for and not found.
    """

    def __init__(self, workspace: Workspace, path: str) -> None:
        self._workspace = workspace
        self._folders = tuple(dict.fromkeys(workspace.folders_for(path)))
        self._found: dict[tuple[str, str], str | None] = {}
        self.files: dict[str, File] = {}
        self.missed: set[str] = set()

    def find(self, module: str, importer: str) -> str | None:
        """The path of the file that `module`, as the file at `importer` writes it, stands for.

        A namespace package (a folder without `__init__.py`) stands for itself: its path ends in a separator.
        """
        own = os.path.dirname(importer)  # noqa: PTH120
        key = (module, own)
        if key not in self._found:
            self._found[key] = self._look(module, own)
        return self._found[key]

    def _look(self, module: str, own: str) -> str | None:
        dotted = module.lstrip(".")
        level = len(module) - len(dotted)
        parts = dotted.split(".") if dotted else []
        if level:
            for _ in range(level - 1):
                own = os.path.dirname(own)  # noqa: PTH120
            return self._below(own, parts)
        if not parts or parts[0] in _NEVER_LOCAL or not all(part.isidentifier() for part in parts):
            return None
        namespace = None
        for folder in self._folders:
            found = self._below(folder, parts)
            if found is not None and not found.endswith(os.sep):
                return found
            namespace = namespace or found
        return namespace

    def _below(self, folder: str, parts: list[str]) -> str | None:
        base = os.path.join(folder, *parts)  # noqa: PTH118
        candidates = [os.path.join(base, "__init__.py"), f"{base}.py"]  # noqa: PTH118
        for candidate in candidates if parts else candidates[:1]:
            if self.file(candidate) is not None:
                return candidate
        return base + os.sep if os.path.isdir(base) else None  # noqa: PTH112

    def submodule(self, path: str, name: str) -> str | None:
        """The path of module `name` in the package whose file (or folder) is `path`."""
        if not path.endswith((os.sep, "__init__.py")) or not name.isidentifier():
            return None
        folder = os.path.dirname(path)  # noqa: PTH120
        return self._below(folder, [name])

    def file(self, path: str) -> File | None:
        """The file at `path`: the same version for the whole analysis."""
        known = self.files.get(path)
        if known is not None or path in self.missed:
            return known
        found = self._workspace.file(path)
        if found is None:
            self.missed.add(path)
            return None
        self.files[path] = found
        return found
