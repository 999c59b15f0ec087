"""How many receivers of method calls we know: `python -m tests.perf.receivers [options] [PATH…]`.

Counted is every call `receiver.name(…)` whose `name` is a method of a widely used class of torch, in every
file below PATH (the project's own files by default) that mentions torch. It is known when the analysis says
what kind of thing the receiver is, torch or not. What an import names (`torch.sum`, `np.sum`) is counted
apart: any table of aliases answers that.
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

from tests.perf.corpus import File, analysed, files, packages
from torchlore.analysis.members import kind_of
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Batch,
    Const,
    Container,
    Function,
    Grads,
    Instance,
    Iterable,
    LocalClass,
    Number,
    Params,
    Ref,
    Super,
    Tensor,
    Value,
    options,
)
from torchlore.knowledge.symbols import all_symbols

CLASSES = frozenset(
    """
    torch.Tensor torch.nn.Module torch.optim.Optimizer torch.optim.lr_scheduler.LRScheduler
    torch.optim.lr_scheduler.ReduceLROnPlateau torch.amp.GradScaler torch.utils.data.DataLoader
    torch.utils.data.DistributedSampler torch.Generator torch.cuda.Stream torch.cuda.Event
    """.split()
)
"""Classes whose methods are counted: those that training code holds objects of."""

UNKNOWN = "unknown"
IMPORTED = "what an import names"


@dataclass(frozen=True, slots=True)
class Receiver:
    """One call of a method.

    Attributes:
        file, node: where.
        kind: "Module", "Tensor", "dict", …; `UNKNOWN` where we do not know.
        says: what we say that the receiver is, in words.
    """

    file: File
    node: ast.Attribute
    kind: str
    says: str


def main(arguments: list[str] | None = None) -> None:
    """Prints the counts, or a sample for a person to read."""
    options_ = _arguments(arguments)
    found = list(receivers(files(options_.paths), packages(options_.paths)))
    if options_.sample is None:
        _print_counts(found)
        return
    wanted = [
        r for r in found if r.kind != IMPORTED and (r.kind == UNKNOWN) == (options_.sample == "unknown")
    ]
    for number, receiver in enumerate(sample(wanted, options_.size, options_.seed), 1):
        print(_shown(number, receiver))


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.perf.receivers", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    parser.add_argument(
        "--sample", choices=["known", "unknown"], help="print some of these instead of counts"
    )
    parser.add_argument("--size", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--seed", default="0", help="another one gives another sample (default: 0)")
    return parser.parse_args(arguments)


def receivers(code: list[File], own: frozenset[str]) -> Iterator[Receiver]:
    """Every counted call in `code`, file by file, in the order of the text.

    Args:
        code: the files.
        own: top-level names of the workspace's packages. What is imported from these could be anything
            until the file that it comes from is read.
    """
    names = method_names()
    for file in code:
        analysis = analysed(file)
        run = analysis.run
        for node in ast.walk(analysis.source.tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in names
            ):
                kind, says = told(run, node.func, own)
                yield Receiver(file, node.func, kind, says)


@cache
def method_names() -> frozenset[str]:
    """The public methods of `CLASSES`, from the symbol index that is shipped."""
    split = (symbol.name.rpartition(".") for symbol in all_symbols() if symbol.kind == "method")
    return frozenset(name for owner, _, name in split if owner in CLASSES and not name.startswith("_"))


def told(run: Run, node: ast.Attribute, own: frozenset[str]) -> tuple[str, str]:
    """Which kind of thing the receiver of `node` is, and that in more words."""
    owner = run.owners.get(node)
    if owner is None:
        return UNKNOWN, "never evaluated"
    parts = [_told_one(part, own) for part in options(owner)]
    kinds = list(dict.fromkeys(kind for kind, _ in parts))
    says = " | ".join(dict.fromkeys(says for _, says in parts))
    if UNKNOWN in kinds:
        return UNKNOWN, says
    return (kinds[0] if len(kinds) == 1 else "one of several kinds"), says


def _told_one(value: Value, own: frozenset[str]) -> tuple[str, str]:
    match value:
        case Tensor(certain=certain):
            return "Tensor", "Tensor" if certain else "Tensor (by convention)"
        case Params(one=one):
            return "Parameters", "a parameter" if one else "parameters"
        case Grads():
            return "Tensor", "gradients"
        case Batch():
            return "Batch", "what a DataLoader yields"
        case Super(receiver=receiver):
            kind, says = _told_one(receiver, own)
            return kind, f"super() of {says}"
        case Instance():
            return _told_instance(value)
        case Ref(name=name):
            top = name.partition(".")[0]
            return (UNKNOWN if top in own or not top else IMPORTED), f"imported {name}"
        case LocalClass(node=node):
            return "class or function", f"class {node.name}"
        case Function():
            return "class or function", "function"
        case Const(value=literal):
            return type(literal).__name__, f"{type(literal).__name__} {literal!r:.30}"
        case Number():
            return "number", "number"
        case Container(kind=kind):
            return kind, kind
        case Iterable():
            return "iterable", "iterable"
        case _:
            return UNKNOWN, _why_unknown(value)


def _told_instance(value: Instance) -> tuple[str, str]:
    name = value.cls if isinstance(value.cls, str) else value.cls.node.name
    kind = kind_of(value)
    if kind == "Unknown":
        kind = "other object"
    return kind, f"{kind} {name}"


def _why_unknown(value: Value) -> str:
    """The class of the value, and the function that made it or the attribute that it is."""
    detail = getattr(value, "made_by", "") or getattr(value, "name", "")
    return f"{type(value).__name__}({detail})"


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


def _print_counts(found: list[Receiver]) -> None:
    imported = sum(r.kind == IMPORTED for r in found)
    others = [r for r in found if r.kind != IMPORTED]
    known = [r for r in others if r.kind != UNKNOWN]
    share = 100 * len(known) / len(others) if others else 0.0
    print(f"calls of methods called like one of torch's   {len(found)}")
    print(f"  receiver is {IMPORTED:<31} {imported}")
    print(f"  receiver is an object: known                {len(known)} of {len(others)}, {share:.1f} %")
    for kind, count in Counter(r.kind for r in others).most_common():
        print(f"    {kind:<41} {count}")


if __name__ == "__main__":
    main()
