"""What the file calls, by name: the question that most rules begin with."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from torchlore.analysis import members
from torchlore.analysis.queries import join
from torchlore.analysis.run import Run
from torchlore.analysis.values import Arguments, BoundMethod, Const, Instance, LocalClass, OneOf, Ref, Value


@dataclass(eq=False, slots=True)
class Called:
    """A call in the file, of something that is surely known.

    Attributes:
        name: the dotted public name of a function or class (`torch.load`, `torch.nn.Linear`); a method with
            the kind of what it is called on (`Tensor.numpy`, `Optimizer.step`: see `members.kind_of`); an
            object that is called by its class with parentheses (`torch.nn.MSELoss()`), or by its kind, where
            its class is of the workspace (`Module()`).
        node: the call.
        receiver: what a method is called on; None of a function or a class.
        given: its arguments, once for every time that the call was come by (loops, several callers).
    """

    name: str
    node: ast.Call
    receiver: Value | None
    given: list[Arguments]

    def value(self, index: int, name: str) -> Value | None:
        """What the argument at `index` or called `name` is, whenever the call runs; None where none is given.

        Args:
            index: among the positional arguments; -1 where it is given by name only.
            name: of the parameter.
        """
        found = [arguments.get(index, name) for arguments in self.given]
        known = [value for value in found if value is not None]
        return join(known) if known and len(known) == len(found) else None

    def literal(self, index: int, name: str) -> object:
        """The literal that an argument surely is; `MISSING` where it is none, or is not given."""
        value = self.value(index, name)
        return value.value if isinstance(value, Const) else MISSING

    def argument(self, index: int, name: str) -> ast.expr | None:
        """The expression that is written for an argument; None where none is, or it comes out of `*`."""
        before = self.node.args[: index + 1]
        if 0 <= index < len(before) and not any(isinstance(written, ast.Starred) for written in before):
            return before[index]
        return next((keyword.value for keyword in self.node.keywords if keyword.arg == name), None)

    def place(self) -> tuple[int, int]:
        """Where the call ends: of `a.b().c()`, which begin together, `b` is called first."""
        return self.node.end_lineno or self.node.lineno, self.node.end_col_offset or self.node.col_offset

    @property
    def is_complete(self) -> bool:
        """Whether all arguments are seen: none comes out of a `*args` or `**kwargs` that is not known."""
        return all(arguments.complete for arguments in self.given)


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()
"""Stands for a literal that there is not: None is one."""


class Calls:
    """The calls of a file that are surely of one thing, for questions by name.

    What a method is called on is found out for those names that are asked for: most never are.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._by_key: dict[str, list[ast.Call]] = {}
        self._known: dict[str, list[Called]] = {}
        values, by_key = run.values, self._by_key
        for node in run.calls:
            callee = values.get(node.func)
            cls = callee.__class__
            if cls is Ref:
                key = callee.name  # type: ignore[union-attr]
            elif cls is BoundMethod:
                key = f".{callee.name}"  # type: ignore[union-attr]
            elif cls is Instance or cls is OneOf:
                named = _named(callee)  # type: ignore[arg-type]
                if named is None:
                    continue
                key = named[0]
            else:
                continue
            known = by_key.get(key)
            if known is None:
                by_key[key] = [node]
            else:
                known.append(node)

    def of(self, name: str) -> list[Called]:
        """The calls of what has this name (see `Called`), in the order of the text."""
        known = self._known.get(name)
        if known is not None:
            return known
        nodes = self._by_key.get(name, [])
        if name[:1].isupper():  # a method: the kind of what it is called on comes before its name
            nodes = nodes + self._by_key.get(name[name.rfind(".") :], [])
        found = self._known[name] = self._named_so(name, nodes) if nodes else []
        return found

    def _named_so(self, name: str, nodes: list[ast.Call]) -> list[Called]:
        found = (self.at(node) for node in nodes)
        return sorted((call for call in found if call is not None and call.name == name), key=Called.place)

    def at(self, node: ast.AST) -> Called | None:
        """The call that a node is; None where it is none, or what it calls is not surely known."""
        given = self._run.calls.get(node)  # type: ignore[call-overload]
        callee = self._run.values.get(node.func) if given is not None else None  # type: ignore[attr-defined]
        named = _named(callee) if callee is not None else None
        if named is None or given is None:
            return None
        return Called(named[0], node, named[1], given)  # type: ignore[arg-type]


def _named(callee: Value) -> tuple[str, Value | None] | None:
    """The name of something callable, and what it is a method of; None where it may be several things."""
    match callee:
        case Ref(name=name):
            return name, None
        case BoundMethod(receiver=receiver, name=name):
            kind = members.kind_of(receiver)
            return (f"{kind}.{name}", receiver) if kind != "Unknown" else None
        case Instance(cls=str() as name):
            return f"{name}()", callee
        case Instance(cls=LocalClass()):
            return f"{members.kind_of(callee)}()", callee
        case OneOf(options=parts):
            names = [_named(part) for part in parts]
            first = names[0]
            if first is None or any(named is None or named[0] != first[0] for named in names):
                return None
            receivers = [named[1] for named in names if named is not None and named[1] is not None]
            return first[0], join(receivers) if receivers else None
        case _:
            return None
