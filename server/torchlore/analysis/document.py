"""`Analysis`: everything that is known of one version of one file, computed when first asked for."""

from __future__ import annotations

import ast
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from torchlore.analysis import lookup, mentions, notes, passed, scope, typed
from torchlore.analysis.called import Called, Calls
from torchlore.analysis.events import Root
from torchlore.analysis.interface import dotted_module
from torchlore.analysis.interpret import dissolve, interpret
from torchlore.analysis.landmarks import Landmark, landmarks
from torchlore.analysis.names import mentions_torch
from torchlore.analysis.notes.remarks import Remark, remarks
from torchlore.analysis.passed import Given, Passed
from torchlore.analysis.requirements import Supported, supported
from torchlore.analysis.run import Run
from torchlore.analysis.values import Const, Unknown, Value
from torchlore.analysis.workspace import Dependencies, Imports, Workspace
from torchlore.text import Source, Span
from torchlore.text.nodes import around, nodes_in, on_line

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SymbolAt:
    """A torch symbol in the text.

    Attributes:
        span: the identifier.
        candidates: dotted names to try in order. A member may be inherited (`torch.optim.SGD.zero_grad`).
    """

    span: Span
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScopeName:
    """Something that can be named at a place.

    Attributes:
        name: as it is written there: `optimizer_G`, `self.model`.
        kind: "Module", "Optimizer", "Scheduler", "GradScaler", "DataLoader", "Dataset", "Loss", "Tensor",
            "Device", "Number" or "Unknown".
    """

    name: str
    kind: str


_FEW = 200
"""Nodes of one statement of the module of which it is looked up one by one what they lie in."""


def analyze(
    source: Source,
    installed: Mapping[str, str] | None = None,
    workspace: Workspace | None = None,
    *,
    follow: bool = True,
) -> Analysis:
    """The analysis of `source`. Costs nothing until something is asked of it.

    Args:
        source: the file.
        installed: the torch classes from which classes of installed packages derive, as far as they are
            known (see `torchlore.analysis.installed`). They answer hovers and fill holes; no finding rests
            on them, so that the editor and the command line find the same.
        workspace: the files that it may import from; None: it stands alone.
        follow: whether it matters what imported functions do; else little is spent on them.
    """
    known = {} if installed is None else installed  # one that is empty may fill later
    return Analysis(source, known, workspace, follow)


