"""TL301: a module registers something before `nn.Module.__init__` ran."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Branch, Call, Event, Finally, Kind, Loop, Path, Place, events, places
from torchlore.analysis.members import is_open, kind_of_class, lookup, mro
from torchlore.analysis.values import Function, Instance, LocalClass
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.modules._classes import classes_that_may_be_modules
from torchlore.text import Edit, Source, Span
from torchlore.text.nodes import nodes_in


class MissingSuperInit(Rule):
    """
    ## What it does

    Looks for `nn.Module` subclasses whose `__init__` sets a submodule, parameter or buffer before the
    constructor of `nn.Module` ran, or never runs it.

    ## Why is this bad?

    `nn.Module.__init__` makes the dictionaries in which submodules, parameters and buffers are registered.
    Without it the first assignment raises
    `AttributeError: cannot assign module before Module.__init__() call`, as soon as the class is used.

    ## Example

    ```py
    import torch.nn as nn


    class Net(nn.Module):
        def __init__(self):
            self.fc = nn.Linear(4, 2)

        def forward(self, x):
            return self.fc(x)
    ```

    ## Use instead

    ```py
    import torch.nn as nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 2)

        def forward(self, x):
            return self.fc(x)
    ```

    ## Fix safety

    Safe: the class could not be used before.

    ## Known limits

    Silent where a base class comes from a package other than torch or the standard library, where the
    class is
    decorated (a decorator may replace `__init__`), and where `self` is handed to code that cannot be
    seen first.

    ## References

    - [torch.nn.Module](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html)
    """

    code = "TL301"
    name = "missing-super-init"
    family = Family.MODULES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "custom-layers"
    trigger = r"\b__init__\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return any(map(_may_be_late, classes_that_may_be_modules(source)))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        runs: dict[ast.AST, tuple[Path, Path]] | None = None
        for cls in analysis.run.classes.values():
            if cls.home is not analysis.run.home:
                continue
            init = cls.attributes.get("__init__")
            if (
                not isinstance(init, Function)
                or init.owner is not cls
                or not isinstance(init.node, ast.FunctionDef)
            ):
                continue
            if (
                kind_of_class(cls) != "Module"
                or is_open(cls)
                or _is_remade(cls)
                or not analysis.is_whole(cls.node)
            ):
                continue
            if init.node in analysis.run.reached and not init.decorators:
                runs = _first_runs(analysis) if runs is None else runs
                yield from self._check_init(analysis, cls, init.node, runs.get(init.node, ([], [])))

    def _check_init(
        self, analysis: Analysis, cls: LocalClass, init: ast.FunctionDef, run: tuple[Path, Path]
    ) -> Iterator[Finding]:
        whole, path = run
        states = walk(whole, "raw", lambda event, state: _move(event, state, cls))
        for place in places(path):
            event = place.event
            if event.kind is Kind.REGISTER and _is_own(event.subject, cls) and states.get(event) == {"raw"}:
                yield from self._report(analysis, cls, init, place)
                return
        never_ready = not any(_move(event, "raw", cls) == "ready" for event in events(path))
        if never_ready and lookup(cls, "forward") is not None and not _mentions_init(init):
            name = Span(*_name_span(analysis, init))
            message = (
                f"`{cls.node.name}.__init__` never runs `super().__init__()`: "
                "calling the module raises AttributeError"
            )
            yield self.finding(message, name, fixes=_fixes(analysis, cls, init))

    def _report(
        self, analysis: Analysis, cls: LocalClass, init: ast.FunctionDef, place: Place
    ) -> Iterator[Finding]:
        """Speaks of what is set too early, unless the constructor of a base in another file does that."""
        event, shown = place.event, support.shown(analysis, place)
        if shown is None or not isinstance(event.node, ast.expr):
            return
        inner = next((step.callee for step in reversed(place.within) if isinstance(step, Call)), init)
        if _is_init(inner) and not analysis.owns(inner):
            return
        at = "" if analysis.owns(event.node) else f" {support.on_line(analysis, event.node)}"
        first = next((step.node for step in place.within if isinstance(step, Call)), event.node)
        called = any(support.line(node) < support.line(first) for node in _inits_called(init))
        needed = "nn.Module.__init__()" if called else "super().__init__()"
        message = (
            f"`{support.written(analysis, event.node)}` is set{at} before `{needed}` has run: "
            f"making a `{cls.node.name}` raises AttributeError"
        )
        fixes = () if called else _fixes(analysis, cls, init)
        yield self.finding(message, analysis.source.span(shown), fixes=fixes)


def _may_be_late(node: ast.ClassDef) -> bool:
    """Whether the `__init__` of a class does something before, or without, calling that of a base."""
    init = next((s for s in node.body if isinstance(s, ast.FunctionDef) and s.name == "__init__"), None)
    if init is None:
        return False
    for statement in init.body:
        match statement:
            case ast.Expr(value=ast.Constant()):
                continue
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="__init__"))):
                return False
        return True
    return True


def _is_remade(cls: LocalClass) -> bool:
    """Whether decorators, a metaclass or `__new__` may make objects of the class in another way."""
    return any(c.decorators or c.node.keywords or "__new__" in c.attributes for c in mro(cls))


def _first_runs(analysis: Analysis) -> dict[ast.AST, tuple[Path, Path]]:
    """For every `__init__`, what happens to the object until its first run ends, and what that run does.

    The object is made where the `__init__` of the class that derives from all others begins.
    """
    found: dict[ast.AST, tuple[Path, Path]] = {}
    for root in analysis.roots:
        _add_runs(analysis, root.path, (), found)
    return found


def _add_runs(
    analysis: Analysis, path: Path, inits: tuple[Call, ...], found: dict[ast.AST, tuple[Path, Path]]
) -> None:
    """Adds the runs below `path`, which lies in the calls `inits` of some `__init__`, outermost first."""
    for step in path:
        match step:
            case Branch(arms=arms):
                for arm in arms:
                    _add_runs(analysis, arm, inits, found)
            case Loop(body=body):
                _add_runs(analysis, body, inits, found)
            case Finally(body=body, final=final):
                _add_runs(analysis, [*body, *final], inits, found)
            case Call(callee=callee, body=body):
                function = analysis.run.functions.get(callee)
                if function is not None and function.owner is not None and _is_init(callee):
                    own = (call for call in (*inits, step) if _runs_for(analysis, call, function.owner))
                    found.setdefault(callee, ([next(own)], body))
                    _add_runs(analysis, body, (*inits, step), found)
                else:
                    _add_runs(analysis, body, inits, found)


def _is_init(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "__init__"


def _runs_for(analysis: Analysis, call: Call, cls: LocalClass) -> bool:
    """Whether `call` runs the `__init__` of `cls` or of a class that derives from it."""
    owner = analysis.run.functions[call.callee].owner
    return owner is not None and cls in mro(owner)


def _move(event: Event, state: str, cls: LocalClass) -> str:
    """An object of `cls` is "raw" from when it is made until its `nn.Module.__init__` may have run."""
    match event.kind:
        case Kind.RESET if _is_own(event.key, cls):
            return "raw"
        case Kind.RESET if isinstance(event.key, tuple) and event.key[1] == "__dict__":
            return "ready"  # it takes over what another object has registered
        case Kind.SUPER_INIT if not isinstance(event.subject, Instance) or _is_own(event.subject, cls):
            return "ready"
        case Kind.ESCAPE if _is_own(event.value, cls):
            return "ready"
        case Kind.HAVOC:
            return "ready"
        case _:
            return state


def _is_own(value: object, cls: LocalClass) -> bool:
    """Whether this is an object of `cls`."""
    return isinstance(value, Instance) and isinstance(value.cls, LocalClass) and cls in mro(value.cls)


def _mentions_init(init: ast.FunctionDef) -> bool:
    return any(_inits_called(init))


def _inits_called(init: ast.FunctionDef) -> Iterator[ast.Attribute]:
    """The constructors that one mentions: the bases' own may not get as far as that of `nn.Module`."""
    return (n for n in nodes_in(init) if isinstance(n, ast.Attribute) and n.attr == "__init__")


