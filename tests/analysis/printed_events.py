"""Prints a path of events as indented text, for cases that say what happens in which order.

    loop
      clear optimizer torch.optim.SGD
      forward module Net
      either
        continue
      or
        pass
      backward tensor attached
      call update
        step optimizer torch.optim.SGD

Only what bears on training is shown: bindings, registrations, returned values and shapes would drown it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis.describe import describe
from torchlore.analysis.events import Branch, Call, Event, Finally, Jump, Kind, Loop, Path
from torchlore.analysis.values import Instance, Tensor, Value

_SHOWN = {
    Kind.FORWARD: "forward",
    Kind.BACKWARD: "backward",
    Kind.DIFFERENTIATE: "differentiate",
    Kind.CLEAR: "clear",
    Kind.WRITE_GRADS: "write grads",
    Kind.STEP: "step",
    Kind.CLIP: "clip",
    Kind.SCHEDULE: "schedule",
    Kind.SCALE: "scale",
    Kind.UNSCALE: "unscale",
    Kind.UPDATE: "update",
    Kind.TRAIN: "train",
    Kind.EVAL: "eval",
    Kind.MODE: "mode",
    Kind.FREEZE: "freeze",
    Kind.ACCUMULATE: "accumulate",
    Kind.STATE: "state",
    Kind.LOAD_STATE: "load state",
    Kind.SAVE: "save",
    Kind.ESCAPE: "escape",
    Kind.HAVOC: "havoc",
}
_BY_VALUE = (
    *(Kind.BACKWARD, Kind.DIFFERENTIATE, Kind.ACCUMULATE, Kind.ESCAPE),
    *(Kind.CLIP, Kind.SCALE, Kind.UNSCALE, Kind.SAVE),
)


def printed(path: Path) -> str:
    """`path` as text, one event a line."""
    return "".join(f"{line}\n" for line in _lines(path))


def _lines(path: Path) -> Iterator[str]:
    for step in path:
        match step:
            case Event(kind=kind):
                if kind in _SHOWN:
                    yield _event(step)
            case Jump(kind=kind):
                yield kind
            case Branch(arms=arms):
                yield from _branch([list(_lines(arm)) for arm in arms])
            case Finally(body=body, final=final):
                yield from _lines(body)
                yield from _block("finally", list(_lines(final)))
            case Loop(body=body):
                yield from _block("loop", list(_lines(body)))
            case Call(callee=callee, body=body):
                lines = list(_lines(body))
                if lines and lines[-1] == "return":  # every function ends so
                    lines.pop()
                yield from _block(f"call {_name(callee)}", lines)


def _event(event: Event) -> str:
    subject = event.value if event.kind in _BY_VALUE else event.subject
    words = [_SHOWN[event.kind]]
    if event.kind is not Kind.HAVOC:
        words.append(_short(subject))
    if event.kind in (Kind.FORWARD, Kind.BACKWARD) and event.grad is not True:
        words.append("without grad" if event.grad is False else "perhaps with grad")
    if event.keeps_graph:
        words.append("keeping the graph")
    return " ".join(words)


def _short(value: Value | None) -> str:
    """An object without its arguments, as in nested descriptions."""
    if value is None:
        return "unknown"
    words = without_shapes(describe(value))
    return words.partition("(")[0].strip() if isinstance(value, Instance | Tensor) else words


def without_shapes(words: str) -> str:
    """A description in which tensors have no shapes: "tensor attached" of "tensor[4, 5] attached"."""
    return re.sub(r"\btensor\[[^][]*\]", "tensor", words)


def _branch(arms: list[list[str]]) -> Iterator[str]:
    if not any(arms):
        return
    for index, arm in enumerate(arms):
        yield "or" if index else "either"
        yield from (f"  {line}" for line in arm or ["pass"])


def _block(head: str, lines: list[str]) -> Iterator[str]:
    if all(line.strip() in ("return", "break", "continue", "either", "or", "pass") for line in lines):
        return
    yield head
    yield from (f"  {line}" for line in lines)


def _name(callee: ast.AST) -> str:
    return getattr(callee, "name", "lambda")
