"""The types of the protocol, each of which is finished when it is first used.

lsprotocol has some 600 classes. attrs writes and compiles the methods of each when the module is imported,
which took half of the time until the server answers, and a session uses some eighty of them.
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable
from importlib import import_module
from threading import RLock
from typing import Any

import attrs

_TYPES = "lsprotocol.types"
_IS_RESOLVED = "_resolved_forward_references"
_lock = RLock()


def load() -> None:
    """Imports lsprotocol's types. To be called before anything else does; else nothing is gained or lost."""
    if _TYPES in sys.modules:
        return
    define = attrs.define
    attrs.define = _later(define)
    try:
        import_module(_TYPES)
    finally:
        attrs.define = define
    hooks = vars(import_module("lsprotocol._hooks"))
    if _IS_RESOLVED in hooks:
        # Who makes a converter would finish all classes otherwise, only to learn what their fields are.
        hooks[_IS_RESOLVED] = True


def _later(define: Callable[..., Any]) -> Callable[..., Any]:
    """`define`, but a class without options is left as it is until it is used."""

    def decorate(cls: type | None = None, **options: Any) -> Any:
        if cls is None or options:
            return define(cls, **options)
        cls.__init__ = _first_init  # type: ignore[misc]
        cls.__attrs_attrs__ = _Fields()  # type: ignore[attr-defined]
        return cls

    return decorate


def _first_init(self: Any, *args: Any, **kwargs: Any) -> None:
    """Stands for the constructor of a class until the first object of it is made."""
    _finish(type(self))
    self.__init__(*args, **kwargs)


class _Fields:
    """Stands for the fields of a class until somebody asks for them."""

    def __get__(self, _: object, cls: type) -> Any:
        _finish(cls)
        return cls.__attrs_attrs__  # type: ignore[attr-defined]


def _finish(cls: type) -> None:
    """Has attrs make the methods of a class, in place.

    Two threads may come here at once, and a third may use the class meanwhile: attrs puts the fields in
    place first, whose types are known by then, and whoever makes an object waits for the lock.
    """
    with _lock:
        if cls.__init__ is _first_init:  # type: ignore[misc]
            cls.__annotations__ = typing.get_type_hints(cls)
            attrs.define(cls, slots=False, init=True)