def _name_span(analysis: Analysis, init: ast.FunctionDef) -> tuple[int, int]:
    start = analysis.source.text.index(init.name, analysis.source.span(init).start)
    return start, start + len(init.name)


def _fixes(analysis: Analysis, cls: LocalClass, init: ast.FunctionDef) -> tuple[Fix, ...]:
    """Calls the base's constructor first; moves a call that comes too late."""
    if any(_needs_arguments(base) for base in list(mro(cls))[1:]):
        return ()
    body = init.body[1:] if ast.get_docstring(init) is not None else init.body
    late = [s for s in body if _is_plain_super_init(s)]
    if _mentions_init(init) and not late:
        return ()
    if not body or support.own_lines(analysis, body[0]) is None:
        return ()
    call = analysis.source.segment(analysis.source.span(late[0])) if late else "super().__init__()"
    above = support.insert_before(analysis, body[0], call)
    edits = [above] if above is not None else []
    for statement in late:
        lines = support.own_lines(analysis, statement)
        if lines is None:
            return ()
        edits.append(Edit(lines, ""))
    title = f"Move `{call}` to the top" if late else f"Call `{call}` first"
    return (Fix(title, tuple(edits), safe=True),) if above is not None else ()


def _needs_arguments(base: LocalClass) -> bool:
    init = base.attributes.get("__init__")
    if not isinstance(init, Function):
        return False
    args = init.node.args
    positional = [*args.posonlyargs, *args.args][1:]
    required = len(positional) - len(args.defaults)
    return required > 0 or any(default is None for default in args.kw_defaults)


def _is_plain_super_init(statement: ast.stmt) -> bool:
    """Whether it is `super().__init__()` or `super(Net, self).__init__()`: a call that can stand anywhere."""
    match statement:
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__"),
                args=[],
                keywords=[],
            )
        ):
            return True
        case _:
            return False
