"""Lists, tuples, sets and dicts: their items, their operators, their methods."""

from __future__ import annotations

import ast

from torchlore.analysis import calls, definitions, plain, targets, unpacking
from torchlore.analysis.events import Kind
from torchlore.analysis.names import words
from torchlore.analysis.queries import MAX_ALTERNATIVES, join, options
from torchlore.analysis.run import Run
from torchlore.analysis.values import (
    Arguments,
    Const,
    Container,
    Function,
    Iterable,
    Number,
    Tensor,
    Unknown,
    Value,
)

BOUNDED = "deque"
"""The kind of a `deque(maxlen=…)`: it lets go of what it held, so that nothing accumulates in it."""


def item(container: Container, key: Value) -> Value:
    """`container[key]`."""
    literal = key.value if isinstance(key, Const) else None
    items = container.items
    if items is not None and type(literal) is int and -len(items) <= literal < len(items):
        return items[literal]
    if isinstance(key, Const) and targets.hashable(literal) in container.keyed:
        return container.keyed[targets.hashable(literal)]
    return any_item(container)


def part(container: Container, bounds: Value) -> Value:
    """`container[a:b]`."""
    if container.kind == "dict":
        return any_item(container)
    if container.items is not None and isinstance(bounds, Const) and isinstance(bounds.value, slice):
        items = container.items[bounds.value]
        return Container(container.kind, items, join(items) if items else Unknown())
    return Container(container.kind, None, any_item(container))


def any_item(container: Container) -> Value:
    """Any one of the items (of a dict: of the values)."""
    return join(container.items) if container.items else container.element


def keys(container: Container) -> Value:
    """Any one of a dict's keys."""
    literals = [key for key in container.keyed if isinstance(key, str | int | float | tuple | type(None))]
    if not literals or len(literals) < len(container.keyed):
        return Unknown()
    if len(literals) > MAX_ALTERNATIVES and all(isinstance(key, str) for key in literals):
        return plain.STR
    return join([Const(key) for key in literals])


def combined(left: Value, right: Value, op: ast.operator | None) -> Value | None:
    """`a + b`, `a * n`, `a | b` of lists, tuples, sets and dicts; None where these are not what they are."""
    if isinstance(left, Container) and isinstance(right, Container):
        items = [*left.items, *right.items] if left.items is not None and right.items is not None else None
        element = _joined_elements(left, right)
        return Container(left.kind, items, element, {**left.keyed, **right.keyed})
    if isinstance(op, ast.Mult):
        container = left if isinstance(left, Container) else right
        assert isinstance(container, Container)
        return Container(container.kind, None, any_item(container))
    known = left if isinstance(left, Container) else right
    if isinstance(known, Container) and known.kind in ("list", "tuple") and isinstance(op, ast.Add):
        return Container(known.kind, None, Unknown())  # only a list can be added to a list
    return None


def _joined_elements(left: Container, right: Container) -> Value:
    full = [part for part in (left, right) if not (is_empty(part) and not part.items)]
    return join([any_item(part) for part in full]) if full else Unknown()


def is_empty(container: Container) -> bool:
    """Whether nothing is known to be in it."""
    return isinstance(container.element, Unknown) and not container.element.tokens and not container.keyed


def copied(container: Container) -> Container:
    """A shallow copy."""
    items = list(container.items) if container.items is not None else None
    return Container(container.kind, items, container.element, dict(container.keyed))


def call_method(run: Run, receiver: Container, name: str, arguments: Arguments, node: ast.expr) -> Value:
    """A method of a list, tuple, set or dict."""
    if name in _CHANGES:
        run.changes += 1
    if name in _ADDS and arguments.positional:
        value = arguments.positional[-1]
        if isinstance(value, Tensor | Unknown) and receiver.kind != BOUNDED:
            run.emit(Kind.ACCUMULATE, node, subject=receiver, value=value, key=receiver)
            value = targets.with_token(value, node)
        known = receiver.items if name == "append" and _is_grown_here(run, receiver, node) else None
        targets.extend(receiver, value)
        receiver.items = [*known, value] if known is not None else None
        return Const(None)
    if name in _ADD_ALL and arguments.positional and receiver.kind != "dict":
        targets.extend(receiver, unpacking.element(arguments.positional[0]))
        return Const(None)
    if name in _TAKES:
        run.emit(Kind.RESET, node, key=receiver)
        return _taken(receiver, name, arguments)
    if name in _COPIES:
        return copied(receiver) if name == "copy" else _set_of(receiver, arguments)
    if name in _NUMBERS:
        return Number()
    if name in _QUESTIONS:
        return plain.BOOL
    if name in ("sort", "reverse"):
        key = arguments.keywords.get("key")
        if isinstance(key, Function):
            calls.call_function(run, key, Arguments([any_item(receiver)], {}), node)
        receiver.items = None
        return Const(None)
    if receiver.kind == "dict":
        return _call_dict_method(receiver, name, arguments)
    return Unknown()


_MOST_ITEMS = 32
"""Items of a list that grows are told apart up to so many."""


