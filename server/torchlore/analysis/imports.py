"""What imports bind. Files of the workspace are evaluated name by name, when a name is first used."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass, field
from functools import partial

from torchlore.analysis import patching, statements, torch_names
from torchlore.analysis.files import File
from torchlore.analysis.frames import Frame
from torchlore.analysis.interface import Imported
from torchlore.analysis.interface import imports as imported_names
from torchlore.analysis.queries import join
from torchlore.analysis.run import Run
from torchlore.analysis.values import Container, Lazy, LocalModule, Ref, Unknown, Value
from torchlore.text.words import ends_of

_CHANGED = re.compile(
    r"(?:\s*\[[^\]\n]*\]\s*[-+*/|&^@%]?=(?!=)"
    r"|\s*\.(?:append|add|update|extend|insert|setdefault|pop|clear|remove)\("
    r"|\s*[-+*/|&^@%]=)"
)
"""What stands behind the name of a container that is changed in place."""


def bind_imports(run: Run, node: ast.Import | ast.ImportFrom) -> None:
    """Runs an import statement."""
    importer = run.frame.outermost
    if run.imports is not None and not run.is_away:
        patching.run_patches(run, run.imports, node)
    for name, bound in imported_names(node):
        if name == "*":
            _bind_star(run, bound.module, importer)
        else:
            run.frame.bind(name, _imported(run, bound, importer))


def attribute(run: Run, module: LocalModule, name: str) -> Value:
    """`module.name` of an imported file: what it binds, or a module of the package that it is."""
    return _attribute(run, module, name) or Unknown()


def member_of(run: Run, path: str, name: str) -> Value:
    """What the file at `path` binds `name` to when it is imported."""
    return _member(run, path, "", name)


def import_module(run: Run, name: str) -> Value:
    """`importlib.import_module(name)`, as the file that is being followed would write `import name`."""
    return _module(run, name, run.frame.outermost)


def _attribute(run: Run, module: LocalModule, name: str) -> Value | None:
    value = module.frame.own(name)
    if value is not None:
        return value
    path = run.imports.submodule(module.path, name) if run.imports is not None else None
    if path is not None:
        return local_module(run, path, f"{module.name}.{name}")
    return Ref(f"{module.name}.{name}") if module.path.endswith(os.sep) else None


def _bind_star(run: Run, module: str, importer: Frame) -> None:
    """All public names of a module; of one that cannot be seen, any name may come."""
    home = _module(run, module, importer)
    if not isinstance(home, LocalModule) or home.frame is importer:
        run.frame.blurred = True
        for name in torch_names.starred(module):
            run.frame.bind(name, torch_names.member(module, name))
        return
    loader = home.frame.loader
    if loader is not None:
        for name in [name for name in run.frame.names if loader.binds(name) and loader.offers(name)]:
            del run.frame.names[name]
    run.frame.stars.append(home.frame)


def _imported(run: Run, bound: Imported, importer: Frame) -> Value:
    """What an import binds: of a file of the workspace it is found out when it is first asked for."""
    if bound.name is None:
        return _module(run, bound.module, importer)
    path = _find(run, bound.module, importer)
    if path is None:
        if bound.module.endswith("."):
            return Ref(bound.module + bound.name)
        patched = run.patched.get(f"{bound.module}.{bound.name}") if run.patched else None
        return patched or torch_names.member(bound.module, bound.name)
    if path == _path_of(run, importer):  # a package imports from itself what it does not bind otherwise
        own = run.imports.submodule(path, bound.name) if run.imports is not None else None
        if own is not None and not _binds_otherwise(importer, bound):
            dot = "" if bound.module.endswith(".") else "."
            return local_module(run, own, f"{bound.module}{dot}{bound.name}")
    return Lazy(partial(_member, run, path, bound.module, bound.name))


def _member(run: Run, path: str, module: str, name: str) -> Value:
    return attribute(run, local_module(run, path, module), name)


def _module(run: Run, name: str, importer: Frame) -> Value:
    path = _find(run, name, importer)
    return Ref(name) if path is None else local_module(run, path, name)


def _find(run: Run, module: str, importer: Frame) -> str | None:
    return run.imports.find(module, _path_of(run, importer)) if run.imports is not None else None


def _path_of(run: Run, module: Frame) -> str:
    return module.loader.path if module.loader is not None else run.file_path


def _binds_otherwise(package: Frame, bound: Imported) -> bool:
    """Whether a package binds a name by something else than importing it from itself."""
    name = bound.name or ""
    if isinstance(package.loader, FileLoader):
        others = package.loader.file.interface.names.get(name, ())
        return any(other != bound for other in others) or package.loader.starred(name) is not None
    return name in package.names or any(star.exported(name) is not None for star in package.stars)


def local_module(run: Run, path: str, name: str) -> LocalModule:
    """The module that a path stands for; the file that is analysed is itself, as far as it has run."""
    known = run.modules.get(path)
    if known is None:
        file = run.imports.file(path) if run.imports is not None else None
        frame = run.home if path == run.file_path else Frame(ast.Module([], []))
        if file is not None and frame is not run.home:
            frame.loader = FileLoader(run, file, frame)
        known = run.modules[path] = LocalModule(name, path, frame)
    return known


@dataclass(slots=True)
class FileLoader:
    """Evaluates the top level of an imported file, one name at a time (see `frames.Loader`)."""

    run: Run
    file: File
    frame: Frame
    _absent: set[str] = field(default_factory=set)

    @property
    def path(self) -> str:
        return self.file.path

    def offers(self, name: str) -> bool:
        exports = self.file.interface.exports
        return not name.startswith("_") if exports is None else name in exports

    def binds(self, name: str) -> bool:
        return name in self.file.interface.names

    def load(self, name: str) -> Value | None:
        """What `name` means at the end of the file; None where it does not bind it."""
        if name in self._absent:  # most often a builtin, which all code looks up in its module first
            return None
        value = self._load(name)
        if value is None and not (self.file.interface.stars and name in self.run.starring):
            self._absent.add(
                name
            )  # but where star imports stand in a circle the search may have been cut short
        return value

    def _load(self, name: str) -> Value | None:
        run, file, frame = self.run, self.file, self.frame
        if run.imports is not None and not file.parses(name):
            run.imports.broken.add(file.path)
        bound = file.interface.names.get(name)
        if bound is None:
            return self.starred(name)
        if (file.path, name) in run.loading:
            return Unknown()
        run.loading.add((file.path, name))
        try:
            if all(binding is not None for binding in bound):
                found = [_imported(run, binding, frame) for binding in bound if binding is not None]
                return _latest(found, name in file.interface.alternatives)
            return self._run(name)
        finally:
            run.loading.discard((file.path, name))

    def starred(self, name: str) -> Value | None:
        """What the last star import of the file that brings `name` binds it to.

        Files may import all names of one another: a file that is being asked already has nothing to add.
        """
        if not self.file.interface.stars:
            return None
        asked = self.run.starring.get(name)
        if asked is None:
            self.run.starring[name] = {self.path}
            try:
                return self._search_stars(name)
            finally:
                del self.run.starring[name]
        if self.path in asked:
            return None
        asked.add(self.path)
        return self._search_stars(name)

    def _search_stars(self, name: str) -> Value | None:
        for module in reversed(self.file.interface.stars):
            home = _module(self.run, module, self.frame)
            if not isinstance(home, LocalModule):
                return Unknown()
            found = home.frame.exported(name)
            if found is not None:
                return found
        return None

    def _run(self, name: str) -> Value:
        """Runs the statements that bind `name`, each for itself; what else they do has happened elsewhere."""
        found: list[Value] = []
        with self.run.elsewhere(self.frame):
            for statement in self.file.binding(name):
                lines = (statement.end_lineno or statement.lineno) - statement.lineno + 1
                self.run.left -= _COST_OF_PARSING
                with self.run.assured(_ALWAYS if isinstance(statement, _DEFINITIONS) else 0):
                    if self.run.left > 0 and _is_worth_running(statement, lines):
                        statements.run_block(self.run, [statement])
                        found.append(self.frame.names.get(name) or Unknown())
                    else:
                        found.append(Unknown())
        value = _latest(found, name in self.file.interface.alternatives)
        return self._as_it_is_later(name, value) if isinstance(value, Container) else value

    def _as_it_is_later(self, name: str, made: Container) -> Value:
        """A container that its file fills later: it holds what we see put in, and anything else."""
        text = self.file.source.text
        if "global" in text and re.search(rf"\bglobal\b[^\n]*\b{name}\b", text) is not None:
            return Unknown()
        if not any(_CHANGED.match(text, end) for end in ends_of(name, text)):
            return made
        anything = Unknown(frozenset({self.frame.node}))  # not empty: it holds something that is not known
        return Container("dict", None, anything) if made.kind == "dict" else Unknown()


_COST_OF_PARSING = 20
"""Evaluations that a statement of another file costs, whether or not it was parsed before: what is found out
must not depend on what was asked earlier."""

_ALWAYS = 100
"""Evaluations that may always be spent on a class or function: that it is there is not up to the budget."""

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

_LONG = 40
"""Lines from which on a value is a table, of models and the like, that would pull in all that it names."""


def _is_worth_running(statement: ast.stmt, lines: int) -> bool:
    is_table = isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign) and lines >= _LONG
    return isinstance(statement, _RUNNABLE) and not is_table


_RUNNABLE = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Assign,
    ast.AnnAssign,
    ast.AugAssign,
    ast.Delete,
)


def _latest(found: list[Value], alternatives: bool) -> Value:
    if not found:
        return Unknown()
    value = join(found) if alternatives else found[-1]
    return value.resolve() if isinstance(value, Lazy) else value
