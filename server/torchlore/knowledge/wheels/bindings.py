"""What the text of one module binds: functions, classes, imports, values. Nothing is looked up elsewhere."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TypeAlias

from torchlore_agent.symbol_index import prose, stubs, warned

from torchlore.text.nodes import first_line, nodes_in

# A module that binds names by program text cannot show: what is not seen in it may be there all the same.
_DYNAMIC = re.compile(
    r"^def __getattr__\b|\bglobals\(\)(?:\[|\.update)|sys\.modules\[__name__\]\s*=|setattr\(\s*sys\.modules"
    r"|install_config_module\(",
    re.MULTILINE,
)
_WARNS = re.compile(r"deprecat|renamed|obsolete|warn\(|Warning\b|RuntimeError\(", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Function:
    """A function, method or property.

    Attributes:
        parameters: those that can be given by name, without `self`, of all overloads.
        is_open: whether it takes `**kwargs`, so that names beyond `parameters` may be given.
        deprecated: torch's advice where the whole function is deprecated.
        warns: whether its text warns of anything, so that it may be deprecated in words of its own.
    """

    kind: str
    parameters: tuple[str, ...]
    is_open: bool
    signature: str
    doc: str
    deprecated: str | None
    warns: bool


@dataclass(frozen=True, slots=True)
class Class:
    """A class and what its body binds; `bases` are names as the module spells them, "" for others."""

    module: str
    name: str
    bases: tuple[str, ...]
    members: dict[str, Binding]
    doc: str
    deprecated: str | None
    warns: bool
    is_dataclass: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that stands for another: an import (`target` is absolute) or an assignment in the module."""

    target: str
    is_local: bool
    doc: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """Something that is bound, and more is not known of it."""


Binding: TypeAlias = "Function | Class | Reference | Value"


@dataclass(slots=True)
class Module:
    """A module's own bindings.

    Attributes:
        stubbed: names that only the stub file binds.
        stars: modules of which everything public is imported.
        listed: what `__all__` lists, as far as it can be read; None where there is no such list.
        is_dynamic: whether it may bind names that its text does not show.
    """

    name: str
    is_package: bool
    names: dict[str, Binding] = field(default_factory=dict)
    stubbed: set[str] = field(default_factory=set)
    stars: list[str] = field(default_factory=list)
    listed: list[str] | None = None
    is_dynamic: bool = False


def read_module(name: str, is_package: bool, python: str | None, stub: str | None) -> Module:
    """The bindings of a module from its `.py` file, and from its `.pyi` file those that the first lacks."""
    module = Module(name, is_package)
    if python is not None:
        _Reader(module, python, is_stub=False).read()
        module.is_dynamic = module.is_dynamic or _DYNAMIC.search(python) is not None
    else:
        module.is_dynamic = stub is not None  # compiled: a stub need not list everything
    if stub is not None:
        seen = set(module.names)
        _Reader(module, stub, is_stub=True).read()
        module.stubbed = set(module.names) - seen
    return module


