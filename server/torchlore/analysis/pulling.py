"""Attributes that some other method sets: that method is run when the attribute is first wanted.

An object that nobody was seen making (an annotated parameter, what `from_pretrained` gives) has the
attributes that an object of its class has which is made of unknown things.
"""

from __future__ import annotations

import ast
from weakref import WeakKeyDictionary

from torchlore.analysis import copies, interpret, members, queries
from torchlore.analysis.names import HOLDING
from torchlore.analysis.run import Run
from torchlore.analysis.values import Function, Instance, LocalClass, Unknown, Value


def set_elsewhere(run: Run, owner: Instance, attr: str) -> Value | None:
    """What a method that was not run yet sets `owner.attr` to; None where there is none."""
    if not isinstance(owner.cls, LocalClass):
        return None
    for cls in members.mro(owner.cls):
        for name in _setters(cls).get(attr, ()):
            method = cls.attributes.get(name)
            if isinstance(method, Function) and method.node not in run.reached:
                interpret.run_aside(run, members.bind(method, owner))
    return owner.attributes.get(attr) or _as_of_any(run, owner, owner.cls, attr)


def put_in_place(run: Run, owner: Instance, attr: str, nothing: Value) -> Value:
    """What an attribute may be by now that is None to begin with.

    Args:
        run: the interpretation.
        owner: an object that stands for any of its class, at any time.
        attr: the attribute.
        nothing: None.

    Returns:
        None where the function that is running sets it so; unknown where nobody sets it to anything else.
    """
    if not isinstance(owner.cls, LocalClass):
        return nothing
    running = run.stack[-1] if run.stack else None
    name = running.name if isinstance(running, ast.FunctionDef | ast.AsyncFunctionDef) else ""
    if any(name in _setters(cls).get(attr, ()) for cls in members.mro(owner.cls)):
        return nothing
    found = set_elsewhere(run, owner, attr)
    return Unknown() if found is None or queries.is_none(found) else found


def _as_of_any(run: Run, owner: Instance, cls: LocalClass, attr: str) -> Value | None:
    """What any object of a class holds in an attribute; None where that is not known."""
    if not any(attr in _setters(part) for part in members.mro(cls)):
        return None
    pattern = run.patterns.get(cls)
    if pattern is None:
        init = members.lookup(cls, "__init__")
        if isinstance(init, Function) and init.node in run.stack:
            return None  # an object is being made: later it can be told what one holds
        pattern = run.patterns[cls] = Instance(cls, cls.node)
        if isinstance(init, Function):
            _make(run, init, pattern)
    held = pattern.attributes.get(attr) if pattern is not owner else None
    found = copies.alike(held, owner.node) if held is not None else None
    if found is not None:
        for part in queries.reachable(found) if owner.frozen is not False else ():
            if isinstance(part, Instance):
                part.frozen = owner.frozen
        owner.attributes[attr] = found
    return found


_ALWAYS = 500
"""Evaluations that may always be spent on making an object of a class, …"""

_MOST_CLASSES = 6
"""… of so many classes: what attributes there are should not depend on the budget."""


def _make(run: Run, init: Function, pattern: Instance) -> None:
    is_home = run.is_home(init)
    left = run.left_again if is_home else run.left if run.is_away else run.left_elsewhere
    extra = _ALWAYS - left if left < _ALWAYS and len(run.patterns) <= _MOST_CLASSES else 0
    _grant(run, is_home, extra)
    interpret.follow_aside(run, members.bind(init, pattern))
    _grant(run, is_home, -extra)


def _grant(run: Run, is_home: bool, evaluations: int) -> None:
    if is_home:
        run.left_again += evaluations
    elif run.is_away:
        run.left += evaluations
    else:
        run.left_elsewhere += evaluations


_KNOWN: WeakKeyDictionary[ast.ClassDef, dict[str, list[str]]] = WeakKeyDictionary()
"""What `_setters` found: a class of an imported file is asked about by everyone who imports it."""


def _setters(cls: LocalClass) -> dict[str, list[str]]:
    """The methods that set each attribute of their first argument."""
    known = _KNOWN.get(cls.node)
    if known is None:
        known = _KNOWN[cls.node] = {}
        for method in cls.node.body:
            if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and method.args.args:
                for attr in _attributes_set(method):
                    known.setdefault(attr, []).append(method.name)
    return known


def _attributes_set(method: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """The attributes of its first argument that a method assigns to: targets alone are looked at."""
    first = method.args.args[0].arg
    found: set[str] = set()
    stack: list[ast.AST] = list(method.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Attribute):
            if (
                node.ctx.__class__ is ast.Store
                and isinstance(node.value, ast.Name)
                and node.value.id == first
            ):
                found.add(node.attr)
        elif isinstance(node, ast.Expr):
            found.update(_given_by_name(node.value, first))
        else:
            for field in HOLDING.get(node.__class__, ()):
                part = getattr(node, field)
                if part.__class__ is list:
                    stack += part
                elif part is not None:
                    stack.append(part)
    return found


def _given_by_name(call: ast.expr, first: str) -> list[str]:
    """`self.register_modules(unet=unet)` may well set `self.unet`."""
    match call:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name)), keywords=keywords) if name == first:
            return [keyword.arg for keyword in keywords if keyword.arg is not None]
        case _:
            return []
