"""How many receivers of method calls we know: `python -m tests.perf.receivers [options] [PATH…]`.

Counted is every call `receiver.name(…)` whose `name` is a method of a widely used class of torch, in every
file below PATH (the project's own files by default) that mentions torch. It is known when the analysis says
what kind of thing the receiver is, torch or not. What an import names (`torch.sum`, `np.sum`) is counted
apart: any table of aliases answers that.

A sample is for a person to read: of known receivers, whether we are right; of unknown ones, whether anybody
could tell.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from torchlore.knowledge.symbols import all_symbols

from tests.perf.corpus import File, analysed, files, packages
from tests.perf.telling import IMPORTED, UNKNOWN, is_contradicted, told
from tests.perf.timing import collect, collector_off

CLASSES = frozenset(
    {
        "torch.Generator",
        "torch.Tensor",
        "torch.amp.GradScaler",
        "torch.cuda.Event",
        "torch.cuda.Stream",
        "torch.nn.Module",
        "torch.optim.Optimizer",
        "torch.optim.lr_scheduler.LRScheduler",
        "torch.optim.lr_scheduler.ReduceLROnPlateau",
        "torch.utils.data.DataLoader",
        "torch.utils.data.DistributedSampler",
    }
)
"""Classes whose methods are counted: those that training code holds objects of."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One call of a method.

    Attributes:
        file, node: where.
        kind: "Module", "Tensor", "dict", …; `UNKNOWN` where we do not know.
        says: what we say that the receiver is, in words.
        contradicted: whether what we say has no such method, so that it must be wrong.
        taken_back: whether that was so of what was found, and the analysis says unknown for that reason.
    """

    file: File
    node: ast.Attribute
    kind: str
    says: str
    contradicted: bool
    taken_back: bool

    @property
    def is_object(self) -> bool:
        return self.kind != IMPORTED

    @property
    def is_known(self) -> bool:
        return self.kind != UNKNOWN


def main(arguments: list[str] | None = None) -> None:
    """Prints the counts, or a sample for a person to read."""
    given = _arguments(arguments)
    found = receivers(files(given.paths), packages(given.paths))
    if given.sample is None:
        print_counts(list(found))
        return
    wanted = {
        "known": lambda receiver: receiver.is_known,
        "unknown": lambda receiver: not receiver.is_known,
        "contradicted": lambda receiver: receiver.contradicted or receiver.taken_back,
    }[given.sample]
    drawn = sample([r for r in found if r.is_object and wanted(r)], given.size, given.seed)
    for number, receiver in enumerate(drawn, 1):
        print(_shown(number, receiver))


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.perf.receivers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    kinds = ["known", "unknown", "contradicted"]
    parser.add_argument("--sample", choices=kinds, help="print some of these instead of counts")
    parser.add_argument("--size", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--seed", default="0", help="another one gives another sample (default: 0)")
    return parser.parse_args(arguments)


def receivers(code: list[File], own: frozenset[str]) -> Iterator[Receiver]:
    """Every counted call in `code`, file by file.

    Args:
        code: the files.
        own: top-level names of the workspace's packages. A name that is imported from these may be anything
            as long as the analysis did not find out what.
    """
    for file in _sparingly_collected(code):
        analysis = analysed(file)
        for node in calls(analysis.source.tree):
            owner = analysis.run.owners.get(node)
            kind, says = told(owner, node.attr, own)
            wrong = (
                kind not in (UNKNOWN, IMPORTED) and owner is not None and is_contradicted(owner, node.attr)
            )
            found = analysis.run.values.get(node.value)
            taken_back = kind == UNKNOWN and found is not None and is_contradicted(found, node.attr)
            yield Receiver(file, node, kind, says, wrong, taken_back)


def _sparingly_collected(code: list[File]) -> Iterator[File]:
    """The collector would look at all trees that are kept again and again. No time is measured here."""
    with collector_off():
        for number, file in enumerate(code, 1):
            yield file
            if number % _BETWEEN_COLLECTIONS == 0:
                collect()


_BETWEEN_COLLECTIONS = 40
"""Files analysed before what is left of them is thrown away."""


def calls(tree: ast.Module) -> Iterator[ast.Attribute]:
    """What is called in `tree` by a name that a method of torch has."""
    names = method_names()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
            yield node.func


@cache
def method_names() -> frozenset[str]:
    """The public methods of `CLASSES`, from the symbol index that is shipped."""
    split = (symbol.name.rpartition(".") for symbol in all_symbols() if symbol.kind == "method")
    return frozenset(name for owner, _, name in split if owner in CLASSES and not name.startswith("_"))


def sample(found: list[Receiver], size: int, seed: str) -> list[Receiver]:
    """`size` of them, drawn by a hash of their place: when a few become known, the others stay drawn."""

    def lot(receiver: Receiver) -> bytes:
        node = receiver.node
        place = f"{seed}|{receiver.file.name}|{node.end_lineno}|{node.end_col_offset}"
        return hashlib.sha256(place.encode()).digest()

    return sorted(found, key=lot)[:size]


def _shown(number: int, receiver: Receiver) -> str:
    row = receiver.node.end_lineno or receiver.node.lineno
    line = receiver.file.text.splitlines()[row - 1].strip()
    return (
        f"{number:3} {receiver.file.path}:{row}\n"
        f"      {line:.150}\n"
        f"      {ast.unparse(receiver.node.value):.80} .{receiver.node.attr}  ->  {receiver.says}"
    )


def print_counts(found: list[Receiver]) -> None:
    """Prints how many are known, and of which kinds they are."""
    objects = [receiver for receiver in found if receiver.is_object]
    known = [receiver for receiver in objects if receiver.is_known]
    wrong = sum(receiver.contradicted for receiver in objects)
    taken_back = sum(receiver.taken_back for receiver in objects)
    share = 100 * len(known) / max(1, len(objects))
    print(f"receivers of calls named like a method of torch  {len(found)}")
    print(f"  {IMPORTED:<46} {len(found) - len(objects)}")
    print(f"  objects, known                                 {len(known)} of {len(objects)}, {share:.1f} %")
    print(f"  objects, surely wrong (have no such method)    {wrong}")
    print(f"  objects, unknown because what was found has no such method  {taken_back}")
    for kind, count in Counter(receiver.kind for receiver in objects).most_common():
        print(f"    {kind:<44} {count}")


if __name__ == "__main__":
    main()
