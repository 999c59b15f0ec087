"""What several rules need: how modules and optimizers relate, and where a line can be put."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from torchlore.analysis import Analysis, parameters
from torchlore.analysis.automata import walk
from torchlore.analysis.events import Call, Event, Kind, Loop, Place, Root
from torchlore.analysis.members import kind_of
from torchlore.analysis.queries import holds, options, reachable
from torchlore.analysis.values import Instance, Tensor, Unknown, Value
from torchlore.rules.model import Related
from torchlore.text import Edit, Span
from torchlore.text.nodes import blocks


def optimizers_stepped(root: Root) -> list[Instance]:
    """The optimizers that are stepped somewhere below `root`, each once."""
    stepped = [event.subject for event in root.of(Kind.STEP) if is_optimizer(event.subject)]
    return list(dict.fromkeys(s for s in stepped if isinstance(s, Instance)))


def is_optimizer(value: Value | None) -> bool:
    return isinstance(value, Instance) and kind_of(value) == "Optimizer"


def owners(optimizer: Instance) -> frozenset[Value] | None:
    """The modules whose parameters an optimizer updates; None where they are not all known."""
    given = optimizer.arguments.get(0, "params") if optimizer.arguments is not None else None
    return parameters.owners(given) if given is not None else None


def may_clear(event: Event, optimizer: Instance) -> bool:
    """Whether a CLEAR event may reach the gradients of `optimizer`."""
    if event.subject is None or event.subject is optimizer:
        return True
    if is_optimizer(event.subject):
        other = owners(event.subject) if isinstance(event.subject, Instance) else None
        mine = owners(optimizer)
        return other is None or mine is None or any(_related(a, b) for a in other for b in mine)
    mine = owners(optimizer)
    return mine is None or any(_related(event.subject, owner) for owner in mine)


def surely_clears(event: Event, optimizer: Instance) -> bool:
    """Whether a CLEAR event clears all gradients of `optimizer`."""
    if event.subject is optimizer:
        return True
    mine = owners(optimizer)
    return mine is not None and event.subject is not None and mine == {event.subject}


def _related(a: Value, b: Value) -> bool:
    """Whether one is or holds the other. Of modules that are not known nothing can be ruled out."""
    if isinstance(a, Unknown) or isinstance(b, Unknown):
        return True
    return holds(a, b) or holds(b, a)


def holds_on_to(event: Event, optimizer: Instance) -> bool:
    """Whether code that we cannot see got hold of the optimizer or of what it updates."""
    if event.kind is Kind.HAVOC:
        return True
    if event.kind is not Kind.ESCAPE or event.value is None:
        return False
    mine = owners(optimizer) or frozenset()
    return any(part is optimizer or part in mine for part in reachable(event.value))


def is_held(root: Root, value: Value) -> bool:
    """Whether code that we cannot see has a thing, and may do with it what is not done here."""
    return any(holds(event.value, value) for event in root.of(Kind.ESCAPE))


def is_surely_tensor(value: Value | None) -> bool:
    """Whether a value is a tensor, whatever way leads there, and not by convention only."""
    return value is not None and all(isinstance(one, Tensor) and one.certain for one in options(value))


def is_seen_whole(analysis: Analysis, place: Place, *nodes: ast.AST | None) -> bool:
    """Whether nothing in the loops and functions around `place`, or between `nodes`, failed to parse."""
    around = [step.callee if isinstance(step, Call) else step.node for step in place.within]
    lines = [line(node) - 1 for node in nodes if node is not None and analysis.owns(node)]
    between = range(min(lines), max(lines) + 1) if lines else range(0)
    return analysis.source.parsed.blanked.isdisjoint(between) and all(map(analysis.is_whole, around))


def repeats(loop: Loop, event: Event) -> bool:
    """Whether `event` can happen in more than one iteration of `loop` (a `break` may follow the first)."""
    states = walk([loop], False, lambda other, happened: happened or other is event)
    return True in states.get(event, ())


def written(analysis: Analysis, node: ast.expr) -> str:
    """`node` as it stands in its file, on one line."""
    source = analysis.source_of(node)
    return " ".join(source.segment(source.span(node)).split())


def is_name(node: ast.expr) -> bool:
    """Whether it is a name, or an attribute of one, of attributes: what can be written a second time."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def on_line(analysis: Analysis, node: ast.AST) -> str:
    """Where a node is, in words: "on line 7", "on line 7 of optimizers.py"."""
    if analysis.owns(node):
        return f"on line {line(node)}"
    return f"on line {line(node)} of {PurePath(analysis.source_of(node).path).name}"


def shown(analysis: Analysis, place: Place) -> ast.expr | ast.stmt | None:
    """Where in this file to speak of an event: at its node, or at the call that leads to another file."""
    calls = (step.node for step in reversed(place.within) if isinstance(step, Call))
    own = (node for node in (place.event.node, *calls) if analysis.owns(node))
    return next((node for node in own if isinstance(node, ast.expr | ast.stmt)), None)


def brings_together(
    analysis: Analysis, call: ast.AST | None, value: Value, made: ast.AST | None, used: ast.AST
) -> bool:
    """Whether it is this file that gives `value`, or what holds it, to the file in which it is misused.

    Args:
        analysis: of this file.
        call: what leads to the other file from here.
        value: what is misused there.
        made: where it was made. If that is in the other file too, the mistake can be told of there.
        used: where it is misused.
    """
    if not isinstance(call, ast.Call):
        return False
    if not any(holds(given, value) for given in handed_over(analysis, call)):
        return False
    return made is None or analysis.source_of(made) is not analysis.source_of(used)