def _is_grown_here(run: Run, receiver: Container, node: ast.expr) -> bool:
    """Whether an item is added just once: to a list that a variable of the running code holds."""
    if run.is_tentative or receiver.kind != "list" or not isinstance(node, ast.Call):
        return False
    if receiver.items is not None and len(receiver.items) >= _MOST_ITEMS:
        return False
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    if not isinstance(owner, ast.Name) or run.frame.names.get(owner.id) is not receiver:
        return False
    args = getattr(run.frame.node, "args", None)  # what is given to a function is grown by each of its calls
    return not isinstance(args, ast.arguments) or all(a.arg != owner.id for a in definitions.all_args(args))


_ADDS = words("append add appendleft insert")
_ADD_ALL = words("extend extendleft update union_update intersection_update")
_TAKES = words("clear pop popleft popitem remove discard")
_COPIES = words("copy union intersection difference symmetric_difference")
_CHANGES = frozenset((*_ADDS, *_ADD_ALL, *_TAKES, *words("sort reverse setdefault")))
_NUMBERS = words("index count __len__")
_QUESTIONS = words("issubset issuperset isdisjoint __contains__")


def _taken(receiver: Container, name: str, arguments: Arguments) -> Value:
    if name in ("clear", "remove", "discard"):
        return Const(None)
    if name == "popitem":
        return Container("tuple", [keys(receiver), receiver.element], receiver.element)
    if receiver.kind == "dict":
        return _looked_up(receiver, arguments)
    value = any_item(receiver)
    receiver.items = None
    return value


def _set_of(receiver: Container, arguments: Arguments) -> Value:
    others = [unpacking.element(value) for value in arguments.positional]
    return Container("set", None, join([any_item(receiver), *others]))


def _looked_up(receiver: Container, arguments: Arguments) -> Value:
    """`d.get(key, default)`, `d.pop(key, default)`: with a key that is known, its value alone."""
    key = arguments.positional[0] if arguments.positional else Unknown()
    if isinstance(key, Const) and targets.hashable(key.value) in receiver.keyed:
        return receiver.keyed[targets.hashable(key.value)]
    if isinstance(receiver.element, Unknown):
        return receiver.element
    default = arguments.positional[1] if len(arguments.positional) > 1 else Const(None)
    return join([receiver.element, default])


def _call_dict_method(receiver: Container, name: str, arguments: Arguments) -> Value:
    match name:
        case "items":
            return Iterable(_pairs(receiver))
        case "keys":
            return Iterable(keys(receiver))
        case "values":
            return Iterable(receiver.element)
        case "get":
            return _looked_up(receiver, arguments)
        case "setdefault" if arguments.positional:
            found = _looked_up(receiver, arguments)
            if len(arguments.positional) > 1 and isinstance(found, Unknown):
                found = arguments.positional[1]
            _put(receiver, arguments.positional[0], found)
            return found
        case "update":
            for other in arguments.positional:
                merge(receiver, other)
            for key, value in arguments.keywords.items():
                _put(receiver, Const(key), value)
            return Const(None)
        case _:
            return Unknown()


def _pairs(receiver: Container) -> Value:
    """What `items()` yields: pairs of a key and its value, each with its own where these are few."""
    if 0 < len(receiver.keyed) <= MAX_ALTERNATIVES:
        return join([Container("tuple", [Const(k), v], v) for k, v in receiver.keyed.items()])
    return Container("tuple", [keys(receiver), receiver.element], receiver.element)


def merge(receiver: Container, other: Value) -> None:
    """The items of a dict (or pairs of them) were put into `receiver`."""
    for option in options(other):
        if not isinstance(option, Container):
            targets.extend(receiver, Unknown())
            receiver.whole = False
            continue
        receiver.whole = receiver.whole and option.whole
        receiver.keyed.update(option.keyed)
        if option.kind == "dict" and not is_empty(option):
            targets.extend(receiver, option.element)
        elif option.kind != "dict":
            for key, value in known_pairs(option):
                _put(receiver, key, value)


def known_pairs(container: Container) -> list[tuple[Value, Value]]:
    """Keys and values of a list of pairs; empty where these are not all known."""
    pairs: list[tuple[Value, Value]] = []
    for pair in container.items or ():
        if not isinstance(pair, Container) or pair.items is None or len(pair.items) != 2:
            return []
        pairs.append((pair.items[0], pair.items[1]))
    return pairs


def _put(receiver: Container, key: Value, value: Value) -> None:
    targets.extend(receiver, value)
    if isinstance(key, Const):
        receiver.keyed[targets.hashable(key.value)] = value
    else:
        receiver.whole = False


def dictionary(arguments: Arguments) -> Container:
    """`dict(…)`, `OrderedDict(…)`."""
    made = Container("dict", None, Unknown())
    for value in arguments.positional[:1]:
        if isinstance(value, Iterable) and isinstance(value.element, Container):  # dict(zip(names, values))
            pair = value.element
            made.element = pair.items[1] if pair.items and len(pair.items) == 2 else Unknown()
        else:
            merge(made, value)
    for key, value in arguments.keywords.items():
        if key == "**":
            merge(made, value)
        else:
            _put(made, Const(key), value)
    return made
