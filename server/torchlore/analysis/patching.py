"""What files that are imported change in others as they run: methods of torch's classes, or of other files'.

All else of an imported file is evaluated when it is first asked for; who imports a file for what it changes
never asks.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable

from torchlore.analysis import expressions, imports, targets
from torchlore.analysis.events import Kind
from torchlore.analysis.frames import Frame
from torchlore.analysis.interface import Imported, Patch, run_by
from torchlore.analysis.queries import join, options
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Container,
    Instance,
    LocalClass,
    LocalModule,
    Ref,
    Unknown,
    Value,
)
from torchlore.analysis.workspace import Imports

_MAX_FILES = 40
"""Files that an analysis looks at for this: those that the file imports, then those that these import."""


def run_patches(run: Run, files: Imports, node: ast.Import | ast.ImportFrom) -> None:
    """Changes what the files that an import statement runs change, and those that they import in turn."""
    found: list[tuple[str, str]] = []
    waiting = _places(files, run_by(node), run.file_path)
    for path, name in waiting:
        if path in run.imported or path == run.file_path or len(run.imported) >= _MAX_FILES:
            continue
        run.imported.add(path)
        file = files.file(path)
        if file is not None:
            found.append((path, name))
            if file.interface.broken:
                files.broken.add(path)
            waiting += _places(files, file.interface.runs, path)
    for path, name in reversed(found):  # what a file imports runs before what stands below its imports
        file = files.file(path)
        for patch in file.patches if file is not None else ():
            _run_patch(run, imports.local_module(run, path, name).frame, patch, node)


def _places(files: Imports, runs: Iterable[Imported], importer: str) -> list[tuple[str, str]]:
    """Path and name of the files that run where modules, or what may be modules of packages, are imported."""
    found: list[tuple[str, str]] = []
    for named in runs:
        module = named.module
        if not module.startswith(".") and files.find(module.partition(".")[0], importer) is None:
            continue  # what is installed: most of them
        path: str | None = None
        for name in _with_packages(module):
            path = files.find(name, importer)
            if path is None:
                break
            if not path.endswith(os.sep):
                found.append((path, name))
        is_listed = path is not None and named.name is not None and files.lists(path, named.name)
        inner = files.submodule(path, named.name) if is_listed and path and named.name else None
        if inner is not None and not inner.endswith(os.sep):
            found.append((inner, f"{module}{'' if module.endswith('.') else '.'}{named.name}"))
    return found


def _with_packages(module: str) -> list[str]:
    """`a`, `a.b` and `a.b.c` of `a.b.c`: packages run before what is in them."""
    if module.startswith(".") or "." not in module:
        return [module]
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _run_patch(run: Run, frame: Frame, patch: Patch, node: ast.AST) -> None:
    with run.elsewhere(frame):
        is_exact = patch.certain and patch.target is not None
        made = expressions.evaluate(run, patch.value) if is_exact and patch.value is not None else None
        for owner in options(expressions.evaluate(run, patch.owner)):
            _set(run, owner, patch, _anything(run) if made is None or isinstance(made, Unknown) else made)
        is_spent = run.left <= 0
    if is_spent:  # something was changed, and it is not known what
        run.emit(Kind.HAVOC, node)


def _anything(run: Run) -> Value:
    """What something was set to that we cannot see: to call it may do anything."""
    value = Unknown()
    run.entrusted.add(value)
    return value


def _set(run: Run, owner: Value, patch: Patch, value: Value) -> None:
    attr = patch.attr
    match owner:
        case LocalModule(frame=frame) if attr is not None:  # who imported the name before keeps what it was
            before = frame.own(attr)
            frame.bind(attr, value if before is None else join([before, value]))
        case LocalClass() if attr is not None:
            owner.attributes[attr] = targets.as_member(owner, value)
        case LocalClass():
            owner.attributes.update({name: _anything(run) for name in owner.attributes})
        case Ref(name=name):
            targets.patch(run, name, attr or targets.ANY, value)
        case Instance() if attr is not None:
            owner.attributes[attr] = value
        case Container() if patch.target is not None:
            targets.assign(run, patch.target, value)
        case _:
            pass
