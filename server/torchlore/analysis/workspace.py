"""The files of a workspace as others import them: found by name, read when first asked for, then kept.

Nothing is listed or read ahead, so that a workspace costs nothing until something imports from it.
"""

from __future__ import annotations

import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from torchlore.analysis.files import File, Signature
from torchlore.analysis.store import InterfaceStore
from torchlore.text import Source

if TYPE_CHECKING:
    from torchlore.analysis.quiet import Words

MAX_CHARACTERS = 1_000_000
"""Longer files are data or generated code; importing from them gives unknown."""

_PROJECT_MARKERS = (".git", ".hg", "pyproject.toml", "setup.py", "setup.cfg")
"""What lies in the root of a project."""

_NEVER_LOCAL = frozenset({"torch", "__main__", *sys.stdlib_module_names})
"""Top-level modules that a file of the same name does not hide: `torch/` in PyTorch's own tree is torch."""


class Workspace:
    """Folders that hold files which import from one another.

    Args:
        roots: the folders, from which absolute imports are looked up too. None need exist.
        opened: the text that an editor has of a path; None where it has none.
        store: where interfaces are kept between runs; None keeps none.
        kept: characters of files (with trees of what was asked for) kept for the next one that imports them.
        is_still: whether nothing on disk changes while it lives, so that each folder is looked at once.
    """

    def __init__(
        self,
        roots: Iterable[str | os.PathLike[str]] = (),
        opened: Callable[[str], Source | None] = lambda path: None,
        store: InterfaceStore | None = None,
        kept: int = 4_000_000,
        is_still: bool = False,
    ) -> None:
        self._kept = kept
        self.is_still = is_still
        self.roots = tuple(os.path.abspath(root) for root in roots)  # noqa: PTH100
        self._opened = opened
        self._store = store
        self._files: OrderedDict[str, File] = OrderedDict()
        self._folders: dict[str, tuple[int, frozenset[str]]] = {}
        self._seen_from: dict[str, tuple[str, ...]] = {}
        self._characters = 0

    def file(self, path: str) -> File | None:
        """The current version of a file; None where there is no such file, or it is too large."""
        known = self._files.get(path)
        if known is not None and self.is_still:
            self._files.move_to_end(path)
            return known
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
        while self._characters > self._kept and len(self._files) > 1:
            self._forget(next(iter(self._files)))

    def _forget(self, path: str) -> None:
        file = self._files.pop(path, None)
        if file is not None:
            self._characters -= self._size(file)

    @staticmethod
    def _size(file: File) -> int:
        return file.signature[1] if isinstance(file.signature, tuple) else len(file.source.text)

    def folders_for(self, path: str) -> tuple[str, ...]:
        """Where absolute imports of the file at `path` are looked up, first to last.

        A script sees its own folder first; a file of a package sees the folder that holds the package.
        From there up to the root of the project every folder may be one that Python is started in.
        """
        own = os.path.dirname(path)  # noqa: PTH120
        known = self._seen_from.get(own)
        if known is None or not self.is_still:
            known = self._seen_from[own] = tuple(dict.fromkeys(self._folders_from(own)))
        return known

    def _folders_from(self, own: str) -> Iterator[str]:
        top = own
        while self._holds(top, "__init__.py") and os.path.dirname(top) != top:  # noqa: PTH120
            top = os.path.dirname(top)  # noqa: PTH120
        root = self._root_of(top)
        yield top
        folder = top
        while folder != root and folder.startswith(root):
            folder = os.path.dirname(folder)  # noqa: PTH120
            yield folder
        yield os.path.join(root, "src")  # noqa: PTH118
        yield own
        yield from (other for other in self.roots if other != root)

    def _root_of(self, folder: str) -> str:
        """The root of the workspace that `folder` is in; outside of it, that of its project."""
        around = [r for r in self.roots if folder == r or folder.startswith(r.rstrip(os.sep) + os.sep)]
        if around:
            return max(around, key=len)
        above = folder
        while not any(self._holds(above, marker) for marker in _PROJECT_MARKERS):
            if os.path.dirname(above) == above:  # noqa: PTH120
                return folder
            above = os.path.dirname(above)  # noqa: PTH120
        return above

    def _holds(self, folder: str, name: str) -> bool:
        return name in self.names(folder)

    def names(self, folder: str) -> frozenset[str]:
        """What a folder holds; nothing where it cannot be read.

        One look at a folder answers for all the modules that are not in it.
        """
        known = self._folders.get(folder)
        if known is not None and self.is_still:
            return known[1]
        try:
            changed = os.stat(folder).st_mtime_ns  # noqa: PTH116
            if known is None or known[0] != changed:
                known = self._folders[folder] = changed, frozenset(os.listdir(folder))  # noqa: PTH208
        except (OSError, ValueError):
            return frozenset()
        return known[1]


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
        workspace: where modules are looked up.
        path: of the file that is analysed.
        follow: whether it matters what imported functions do.
        files: every file that was looked at, by path.
        missed: paths where a module was looked for and not found.
        broken: files in which something that was asked for does not parse.
        words: what the words of files say of their code (see `quiet`), of those that were asked about.
    """

    def __init__(self, workspace: Workspace, path: str, follow: bool = True) -> None:
        self.workspace = workspace
        self.follow = follow
        self.path = os.path.abspath(path)  # noqa: PTH100
        self._listed: dict[str, frozenset[str]] = {}
        self._found: dict[tuple[str, str], str | None] = {}
        self.files: dict[str, File] = {}
        self.missed: set[str] = set()
        self.broken: set[str] = set()
        self.words: dict[str, Words] = {}

    @cached_property
    def _folders(self) -> tuple[str, ...]:
        """Where absolute imports are looked up: most files are never analysed, so that nobody asks."""
        return self.workspace.folders_for(self.path)

    def find(self, module: str, importer: str) -> str | None:
        """The path of the file that `module`, as the file at `importer` writes it, stands for.

        A namespace package (a folder without `__init__.py`) stands for itself: its path ends in a separator.
        """
        is_relative = module.startswith(".")
        if not is_relative and module.partition(".")[0] in _NEVER_LOCAL:
            return None
        key = (module, os.path.dirname(importer) if is_relative else "")  # noqa: PTH120
        if key not in self._found:
            self._found[key] = self._look(*key)
        return self._found[key]

    def _look(self, module: str, own: str) -> str | None:
        dotted = module.lstrip(".")
        level = len(module) - len(dotted)
        parts = dotted.split(".") if dotted else []
        if not all(part.isidentifier() for part in parts):
            return None
        if level:
            for _ in range(level - 1):
                own = os.path.dirname(own)  # noqa: PTH120
            return self._below(own, parts)
        if not parts:
            return None
        namespace = None
        for folder in self._folders:
            found = self._below(folder, parts)
            if found is not None and not found.endswith(os.sep):
                return found
            namespace = namespace or found
        return namespace

    def _below(self, folder: str, parts: list[str]) -> str | None:
        """The file of a module that is looked up in `folder`; the module of no name is the package itself."""
        for index, part in enumerate(parts):
            names = self._names(folder)
            inner = os.path.join(folder, part)  # noqa: PTH118
            if part not in names or "__init__.py" not in self._names(inner):
                if index == len(parts) - 1 and self._is_file(f"{inner}.py", f"{part}.py" in names):
                    return f"{inner}.py"
                self.missed.add(os.path.join(inner, "__init__.py"))  # noqa: PTH118
                if part not in names or not os.path.isdir(inner):  # noqa: PTH112
                    return None
            folder = inner
        package = os.path.join(folder, "__init__.py")  # noqa: PTH118
        return package if self._is_file(package, "__init__.py" in self._names(folder)) else folder + os.sep

    def _is_file(self, path: str, is_listed: bool) -> bool:
        if is_listed and self.file(path) is not None:
            return True
        self.missed.add(path)
        return False

    def _names(self, folder: str) -> frozenset[str]:
        known = self._listed.get(folder)
        if known is None:
            known = self._listed[folder] = self.workspace.names(folder)
        return known

    def submodule(self, path: str, name: str) -> str | None:
        """The path of module `name` in the package whose file (or folder) is `path`."""
        if not path.endswith((os.sep, "__init__.py")) or not name.isidentifier():
            return None
        folder = os.path.dirname(path)  # noqa: PTH120
        return self._below(folder, [name])

    def lists(self, path: str, name: str) -> bool:
        """Whether the package whose file (or folder) is `path` may have a module called `name`."""
        names = self._names(os.path.dirname(path)) if path.endswith((os.sep, "__init__.py")) else ()  # noqa: PTH120
        return name in names or f"{name}.py" in names

    def still_holds(self, files: Mapping[str, File], missed: Iterable[str]) -> bool:
        """Whether files are the versions that they were, and those that were missed are still not there."""
        if any(self.file(path) is not file for path, file in files.items()):
            return False
        return self.workspace.is_still or all(self.file(path) is None for path in missed)

    def file(self, path: str) -> File | None:
        """The file at `path`: the same version for the whole analysis."""
        known = self.files.get(path)
        if known is not None or path in self.missed:
            return known
        found = self.workspace.file(path)
        if found is None:
            self.missed.add(path)
            return None
        self.files[path] = found
        return found