def expects_an_error(analysis: Analysis, node: ast.AST) -> bool:
    """Whether what `node` raises is waited for: in a `try` that handles it, or by a test that wants it.

    A block that does not parse may be either.
    """
    if not analysis.is_whole(node):
        return True
    inner: ast.AST = node
    for outer in reversed(analysis.around(node) or ()):
        if isinstance(outer, ast.Try) and outer.handlers and inner in outer.body:
            return True
        if isinstance(outer, ast.With | ast.AsyncWith) and any(map(_wants_an_error, outer.items)):
            return True
        inner = outer
    return False


def _wants_an_error(item: ast.withitem) -> bool:
    """`with pytest.raises(…)`, `with self.assertRaisesRegex(…)`, `with suppress(…)`."""
    called = item.context_expr.func if isinstance(item.context_expr, ast.Call) else None
    name: str = getattr(called, "attr", "") or getattr(called, "id", "")
    return name in ("raises", "suppress") or name.startswith("assertRaises")


def handed_over(analysis: Analysis, call: ast.Call) -> Iterator[Value]:
    """What a call gives to the function that it calls: arguments, and what that is a method of."""
    called_on = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    for node in (*call.args, *(keyword.value for keyword in call.keywords), called_on):
        value = analysis.run.values.get(node)
        if value is not None:
            yield value


def related(analysis: Analysis, node: ast.expr, message: str) -> tuple[Related, ...]:
    """What a finding says about another place of this file; nothing where that is in another one."""
    return (Related(analysis.source.span(node), message),) if analysis.owns(node) else ()


def receiver(analysis: Analysis, call: ast.AST) -> str:
    """What a method is called on, as written: `self.optimizer` in `self.optimizer.step()`."""
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        return written(analysis, call.func.value)
    return ""


def parent(analysis: Analysis, node: ast.AST) -> ast.AST | None:
    """The node that `node` stands in; None where it is not of this file."""
    return (analysis.around(node) or (None,))[-1]


def statement_of(analysis: Analysis, node: ast.AST) -> ast.stmt | None:
    """The innermost statement that `node` lies in."""
    found = reversed((*(analysis.around(node) or ()), node))
    return next((outer for outer in found if isinstance(outer, ast.stmt)), None)


def block_of(analysis: Analysis, statement: ast.stmt) -> list[ast.stmt]:
    """The statements among which `statement` stands."""
    return next((block for block in blocks(parent(analysis, statement)) if statement in block), [])


def bracketed(analysis: Analysis, node: ast.expr) -> str:
    """`node` as it is written, in parentheses where something behind it would bind more closely."""
    text = analysis.source.segment(analysis.source.span(node))
    return text if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript) else f"({text})"


def followed_by(analysis: Analysis, node: ast.expr, suffix: str) -> Edit:
    """Puts `.detach()`, or whatever `suffix` is, behind an expression."""
    return Edit(analysis.source.span(node), f"{bracketed(analysis, node)}{suffix}")


def wrapped(
    analysis: Analysis, node: ast.expr | ast.stmt, before: str, after: str = ")"
) -> tuple[Edit, Edit]:
    """Puts something before and behind a node: `torch.stack(` and `)`."""
    span = analysis.source.span(node)
    return Edit(Span(span.start, span.start), before), Edit(Span(span.end, span.end), after)


def own_lines(analysis: Analysis, statement: ast.stmt) -> Span | None:
    """The whole lines of a statement, line end included; None where it shares them with other code."""
    source = analysis.source
    span = source.span(statement)
    first = source.lines.start(statement.lineno - 1)
    last = (statement.end_lineno or statement.lineno) - 1
    before = source.text[first : span.start]
    after = source.text[span.end : source.lines.end(last)].strip()
    if before.strip() or (after and not after.startswith("#")):
        return None
    return Span(first, source.lines.start(last + 1))


def insert_before(analysis: Analysis, statement: ast.stmt, *code: str) -> Edit | None:
    """Puts lines of code above `statement`, indented as it is; None where that is not possible."""
    lines = own_lines(analysis, statement)
    if lines is None:
        return None
    return Edit(
        Span(lines.start, lines.start), f"{_block(analysis, statement, code)}{analysis.source.newline}"
    )


def insert_after(analysis: Analysis, statement: ast.stmt, *code: str) -> Edit | None:
    """Puts lines of code below `statement`, indented as it is; None where that is not possible."""
    lines = own_lines(analysis, statement)
    if lines is None:
        return None
    text, newline = _block(analysis, statement, code), analysis.source.newline
    ends_line = analysis.source.text[lines.end - 1 : lines.end] in ("\n", "\r")
    return Edit(Span(lines.end, lines.end), f"{text}{newline}" if ends_line else f"{newline}{text}")


def _block(analysis: Analysis, statement: ast.stmt, code: Sequence[str]) -> str:
    indent = analysis.source.indent(statement.lineno - 1)
    return analysis.source.newline.join(f"{indent}{line}" if line else "" for line in code)


def code_of_line(analysis: Analysis, node: ast.AST) -> Span:
    """The line that a node begins on, its indentation left out."""
    span = analysis.source.line_span(line(node) - 1)
    return Span(span.start + len(analysis.source.indent(line(node) - 1)), span.end)


def line(node: ast.AST) -> int:
    """The 1-based line of a node."""
    return getattr(node, "lineno", 1)