class _Reader:
    """Reads statements into a module; knows whose text it reads and how relative imports begin there."""

    def __init__(self, module: Module, text: str, is_stub: bool) -> None:
        self._module = module
        self._is_stub = is_stub
        self._text = text
        self._lines = text.splitlines()
        self._taken = set(module.names) if is_stub else set()

    def read(self) -> None:
        try:
            tree = ast.parse(self._text)
        except (SyntaxError, ValueError):
            self._module.is_dynamic = True
            return
        self._read_all(tree.body)

    def _read_all(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            match statement:
                case ast.If(test=test, body=body, orelse=orelse):
                    if _is_for_checkers(test):
                        self._read_all([each for each in body if _stands_for_loop(each)])
                    else:
                        self._read_all(body)
                    self._read_all(orelse)
                case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                    for block in (body, orelse, *(handler.body for handler in handlers), final):
                        self._read_all(block)
                case ast.With(body=body) | ast.For(body=body) | ast.While(body=body):
                    self._read_all(body)
                case ast.Delete(targets=targets):
                    for target in targets:
                        self._module.names.pop(ast.unparse(target), None)
                case _:
                    self._read_one(statement)

    def _read_one(self, statement: ast.stmt) -> None:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._bind(statement.name, self._function(statement))
            case ast.ClassDef():
                self._bind(statement.name, self._class(statement))
            case ast.Import(names=aliases):
                for alias in aliases:
                    name = alias.name if alias.asname else alias.name.partition(".")[0]
                    self._bind_import(alias, alias.asname or name, name)
            case ast.ImportFrom(names=aliases):
                home = self._home(statement)
                for alias in aliases:
                    if alias.name == "*":
                        self._module.stars.append(home)
                    else:
                        self._bind_import(alias, alias.asname or alias.name, f"{home}.{alias.name}")
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value)
            case ast.AnnAssign(target=target, value=value) if value is not None or self._is_stub:
                self._assign(target, value)
            case ast.AugAssign(target=ast.Name(id="__all__"), value=value):
                self._list(value)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="__all__")), args=[listed])):
                self._list(ast.List(elts=[listed]) if isinstance(listed, ast.Constant) else listed)

    def _assign(self, target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for each in target.elts:
                self._assign(each, None)
        elif isinstance(target, ast.Name) and target.id == "__all__":
            self._list(value)
        elif isinstance(target, ast.Name):
            self._bind(target.id, _assigned(value))

    def _list(self, value: ast.expr | None) -> None:
        if self._module.listed is None:
            self._module.listed = []
        for node in nodes_in(value) if value is not None else ():
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                self._module.listed.append(node.value)

    def _bind_import(self, alias: ast.alias, name: str, target: str) -> None:
        # By PEP 484 a stub passes an import on only where it is written `import A as A`.
        if not self._is_stub or alias.asname == alias.name:
            self._bind(name, Reference(target, is_local=False))

    def _bind(self, name: str, binding: Binding) -> None:
        if name not in self._taken:
            _add(self._module.names, name, binding)

    def _home(self, statement: ast.ImportFrom) -> str:
        if not statement.level:
            return statement.module or ""
        parts = self._module.name.split(".")
        parts = parts[: len(parts) - statement.level + self._module.is_package]
        return ".".join([*parts, *([statement.module] if statement.module else [])])

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
        arguments = node.args
        by_name = [argument.arg for argument in (*arguments.args, *arguments.kwonlyargs)]
        if by_name and not arguments.posonlyargs and by_name[0] in ("self", "cls"):
            by_name = by_name[1:]
        doc = ast.get_docstring(node, clean=False) or ""
        decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
        is_property = any(each.endswith(("property", "setter", "getter")) for each in decorators)
        return Function(
            kind="property" if is_property else "function",
            parameters=tuple(by_name),
            is_open=arguments.kwarg is not None,
            signature=stubs.signature(node),
            doc=doc,
            deprecated=self._deprecation(node, doc),
            warns=self._warns(node),
        )

    def _class(self, node: ast.ClassDef) -> Class:
        members: dict[str, Binding] = {}
        self._read_body(node.body, members)
        doc = ast.get_docstring(node, clean=False) or ""
        maker = members.get("__init__")
        makers = (maker, members.get("__new__"))
        deprecated = self._deprecation(node, doc)
        if deprecated is None and isinstance(maker, Function):
            deprecated = self._deprecation_of_maker(node)
        return Class(
            module=self._module.name,
            name=node.name,
            bases=tuple(_dotted(base) for base in node.bases),
            members=members,
            doc=doc,
            deprecated=deprecated,
            warns=_WARNS.search(doc) is not None or any(isinstance(m, Function) and m.warns for m in makers),
            is_dataclass=any("dataclass" in ast.unparse(each) for each in node.decorator_list),
        )

    def _read_body(self, statements: list[ast.stmt], members: dict[str, Binding]) -> None:
        for statement in statements:
            match statement:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    _add(members, statement.name, self._function(statement))
                    if statement.name == "__init__":
                        for name in _set_on_self(statement):
                            _add(members, name, Value())
                case ast.ClassDef():
                    _add(members, statement.name, self._class(statement))
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        if isinstance(target, ast.Name):
                            _add(members, target.id, members.get(_dotted(value)) or Value())
                            members.update({name: Value() for name in _slots(target.id, value)})
                case ast.AnnAssign(target=ast.Name(id=name)):
                    _add(members, name, Value())
                case ast.If(test=test, body=body, orelse=orelse):
                    if not _is_for_checkers(test):
                        self._read_body(body, members)
                    self._read_body(orelse, members)
                case ast.Try(body=body) | ast.With(body=body):
                    self._read_body(body, members)

    def _deprecation_of_maker(self, node: ast.ClassDef) -> str | None:
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
                return self._deprecation(statement, "", node.name)
        return None

    def _warns(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        return _WARNS.search(self._text_of(node)) is not None

    def _text_of(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
        return "\n".join(self._lines[first_line(node) : node.end_lineno])

    def _deprecation(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, doc: str, name: str = ""
    ) -> str | None:
        """As the symbol index finds it: the decorator, the docstring, then a complaint in the body."""
        if "eprecated" not in self._text_of(node):
            return None
        name = name or node.name
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and decorator.args:
                message = _message(decorator.args)
                is_mark = _dotted(decorator.func).rpartition(".")[2] == "deprecated"
                if is_mark and not warned.recommends(message, name):
                    return prose.shorten(prose.to_markdown(message))
        note = prose.deprecation_note(doc, name) if doc else None
        is_class = isinstance(node, ast.ClassDef)
        return note if note or is_class else warned.note_in(node, name)


def _add(names: dict[str, Binding], name: str, binding: Binding) -> None:
    """Bind a name: the first binding stays, but overloads and branches of one function are one function."""
    known = names.setdefault(name, binding)
    if isinstance(known, Function) and isinstance(binding, Function) and known is not binding:
        names[name] = Function(
            kind=known.kind,
            parameters=tuple(dict.fromkeys((*known.parameters, *binding.parameters))),
            is_open=known.is_open or binding.is_open,
            signature=known.signature,
            doc=known.doc or binding.doc,
            deprecated=known.deprecated and binding.deprecated,
            warns=known.warns or binding.warns,
        )


def _message(arguments: list[ast.expr]) -> str:
    """What a `deprecated` decorator says: `("Use g.")`, or since when, until when, and then what to do."""
    first, *rest = (warned.literal(argument) for argument in arguments)
    if not rest or not re.fullmatch(r"\d[\w.]*", first):
        return first
    return f"Since torch {first}: {rest[-1][:1].upper()}{rest[-1][1:]}"


def _assigned(value: ast.expr | None) -> Binding:
    """What an assignment binds: `a.b` and `_add_docstr(a.b, "…")` are other names for `a.b`."""
    if value is not None and (dotted := _dotted(value)):
        return Reference(dotted, is_local=True)
    if isinstance(value, ast.Call) and _dotted(value.func) == "_add_docstr" and len(value.args) == 2:
        document = value.args[1]
        if isinstance(document, ast.Call) and isinstance(document.func, ast.Attribute):
            document = document.func.value  # "…".format(…)
        return Reference(_dotted(value.args[0]), is_local=True, doc=warned.literal(document))
    return Value()


def _dotted(node: ast.expr) -> str:
    """`a.b.c` of an expression of this form, also of `a.b.c[T]`; "" of any other."""
    if isinstance(node, ast.Subscript):
        return _dotted(node.value)
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (owner := _dotted(node.value)):
        return f"{owner}.{node.attr}"
    return ""


def _set_on_self(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The attributes that a constructor sets on the new object."""
    found = [
        target
        for each in nodes_in(node)
        if isinstance(each, ast.Assign | ast.AnnAssign)
        for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
    ]
    names = [_dotted(target).partition("self.")[2] for target in found if isinstance(target, ast.Attribute)]
    return [name for name in names if name and "." not in name]


def _slots(name: str, value: ast.expr) -> list[str]:
    """The attributes that an assignment to `__slots__` makes."""
    if name != "__slots__":
        return []
    return [
        node.value
        for node in nodes_in(value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def _is_for_checkers(test: ast.expr) -> bool:
    return _dotted(test).rpartition(".")[2] == "TYPE_CHECKING"


def _stands_for_loop(statement: ast.stmt) -> bool:
    """A star import that only type checkers see tells them what a loop over `dir()` binds at run time."""
    return isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"