class Analysis:
    """What is known of one version of a file. Immutable; its parts are made when first asked for."""

    def __init__(
        self, source: Source, installed: Mapping[str, str], workspace: Workspace | None, follow: bool
    ) -> None:
        self.source = source
        self._installed = installed
        self._imports = None if workspace is None else Imports(workspace, source.path, follow)
        self._notes: dict[lookup.Identifier, tuple[str, ...]] = {}
        self._asked: Counter[ast.AST] = Counter()
        self._parents: dict[ast.AST, dict[ast.AST, ast.AST]] = {}

    @cached_property
    def run(self) -> Run:
        """The interpretation of the whole file; of nothing where the file cannot be about torch."""
        empty = Source("", self.source.path)
        try:
            return interpret(self.source if mentions_torch(self.source.text) else empty, self._imports)
        except Exception:  # a file that we fail on is a bug of ours, but the editor goes on
            _LOG.exception("the analysis of %s failed", self.source.path)
            return interpret(empty)

    def forget(self) -> None:
        """Frees what was found out, of which nothing may be asked from here on. It spares the collector."""
        if "run" in self.__dict__:
            dissolve(self.run)

    @property
    def imports_files(self) -> bool:
        """Whether some import statement of the file stands for another file of the workspace."""
        if self._imports is None:
            return False
        modules = [alias.name for node in self.source.every(ast.Import) for alias in node.names]
        modules += [dotted_module(node) for node in self.source.every(ast.ImportFrom)]
        return any(self._imports.find(module, self.source.path) is not None for module in modules)

    def may_import(self, word: str) -> bool:
        """Whether a file of the workspace that it imports, or one that those do, may have `word` in it."""
        if self._imports is None:
            return any(statement.level for statement in self.source.every(ast.ImportFrom))
        return mentions.may_be_imported(self._imports, self.source.text, word)

    @property
    def dependencies(self) -> Dependencies:
        """The other files that what was found out so far rests on."""
        if self._imports is None or "run" not in self.__dict__:
            return Dependencies({}, frozenset())
        return Dependencies(self._imports.files, self._imports.missed)

    def rests_on(self, path: str) -> bool:
        """Whether a change of another file, as far as this was looked at, may change what is known of it."""
        return self.dependencies.mention(path)

    def owns(self, node: ast.AST) -> bool:
        """Whether a node is of this file, not of one that it imports."""
        if not self.run.modules or node is self.source.tree:
            return True
        function = self.run.functions.get(node)
        return self.run.is_home(function) if function is not None else self.around(node) is not None

    @cached_property
    def torch(self) -> Supported:
        """The versions of torch that the project of the file declares."""
        return supported(self.source.path)

    @property
    def roots(self) -> list[Root]:
        """The entry points of the file and what happens from there."""
        return self.run.roots

    def source_of(self, node: ast.AST) -> Source:
        """The file that a node is of: this one, or one that it imports."""
        if not self.owns(node):
            for file in self.dependencies.files.values():
                if file.was_read and file.holds(node):
                    return file.source
        return self.source

    def called(self, *names: str) -> Iterator[Called]:
        """The calls in this file of what has one of these names (see `Called`), in the order of the text.

        Calls of what is not known, or of one thing here and another there, are not among them.
        """
        if len(names) == 1:
            return iter(self._called.of(names[0]))
        found = [call for name in names for call in self._called.of(name)]
        return iter(found if len(found) < 2 else sorted(found, key=Called.place))

    def call_at(self, node: ast.AST) -> Called | None:
        """The call that a node of this file is; None where what it calls is not surely known."""
        return self._called.at(node)

    @cached_property
    def _called(self) -> Calls:
        return Calls(self.run)

    def value(self, node: ast.AST) -> Value:
        """What an expression is, wherever it is evaluated; unknown where that is not known."""
        if isinstance(node, ast.Constant):
            return Const(node.value)
        return self.run.values.get(node) or Unknown()

    def around(self, node: ast.AST) -> tuple[ast.AST, ...] | None:
        """The nodes of the file that `node` lies in, outermost first; None where it is not of this file."""
        tree = self.source.tree
        if node is tree:
            return ()
        line = getattr(node, "lineno", None)
        there = on_line(tree.body, line) if line is not None else ()
        part = there[0] if len(there) == 1 else tree
        self._asked[part] += 1
        if self._asked[part] <= _FEW:
            return around(node, tree)
        parents = self._parents.get(part)
        if parents is None:
            parents = self._parents[part] = _parents(part)
        outer: list[ast.AST] = []
        above = parents.get(node)
        while above is not None:
            outer.append(above)
            above = parents.get(above)
        if part is not tree and (outer or node is part):
            outer.append(tree)
        return tuple(reversed(outer)) if outer else None

    def is_whole(self, node: ast.AST) -> bool:
        """Whether no line of `node`, nor a header of a block around it, was left out as it does not parse."""
        if not self.source.parsed.blanked and not self.rests_on_broken:
            return True
        if not self.owns(node):
            return not self.rests_on_broken
        blanked = self.source.parsed.blanked
        if not blanked or isinstance(node, ast.Module):
            return not blanked
        first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", 1)
        return blanked.isdisjoint(range(first - 1, last)) and self._stands_whole(node)

    @property
    def rests_on_broken(self) -> bool:
        """Whether something that was asked for in another file does not parse."""
        return self._imports is not None and bool(self._imports.broken - {self._imports.path})

    def _stands_whole(self, node: ast.AST) -> bool:
        """Whether no block around `node` begins on a line that was left out (it may have been a `with`)."""
        blanked = self.source.parsed.blanked
        return all(getattr(outer, "lineno", 0) - 1 not in blanked for outer in self.around(node) or ())

    @cached_property
    def _identifiers(self) -> lookup.Identifiers:
        return lookup.Identifiers(self.source)

    @cached_property
    def _evidence(self) -> lookup.Evidence:
        return lookup.evidence(self.run, self._installed)

    def symbol_at(self, offset: int) -> SymbolAt | None:
        """The torch symbol at `offset`; None where there is none."""
        if not mentions_torch(self.source.text):
            return None
        found = self._identifiers.at(offset)
        if found is None:
            return None
        span, node = found
        candidates = lookup.candidates(self.run, node, self._evidence)
        return SymbolAt(span, candidates) if candidates else None

    def names_at(self, offset: int) -> tuple[ScopeName, ...]:
        """What is bound before `offset` and can be named there, innermost and latest first."""
        if not mentions_torch(self.source.text):
            return ()
        found = scope.names_at(self.source, self.run, offset, self._installed)
        return tuple(ScopeName(name, kind) for name, kind in found)

    def called_by(self, text: str, offset: int) -> tuple[str, ...]:
        """Dotted torch names of what a call of `text` that is being typed at `offset` calls (see `typed`)."""
        if not mentions_torch(self.source.text):
            return ()
        return typed.called(self.source, self.run, self._evidence, text, offset)

    def classes_of(self, text: str, offset: int) -> tuple[str, ...]:
        """The torch classes of the object `text` that is being typed at `offset` (see `typed.homes`)."""
        if not mentions_torch(self.source.text):
            return ()
        return typed.homes(self.source, self.run, text, offset)

    @cached_property
    def foreign_classes(self) -> frozenset[str]:
        """Dotted names of installed packages that the file makes objects of: worth asking jedi about."""
        return frozenset(lookup.foreign_classes(self.run))

    def notes_at(self, offset: int) -> tuple[str, ...]:
        """What the symbol at `offset` does in this file, as lines of Markdown."""
        found = self._identifiers.at(offset) if mentions_torch(self.source.text) else None
        if found is None:
            return ()
        node = found[1]
        if node not in self._notes:
            self._notes[node] = notes.notes(self.source, self.run, node, self._calls.get(node))
        return self._notes[node]

    def remarks_in(self, span: Span) -> tuple[Remark, ...]:
        """What is known of the statements in `span` and not to be seen there."""
        if not mentions_torch(self.source.text):
            return ()
        return tuple(sorted(remarks(self.source, self.run, span), key=lambda one: one.offset))

    @cached_property
    def landmarks(self) -> tuple[Landmark, ...]:
        """The training loops and the modules of the file, in the order of the text."""
        if not mentions_torch(self.source.text):
            return ()
        return tuple(sorted(landmarks(self.source, self.run), key=lambda one: one.span.start))

    def object_at(self, offset: int) -> Span | None:
        """The name at `offset` where it holds a model, a dataset … of a class of the workspace."""
        found = self._identifiers.at(offset) if mentions_torch(self.source.text) else None
        if found is None or not notes.is_own_object(self.run, found[1], self._calls.get(found[1])):
            return None
        return found[0]

    def given_at(self, offset: int) -> Given | None:
        """What the function, method or class at `offset` is given there; None where it is not called."""
        found = self._identifiers.at(offset) if mentions_torch(self.source.text) else None
        call = self._calls.get(found[1]) if found is not None else None
        return passed.given(self.source, call) if call is not None else None

    def argument_at(self, offset: int) -> Passed | None:
        """The argument of a call of something of torch's at `offset`: its name, or a literal."""
        if not mentions_torch(self.source.text):
            return None
        return self._arguments.at(offset, self.run, self._evidence)

    def quoted_at(self, offset: int) -> tuple[Span, str] | None:
        """The comment or string at `offset` and its text; comments on lines below one another are one."""
        return self._arguments.quoted(offset) if mentions_torch(self.source.text) else None

    @cached_property
    def _arguments(self) -> passed.Arguments:
        return passed.Arguments(self.source)

    @cached_property
    def _calls(self) -> dict[object, ast.Call]:
        """The call that each function, method or class is called in."""
        calls = (node for node in nodes_in(self.source.tree) if isinstance(node, ast.Call))
        return {call.func: call for call in calls}


def _parents(part: ast.AST) -> dict[ast.AST, ast.AST]:
    """What each node below `part` lies in. It takes as long as parsing: who asks often pays for that."""
    return {child: node for node in nodes_in(part) for child in ast.iter_child_nodes(node)}
