"""What classes of installed packages are. The only file that imports jedi.

jedi finds where a name is defined across packages, stubs and re-exports; which torch class it derives
from is then read off the definition. It is slow and not thread-safe, so that callers ask in the
background, from one thread, and use the answer the next time.
"""

from __future__ import annotations

import ast
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torchlore.analysis.interface import imports
from torchlore.text import decode
from torchlore.text.parse import parse

_LOG = logging.getLogger(__name__)

_MAX_STEPS = 6
"""Base classes followed from one package to the next before the answer is that we do not know."""


def torch_base(name: str, packages: Sequence[str]) -> str | None:
    """The torch class that an installed class derives from.

    Args:
        name: a dotted name as it is imported, `package.module.Class`.
        packages: folders that hold installed packages (`site-packages`). Nothing in them is run.

    Returns:
        The dotted name of the torch class; None where `name` is no class, or derives from none of torch.
    """
    try:
        return _follow(name, packages, _MAX_STEPS)
    except Exception as error:  # jedi raises whatever the code that it reads makes it raise
        _LOG.info("jedi could not tell what %s is: %s", name, error)
        return None


def package_folders(interpreter: str) -> list[str]:
    """The `site-packages` folders that belong to an interpreter, found by their place beside it."""
    prefix = Path(interpreter).parent.parent
    return [
        str(p)
        for p in (*sorted(prefix.glob("lib/python3*/site-packages")), prefix / "Lib/site-packages")
        if p.is_dir()
    ]


def _follow(name: str, packages: Sequence[str], steps: int) -> str | None:
    if name.startswith("torch."):
        return name
    definition = _definition(name, packages) if steps else None
    if definition is None:
        return None
    path, line = definition
    tree = parse(decode(path.read_bytes()))
    for base in _bases(tree, line):
        found = _follow(base, packages, steps - 1)
        if found is not None:
            return found
    return None


def _definition(name: str, packages: Sequence[str]) -> tuple[Path, int] | None:
    """The file and line where the class `name` is defined."""
    import jedi  # 0.2 s that nobody should wait for who does not need it

    module, _, last = name.rpartition(".")
    project = jedi.Project(
        packages[0] if packages else ".", sys_path=list(packages), load_unsafe_extensions=False
    )
    # The interpreter that runs us stands in for the user's, so that jedi starts none.
    script = jedi.Script(
        f"from {module} import {last}\n{last}", project=project, environment=jedi.InterpreterEnvironment()
    )
    found: list[Any] = script.goto(2, 0, follow_imports=True)
    for definition in found:
        if definition.type == "class" and definition.module_path is not None and definition.line is not None:
            return Path(definition.module_path), int(definition.line)
    return None


def _bases(tree: ast.Module, line: int) -> list[str]:
    """The bases of the class defined on `line`, by dotted name; those of bases in the same file included."""
    names: dict[str, str] = {}
    classes: dict[str, ast.ClassDef] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for bound, what in imports(node):
                names[bound] = what.module if what.name is None else f"{what.module}.{what.name}"
        elif isinstance(node, ast.ClassDef):
            classes.setdefault(node.name, node)
    start = next((cls for cls in classes.values() if cls.lineno <= line <= _header_end(cls)), None)
    found: list[str] = []
    waiting = [start] if start is not None else []
    seen: set[ast.ClassDef] = set()
    while waiting:
        cls = waiting.pop(0)
        if cls in seen:
            continue
        seen.add(cls)
        for base in cls.bases:
            written = ast.unparse(base)
            first, dot, rest = written.partition(".")
            if written in classes:
                waiting.append(classes[written])
            elif first in names:
                found.append(f"{names[first]}{dot}{rest}")
    return found


def _header_end(cls: ast.ClassDef) -> int:
    return cls.body[0].lineno if cls.body else cls.lineno
