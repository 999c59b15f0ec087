"""TL620: the weights of a compiled module are saved under names that the module itself does not know."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.members import kind_of
from torchlore.analysis.values import Instance
from torchlore.rules import bindings, support
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source, Span
from torchlore.text.nodes import nodes_in


class CompiledStateDict(Rule):
    """
    ## What it does

    Looks for `state_dict()` of what `torch.compile(model)` gave, saved, or loaded into a model that is not
    compiled.

    ## Why is this bad?

    `torch.compile(model)` gives another module that holds the model as `_orig_mod`, so that every key of its
    state dict begins with `_orig_mod.`. Loading them into the model itself raises RuntimeError, and with
    `strict=False` loads nothing at all.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    compiled = torch.compile(model)
    print(compiled(torch.randn(8, 4)))
    torch.save(compiled.state_dict(), "model.pt")

    fresh = torch.nn.Linear(4, 1)
    fresh.load_state_dict(torch.load("model.pt"))
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    compiled = torch.compile(model)
    print(compiled(torch.randn(8, 4)))
    torch.save(model.state_dict(), "model.pt")

    fresh = torch.nn.Linear(4, 1)
    fresh.load_state_dict(torch.load("model.pt"))
    ```

    ## Fix safety

    Unsafe: the names in files change, and files that were saved before do not fit any more. Where the model
    has kept a name of its own, that one is asked for its weights, which are the same; else it is compiled in
    place by `model.compile()`, or asked for as `_orig_mod`.

    ## Known limits

    An *error* only where the same file loads them into a module that is not compiled; where they are only
    saved, it is an *information*: who loads them may compile first. Silent in files that mention `_orig_mod`,
    and where the compiled module is handed on under another name before it is saved.

    ## References

    - [torch.compile](https://docs.pytorch.org/docs/stable/generated/torch.compile.html)
    - [torch.nn.Module.compile](https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.compile)
    """

    code = "TL620"
    name = "compiled-state-dict"
    family = Family.DEVICES
    severity = Severity.ERROR
    since = "0.1.0"
    card = "torch-compile"
    trigger = r"\bstate_dict\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return "compile(" in source.text and "_orig_mod" not in source.text

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if analysis.source.parsed.blanked:
            return  # what is being typed may take the prefix off
        compiled = list(_compiled(analysis))
        for call in analysis.called("Module.state_dict") if compiled else ():
            made = next((one for one in compiled if _is_of(analysis, call, one)), None)
            if made is not None and analysis.is_whole(made.statement):
                yield from self._check(analysis, call, made, compiled)

    def _check(
        self, analysis: Analysis, call: Called, made: _Compiled, compiled: list[_Compiled]
    ) -> Iterator[Finding]:
        name = support.written(analysis, call.node.func.value)  # type: ignore[attr-defined]
        loading = _loaded(analysis, call, compiled)
        saving = _saved(analysis, call)
        if loading is None and saving is None:
            return
        where = support.on_line(analysis, made.statement)
        if loading is not None:
            severity = Severity.ERROR if made.is_certain else Severity.WARNING
            harm = (
                f"`{support.written(analysis, loading.func)}` {support.on_line(analysis, loading)} knows none"
            )
        else:
            severity = Severity.INFORMATION
            harm = "only a module that is compiled too can load them"
        message = (
            f"`{name}` is what `torch.compile` gave {where}: "
            f"all keys of its state dict begin with `_orig_mod.`, and {harm}"
        )
        related = support.related(analysis, made.call, "compiled here")
        if loading is not None:
            related = (*related, *support.related(analysis, loading, "loaded here"))
        span = analysis.source.span(call.node)
        fixes = tuple(_fixes(analysis, call, made))
        yield self.finding(message, span, fixes=fixes, related=related, severity=severity)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """`target = torch.compile(model)`, where that is a statement.

    Attributes:
        module: what is compiled.
        scope: where the name that it is bound to means that: a function, or the class for an attribute.
        is_certain: no branch leads around it.
    """

    call: ast.Call
    statement: ast.Assign
    target: str
    module: Instance
    scope: ast.AST
    is_certain: bool


def _compiled(analysis: Analysis) -> Iterator[_Compiled]:
    calls = {call.node: call for call in analysis.called("torch.compile")}
    for statement in analysis.source.every(ast.Assign) if calls else ():
        call = calls.get(statement.value)  # type: ignore[call-overload]
        if call is None or len(statement.targets) != 1 or not call.is_complete:
            continue
        target, module = statement.targets[0], call.value(0, "model")
        if not isinstance(module, Instance) or kind_of(module) != "Module" or "disable" in _keywords(call):
            continue
        around = analysis.around(statement) or ()
        scope = _scope(around, ast.ClassDef if isinstance(target, ast.Attribute) else _FUNCTION)
        if isinstance(target, ast.Name | ast.Attribute) and scope is not None:
            is_certain = not any(map(_is_branch, around[around.index(scope) :]))
            written = support.written(analysis, target)
            yield _Compiled(call.node, statement, written, module, scope, is_certain)


_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Module)


def _is_branch(node: ast.AST) -> bool:
    """Whether a statement may pass what stands in it by; `if __name__ == "__main__"` counts for none."""
    if isinstance(node, ast.If):
        return not any(isinstance(n, ast.Name) and n.id == "__name__" for n in nodes_in(node.test))
    return isinstance(node, ast.Try | ast.For | ast.While | ast.Match)


def _scope(around: tuple[ast.AST, ...], kinds: type[ast.AST] | tuple[type[ast.AST], ...]) -> ast.AST | None:
    return next((node for node in reversed(around) if isinstance(node, kinds)), None)


def _keywords(call: Called) -> set[str | None]:
    return {keyword.arg for keyword in call.node.keywords}


def _is_of(analysis: Analysis, call: Called, made: _Compiled) -> bool:
    """Whether a method is called on what was compiled there, by the name that it was given."""
    node = call.node
    if call.receiver is not made.module or not isinstance(node.func, ast.Attribute):
        return False
    return _means(analysis, node.func.value, made)


def _means(analysis: Analysis, node: ast.expr, made: _Compiled) -> bool:
    """Whether an expression is the compiled module: its name, where nothing else has got that name since."""
    if not isinstance(node, ast.Name | ast.Attribute) or support.written(analysis, node) != made.target:
        return False
    around = analysis.around(node) or ()
    if made.scope not in around:
        return False
    if isinstance(node, ast.Attribute):
        return _is_set_once(analysis, made)
    inner = _scope(around, _FUNCTION)
    is_read_later = inner is made.scope and _place(node) > _place(made.call)
    is_global = inner is not made.scope and isinstance(made.scope, ast.Module)
    return (is_read_later or is_global) and _is_set_once(analysis, made)


def _is_set_once(analysis: Analysis, made: _Compiled) -> bool:
    """Whether nothing is bound to the name after the module was compiled."""
    for node in nodes_in(made.scope):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            is_later = _place(node) > _place(made.call)
            if is_later and support.written(analysis, node) == made.target:
                return False
    return True


def _place(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _saved(analysis: Analysis, call: Called) -> Called | None:
    """The `torch.save` that a state dict is given to, itself, in a dict or by the name of one."""
    for save in analysis.called("torch.save"):
        given = save.argument(0, "obj")
        if given is not None and call.node in _comes_of(analysis, given):
            return save
    return None


def _loaded(analysis: Analysis, call: Called, compiled: list[_Compiled]) -> ast.Call | None:
    """The `load_state_dict` by which a module that is not compiled gets them, at once or from a file."""
    saved = _saved(analysis, call)
    for load in analysis.called("Module.load_state_dict"):
        node, given = load.node, load.argument(0, "state_dict")
        if given is None or not isinstance(node.func, ast.Attribute):
            continue
        loaded = node.func.value
        if any(_means(analysis, loaded, made) for made in compiled):
            continue
        parts = _comes_of(analysis, given)
        files = (read for read in analysis.called("torch.load") if read.node in parts)
        if call.node in parts or (saved is not None and any(_reads(analysis, f, saved) for f in files)):
            return node
    return None


def _comes_of(analysis: Analysis, given: ast.expr) -> set[ast.AST]:
    """The expressions in one that is written, and in what the names in it were assigned."""
    found = set(nodes_in(given))
    for name in [node for node in found if isinstance(node, ast.Name)]:
        for value in bindings.values_of(analysis, name) or ():
            found.update(nodes_in(value))
    return found


def _reads(analysis: Analysis, read: Called, saved: Called) -> bool:
    """Whether the file that is read is the one that is saved: one literal, or one name in one function."""
    literal = saved.literal(1, "f")
    if isinstance(literal, str):
        return read.literal(0, "f") == literal
    written, asked = saved.argument(1, "f"), read.argument(0, "f")
    if (
        written is None
        or asked is None
        or support.written(analysis, written) != support.written(analysis, asked)
    ):
        return False
    kinds = ast.ClassDef if isinstance(written, ast.Attribute) else _FUNCTION
    places = [_scope(analysis.around(node) or (), kinds) for node in (written, asked)]
    return places[0] is not None and places[0] is places[1]


def _fixes(analysis: Analysis, call: Called, made: _Compiled) -> Iterator[Fix]:
    source, span = analysis.source, analysis.source.span(call.node.func.value)  # type: ignore[attr-defined]
    given = made.call.args[0] if made.call.args else None
    own = support.written(analysis, given) if isinstance(given, ast.Name | ast.Attribute) else ""
    if own and own != made.target:
        yield Fix(f"Save the weights of `{own}`, which are the same", (Edit(span, own),), safe=False)
        return
    if own:
        others: list[ast.expr | ast.keyword] = [*made.call.args[1:], *made.call.keywords]
        end = min((source.span(other).start for other in others), default=source.span(made.call).end - 1)
        edit = Edit(Span(source.span(made.statement).start, end), f"{own}.compile(")
        yield Fix(f"Compile in place: `{own}.compile()`", (edit,), safe=False)
    edit = Edit(Span(span.end, span.end), "._orig_mod")
    yield Fix(f"Save the weights of `{made.target}._orig_mod`", (edit,), safe=False)
