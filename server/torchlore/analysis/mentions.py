"""What the files that a file imports speak of: asked of their text, so that none of them need be parsed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from torchlore.analysis.workspace import Imports

_MAX_FILES = 40
"""So many files are looked at: of more, any may say anything."""

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<home>[.\w]+)[ \t]+import[ \t]*(?P<names>\([^)]*\)|[^\n]*)"
    r"|import[ \t]+(?P<modules>[^\n#]+))",
    re.M,
)
_DYNAMIC = ("__import__", "import_module")
_NAME = re.compile(r"\w+")


def may_be_imported(imports: Imports, text: str, word: str) -> bool:
    """Whether a file that `text` imports, or that such a file imports in turn, may have `word` in it.

    Args:
        imports: of the file that holds `text`.
        text: of the file, which itself is not asked.
        word: as it would be written.
    """
    seen = {imports.path}
    waiting = [(text, imports.path)]
    while waiting:
        text, importer = waiting.pop()
        if any(name in text for name in _DYNAMIC):
            return True
        for path in _imported(imports, text, importer):
            if path is None:
                return True
            file = imports.file(path) if path not in seen else None
            seen.add(path)
            if file is None:
                continue
            if len(seen) > _MAX_FILES or word in file.source.text:
                return True
            waiting.append((file.source.text, path))
    return False


def _imported(imports: Imports, text: str, importer: str) -> Iterator[str | None]:
    """The files that the import statements of a text run; None for one of its own package that is not found.

    A line of a docstring may look like an import: then there is one file more to look at.
    """
    for statement in _IMPORT.finditer(text):
        home = statement["home"]
        modules = (
            [home] if home else [part.split()[0] for part in statement["modules"].split(",") if part.strip()]
        )
        for module in modules:
            found = [imports.find(name, importer) for name in _with_packages(module)]
            if found[-1] is None and module.startswith("."):
                yield None
            yield from (path for path in found if path is not None)
            if home and found[-1] is not None and found[-1].endswith((os.sep, "__init__.py")):
                inner = (imports.submodule(found[-1], name) for name in _NAME.findall(statement["names"]))
                yield from (path for path in inner if path is not None)


def _with_packages(module: str) -> Iterator[str]:
    """`a`, `a.b` and `a.b.c` of `a.b.c`: a module runs after the packages that it lies in."""
    dotted = module.lstrip(".")
    dots = module[: len(module) - len(dotted)]
    parts = dotted.split(".") if dotted else []
    for count in range(0 if dots else 1, len(parts) + 1):
        yield dots + ".".join(parts[:count])
