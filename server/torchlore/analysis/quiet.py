"""Imported code that does nothing a rule about order asks about, whatever it is given: its words tell.

A model of another file is often more than may be followed, and what is not followed may do anything. But who
says neither `eval` nor `step` nor `no_grad`, and asks only others who do not, leaves modes, gradients and
optimizers as they are.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torchlore.analysis import imports, members, torch_facts
from torchlore.analysis.events import Branch, Call, Event, Finally, Kind, Loop, Path, Step, happens
from torchlore.analysis.files import File
from torchlore.analysis.interface import Imported
from torchlore.analysis.queries import reachable
from torchlore.analysis.run import Run
from torchlore.analysis.values import Arguments, BoundMethod, Function, Instance, LocalClass, Value
from torchlore.analysis.workspace import Imports


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of a file, and of those that it imports from, say of its code.

    Attributes:
        are_quiet: none of them sets modes, computes or clears gradients, or steps.
        hand_on: code that cannot be seen may get what is given to it.
        files, missed: what this rests on, as in `Imports`.
    """

    are_quiet: bool
    hand_on: bool
    files: Mapping[str, File]
    missed: frozenset[str]


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What the words of one file say of its code; of a loud one no more.

    Attributes:
        are_loud: some of them may set modes, compute or clear gradients, or step.
        give_itself: an object hands itself to something that may not be known.
        imported: what the file imports, anywhere.
    """

    are_loud: bool
    give_itself: bool
    imported: tuple[Imported, ...]


def is_harmless(run: Run, function: Function, arguments: Arguments | None) -> bool:
    """Whether a function of an imported file does nothing to what it is given, nor lets others do it."""
    return _hands_on(run, function, arguments) is False


def heard(run: Run, function: Function, arguments: Arguments | None, path: Path, node: ast.AST) -> Path:
    """What happened in a function of an imported file: where that is quiet, no more than was seen.

    Of a constructor it has to be known whether it calls that of its base.

    Args:
        run: the interpretation.
        function: what this file called.
        arguments: what it was given.
        path: the events of its body, which may have been cut short.
        node: the call.
    """
    if not happens(path, Kind.HAVOC) or run.entrusted or getattr(function.node, "name", "") == "__init__":
        return path
    hands_on = _hands_on(run, function, arguments)
    if hands_on is None:
        return path
    seen = without_havoc(path)
    if hands_on:
        with run.writing(seen):
            run.escape(node, _given(function, arguments))
    return seen


def without_havoc(path: Path) -> Path:
    """A path without what may have happened where nothing was seen; constructors keep it."""
    return [_quieted(step) for step in path if not (isinstance(step, Event) and step.kind is Kind.HAVOC)]


def _hands_on(run: Run, function: Function, arguments: Arguments | None) -> bool | None:
    """Whether what a quiet function is given may get into other hands; None where it is not quiet.

    All that may run when it is called has to be: its own file, and those of what it is given.
    """
    if run.imports is None or run.is_home(function):
        return None
    own = _of_file(run.imports, _home(function))
    if own is None or not own.are_quiet:  # most that are asked about; what they are given may be much
        return None
    hands_on = own.hand_on
    for home in {home for value in _given(function, arguments) for home in _homes(value)}:
        words = _of_file(run.imports, home)
        if words is None or not words.are_quiet:
            return None
        hands_on |= words.hand_on
    return hands_on


def _given(function: Function, arguments: Arguments | None) -> list[Value]:
    given = list(arguments.all()) if arguments is not None else []
    return given if function.receiver is None else [*given, function.receiver]


def _homes(value: Value) -> Iterator[File | None]:
    """The files of the code that whoever has a value can run; None for one that is not imported."""
    for part in reachable(value):
        match part:
            case Function():
                yield _home(part)
            case BoundMethod(receiver=Instance()):
                yield None  # `optimizer.step`: whoever has it may call it
            case LocalClass():
                yield from map(_home, members.mro(part))
            case Instance(cls=LocalClass() as cls):
                yield from map(_home, members.mro(cls))


def _home(code: Function | LocalClass) -> File | None:
    frame = code.frame.outermost if isinstance(code, Function) else code.home
    loader = frame.outermost.loader if frame is not None else None
    return loader.file if isinstance(loader, imports.FileLoader) else None


def _of_file(asking: Imports, file: File | None) -> Words | None:
    if file is None:
        return None
    told = asking.words.get(file.path)
    if told is not None:
        return told
    known = file.words
    if known is None or not asking.still_holds(known.files, known.missed):
        known = file.words = _read(Imports(asking.workspace, file.path), file)
    asking.words[file.path] = known
    asking.files.update(known.files)
    asking.missed |= known.missed
    return known


def _read(finder: Imports, first: File) -> Words:
    waiting, hand_on = [first.path], False
    for path in waiting:
        file = finder.file(path)
        own = _own_words(file) if file is not None and len(waiting) <= _MOST_FILES else None
        if own is None or own.are_loud:
            return Words(False, True, finder.files, frozenset(finder.missed))
        hand_on |= own.give_itself
        for bound in own.imported:
            paths = list(_paths(finder, bound, path))
            hand_on |= not paths and not torch_facts.keeps_its_hands_off(f"{bound.module}.{bound.name or ''}")
            waiting += [other for other in paths if other not in waiting]
    return Words(True, hand_on, finder.files, frozenset(finder.missed))


def _own_words(file: File) -> OwnWords:
    """What the words of a file say, read once: many import it."""
    known = file.own_words
    if known is None:
        text = file.source.text
        if _LOUD.search(text) is not None:
            known = OwnWords(True, True, ())
        else:
            known = OwnWords(False, _GIVES_ITSELF.search(text) is not None, tuple(_imported(file)))
        file.own_words = known
    return known


_MOST_FILES = 24

_LOUD = re.compile(
    r"\.(?:backward|step|eval|train|add_param_group|unscale_)\b"
    r"|\b(?:exec|inference_mode|grad|grad_\w+|\w+_grad|\w+_grad_\w*)\b"
)
"""Words of code that may do what rules about order ask about; comments that say them count, too."""

_GIVES_ITSELF = re.compile(
    r"(?<!def )\b(?!super|isinstance|hasattr|getattr|setattr)\w+\((?:[^()]*,)?\s*self\s*[,)]"
)
"""`hook(self, x)`: an object that hands itself to a function that may not be known."""


def _imported(file: File) -> Iterator[Imported]:
    """All that a file imports, at its top or in functions."""
    for bindings in file.interface.names.values():
        yield from (bound for bound in bindings if bound is not None)
    yield from (Imported(module, None) for module in file.interface.stars)
    for module, names, whole in _INNER_IMPORT.findall(file.source.text):
        yield from (Imported(module or whole, name) for name in re.findall(r"\w+", names) or [None])


_INNER_IMPORT = re.compile(
    r"^[ \t]+(?:from[ \t]+([.\w]+)[ \t]+import\b[ \t]*(\([^)]*\)|[^\n#]*)|import[ \t]+([.\w]+))", re.MULTILINE
)


def _paths(finder: Imports, bound: Imported, importer: str) -> Iterator[str]:
    """The files that an import may bring code from."""
    home = finder.find(bound.module, importer)
    if home is None:
        return
    inner = finder.submodule(home, bound.name) if bound.name is not None else None
    if inner is not None:
        yield inner
    elif not home.endswith(_SEPARATORS):
        yield home


_SEPARATORS = ("/", "\\")


def _quieted(step: Step) -> Step:
    if not isinstance(step, Event) and happens([step], Kind.HAVOC):
        match step:
            case Branch(node=node, arms=arms):
                return Branch(node, tuple(map(without_havoc, arms)))
            case Loop(node=node, body=body):
                return Loop(node, without_havoc(body))
            case Finally(node=node, body=body, final=final):
                return Finally(node, without_havoc(body), without_havoc(final))
            case Call(node=node, callee=callee, body=body, forward=forward):
                if getattr(callee, "name", "") != "__init__":
                    return Call(node, callee, without_havoc(body), forward)
    return step
