"""What an expression is. Values are immutable but for the attributes and items of heap objects.

`Unknown` is an ordinary value and flows everywhere; a rule that meets it says nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torchlore.analysis.events import Call, Step
    from torchlore.analysis.frames import Frame
    from torchlore.analysis.shapes.shape import Shape

Token = ast.AST
"""Marks where a value came from (a `total += loss`, a call of a model) through later operations."""

NO_TOKENS: frozenset[Token] = frozenset()


@dataclass(eq=False, repr=False, slots=True)
class Value:
    """Something that an expression may evaluate to. Compared by identity.

    No value is written out with what hangs on it: of a class that is all of its file, and takes minutes.
    """


@dataclass(eq=False, repr=False, slots=True)
class Unknown(Value):
    """Could be anything. `tokens`: what it may have been made from; `made_by`: the function that gave it."""

    tokens: frozenset[Token] = NO_TOKENS
    made_by: str = ""


@dataclass(eq=False, repr=False, slots=True)
class Const(Value):
    """A literal: number, string, bool, None."""

    value: object


@dataclass(eq=False, repr=False, slots=True)
class Number(Value):
    """A Python number of unknown value."""


@dataclass(eq=False, repr=False, slots=True)
class Ref(Value):
    """Something imported, by its dotted name as it is written (`torch.nn.Linear`, `builtins.print`)."""

    name: str


@dataclass(eq=False, repr=False, slots=True)
class LocalModule(Value):
    """A file of the workspace, imported: its names are those of `frame`.

    Attributes:
        name: as it was imported, dotted; what is not found in a folder without `__init__.py` may be in an
            installed package of this name.
        path: of the file, or of the folder, which ends in a separator.
    """

    name: str
    path: str
    frame: Frame


@dataclass(eq=False, repr=False, slots=True)
class Lazy(Value):
    """What an import of a workspace file binds, until it is first asked for. Lives in frames only."""

    make: Callable[[], Value] | None
    value: Value | None = None

    def resolve(self) -> Value:
        """What it is; unknown while it is being found out (files that import one another)."""
        if self.value is None:
            make, self.make = self.make, None
            if make is None:
                return Unknown()
            self.value = make()
        return self.value


@dataclass(eq=False, repr=False, slots=True)
class Tensor(Value):
    """A tensor.

    Attributes:
        attached: whether it carries an autograd graph; None where that is not known.
        certain: False where only convention says that it is a tensor (an argument of `forward`, an
            item of a DataLoader): good for a hover, not for a finding.
        activation: "softmax", "log_softmax" or "sigmoid" where it is exactly the output of that function, or
            rows of it (of a sigmoid any part).
        made_at: the call that applied `activation`; None where several did.
        tokens: what it was made from.
        parameter: whether it is an `nn.Parameter`.
        dtype: the last part of its dtype's name ("float32"); empty where that is not known.
        device: where it is ("cpu", "cuda:0"); empty where that is not known.
        leaf: whether the user made it with `requires_grad=True`, so that an optimizer may own it.
        made_by: the dotted name of the function (or of the module's class) that gave it; empty where
            that is not one.
        shape: as far as it is certain; None where nothing is known of it.
    """

    attached: bool | None = None
    certain: bool = True
    activation: str | None = None
    made_at: ast.expr | None = None
    tokens: frozenset[Token] = NO_TOKENS
    parameter: bool = False
    dtype: str = ""
    device: str = ""
    leaf: bool = False
    made_by: str = ""
    shape: Shape | None = None


@dataclass(eq=False, repr=False, slots=True)
class Function(Value):
    """A function, method or lambda of this file.

    Attributes:
        receiver: what a method is bound to.
        stands_for: the function whose signature this one has, by `functools.wraps`.
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    frame: Frame
    owner: LocalClass | None = None
    receiver: Value | None = None
    defaults: dict[str, Value] = field(default_factory=dict)
    decorators: tuple[Value, ...] = ()
    stands_for: Function | None = None


@dataclass(eq=False, repr=False, slots=True)
class LocalClass(Value):
    """A class of the workspace.

    Attributes:
        attributes: its methods and class variables.
        home: its module.
        order: itself and its bases in the order in which attributes are looked up, once that was asked for.
        beyond: its bases, and theirs, that are not of the workspace, once that was asked for.
        maker: its metaclass, where it names one.
    """

    node: ast.ClassDef
    bases: tuple[Value, ...]
    attributes: dict[str, Value]
    decorators: tuple[Value, ...] = ()
    home: Frame | None = None
    order: tuple[LocalClass, ...] = ()
    beyond: tuple[Value, ...] | None = None
    maker: Value | None = None


@dataclass(eq=False, repr=False, slots=True)
class Instance(Value):
    """An object. `cls` is the dotted name of an imported class or a class of this file.

    Attributes:
        node: the call that made it, or the parameter that is annotated with it.
        arguments: what its constructor was given, when `cls` is imported.
        attributes: what was set on it.
        made_with: what its constructor was given, when `cls` is of the workspace.
        frozen: its parameters were told not to require gradients; None where that holds of some of them,
            or on some paths only.
    """

    cls: str | LocalClass
    node: ast.AST
    arguments: Arguments | None = None
    attributes: dict[str, Value] = field(default_factory=dict)
    frozen: bool | None = False
    made_with: Arguments | None = None


@dataclass(eq=False, repr=False, slots=True)
class Container(Value):
    """A list, tuple, set or dict of this file.

    Attributes:
        items: those of a list, tuple or set; None where they are not all known.
        keyed: items of a dict by literal key.
        whole: whether `keyed` holds all of them.
    """

    kind: str
    items: list[Value] | None
    _element: Value | list[Value]
    keyed: dict[object, Value] = field(default_factory=dict)
    whole: bool = False

    @property
    def element(self) -> Value:
        """The join of all items. Of a display it is found out when it is first asked for: most never are."""
        if isinstance(self._element, list):
            from torchlore.analysis.queries import join

            self._element = join(self._element)
        return self._element

    @element.setter
    def element(self, value: Value) -> None:
        self._element = value


@dataclass(eq=False, repr=False, slots=True)
class Iterable(Value):
    """Something that yields `element`s: a DataLoader's batches, `enumerate(...)`, a generator.

    Attributes:
        call: of a generator of the workspace that nobody has iterated over yet: what happens in it.
    """

    element: Value
    call: Call | None = None


@dataclass(eq=False, repr=False, slots=True)
class Coroutine(Value):
    """What a call of an `async` function gives, and what `await` makes of it."""

    result: Value


@dataclass(eq=False, repr=False, slots=True)
class Batch(Value):
    """What a DataLoader yields: unpacking, indexing and attributes give tensors by convention."""


@dataclass(eq=False, repr=False, slots=True)
class Params(Value):
    """Parameters of modules: all, some or one of them. `owners` is None where the modules are not known."""

    owners: frozenset[Value] | None
    one: bool = False


@dataclass(eq=False, repr=False, slots=True)
class Grads(Value):
    """The `.grad` of parameters."""

    owners: frozenset[Value] | None


@dataclass(eq=False, repr=False, slots=True)
class BoundMethod(Value):
    """A method of an object whose class is not of this file."""

    receiver: Value
    name: str


@dataclass(eq=False, repr=False, slots=True)
class Managed(Value):
    """What a call of a `@contextmanager` gives: the generator runs when it is entered.

    Attributes:
        rest: what happens after its `yield`, once it was entered.
    """

    function: Function
    arguments: Arguments | None
    rest: list[Step] = field(default_factory=list)


@dataclass(eq=False, repr=False, slots=True)
class Super(Value):
    """`super()` inside a method of `cls`."""

    receiver: Value
    cls: LocalClass


@dataclass(eq=False, repr=False, slots=True)
class OneOf(Value):
    """One of several values, none of them a `OneOf` itself."""

    options: tuple[Value, ...]


@dataclass(eq=False, repr=False, slots=True)
class Arguments:
    """The arguments of a call. `complete` is False after `*args` or `**kwargs` of unknown length."""

    positional: list[Value]
    keywords: dict[str, Value]
    complete: bool = True
    nodes: list[ast.expr] = field(default_factory=list)

    def get(self, index: int, name: str) -> Value | None:
        """The argument at `index` or called `name`."""
        if 0 <= index < len(self.positional):
            return self.positional[index]
        return self.keywords.get(name)

    def all(self) -> list[Value]:
        return [*self.positional, *self.keywords.values()]
