"""One object of torch as a record: kind, signature, one line, deprecation."""

from __future__ import annotations

import ast
import enum
import inspect
import re
import textwrap
import types
from typing import Any

from . import prose, warned

_METHOD_TYPES = (
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    staticmethod,
    classmethod,
)
_LONGEST = 400
_SIMPLE = (bool, int, float, complex, str, bytes)


def kind_of(value: Any, in_class: bool) -> str:
    """One of the kinds that `torchlore.knowledge.Symbol` lists."""
    if isinstance(value, types.ModuleType):
        return "module"
    if inspect.isclass(value):
        if issubclass(value, BaseException):
            return "exception"
        return "enum" if issubclass(value, enum.Enum) else "class"
    if type(value).__name__ == "dtype" and type(value).__module__ == "torch":
        return "dtype"
    if in_class:
        if isinstance(value, _METHOD_TYPES):
            return "method"
        is_property = isinstance(value, property) or inspect.isdatadescriptor(value)
        return "property" if is_property else "method" if inspect.isroutine(value) else "attribute"
    return "function" if callable(value) and not isinstance(value, _SIMPLE) else "constant"


def document_of(value: Any) -> str:
    """An object's own docstring: "" where it has none, or only the one of its type or of Python itself."""
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    if inspect.isclass(value):
        doc = value.__doc__
        inherited = any(doc == base.__doc__ for base in value.__mro__[1:])
        return doc if isinstance(doc, str) and not inherited and not _is_generated(doc, value) else ""
    speaks_for_itself = callable(value) or isinstance(value, (property, types.ModuleType))
    if isinstance(value, _SIMPLE) or not (speaks_for_itself or inspect.isdatadescriptor(value)):
        return ""
    doc = getattr(value, "__doc__", None)
    is_of_its_type = doc == type(value).__doc__ and not inspect.isroutine(value)
    return doc if isinstance(doc, str) and not is_of_its_type else ""


def signature_of(value: Any, kind: str, doc: str, name: str) -> str:
    """The call signature with parentheses, without the name and `self`; "" where none can be told."""
    if kind in ("module", "property", "attribute", "constant", "dtype", "exception"):
        return ""
    written, _ = prose.split_signature(doc, name)
    is_bound = kind == "method" and not isinstance(value, staticmethod)
    target = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
    is_python = inspect.isfunction(inspect.unwrap(target)) if callable(target) else False
    if written and not is_python and kind in ("method", "function"):
        return tidy(written, is_bound)
    try:
        found = _text(inspect.signature(target))
    except (ValueError, TypeError):
        found = written
    says_nothing = found.startswith("(*args, **kwargs)") and written
    return tidy(written if says_nothing else found, is_bound)


def deprecation_of(value: Any, kind: str, doc: str, name: str) -> str | None:
    """Torch's own advice where the whole symbol is deprecated or removed, else None. Three sources:

    the `__deprecated__` attribute, a directive in the docstring, and a warning or error in the body that
    names the function. None of them alone finds all.
    """
    own = vars(value) if inspect.isclass(value) else getattr(value, "__dict__", {})
    if inspect.isclass(value) and "__deprecated__" not in own:
        own = getattr(own.get("__init__"), "__dict__", {})
    marked = own.get("__deprecated__") if hasattr(own, "get") else None
    if isinstance(marked, str) and not warned.recommends(marked, name):
        return prose.shorten(prose.to_markdown(marked))
    if kind in ("module", "constant", "dtype", "attribute"):
        return None
    return prose.deprecation_note(doc, name) or _deprecated_in_body(value, name)


def _is_generated(doc: str, cls: type) -> bool:
    """Dataclasses and named tuples write a docstring that only repeats the signature."""
    return doc.startswith(f"{cls.__name__}(") and "\n" not in doc.strip()


def _text(signature: inspect.Signature) -> str:
    text = str(signature)
    if len(text) <= _LONGEST:
        return text
    # Some unions take half a page: names and defaults say more than a type that nobody reads.
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()
    ]
    return str(inspect.Signature(bare))


def tidy(text: str, is_bound: bool) -> str:
    """The same text on every run, easy to read: no addresses, no quoted annotations, short names.

    Without `self` where the method `is_bound`; not by `Signature.replace`, which refuses the parameter
    orders that some builtins declare.
    """
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    text = re.sub(r"ForwardRef\('([^']*)'\)", r"\1", text)
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", text)
    text = re.sub(r"(: |-> )\"([^\"]*)\"", r"\1\2", text)
    text = re.sub(r"<class '([\w.]+)'>", r"\1", text)
    text = re.sub(r"<(?:function|built-in function|bound method) ([\w.<>]+?)>", r"\1", text)
    text = re.sub(r"<([A-Za-z_][\w.]*): [^<>]+>", r"\1", text)
    text = re.sub(r"\btyping\.|\bcollections\.abc\.|\btyping_extensions\.", "", text)
    text = re.sub(r"\b(?:torch\._tensor|torch)\.Tensor\b", "Tensor", text)
    if is_bound:
        text = re.sub(r"^\((?:self|cls)(?:: [\w.]+)?(?:, /)?(?:, )?", "(", text)
    return re.sub(r"\s+", " ", text)


def _deprecated_in_body(value: Any, name: str) -> str | None:
    target = value.__dict__.get("__init__") if inspect.isclass(value) else value
    function = inspect.unwrap(target) if callable(target) else None
    if not isinstance(function, types.FunctionType):
        return None
    code = function.__code__
    if "deprecated" not in repr(code.co_consts) + repr(code.co_names):
        return None
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None
    return warned.note_in(tree, name)
