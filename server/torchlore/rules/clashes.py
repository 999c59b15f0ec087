"""What rules about shapes share: which clashes are told, where, and edits of what is written there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from torchlore.analysis import Analysis
from torchlore.analysis.events import Call, Event, Kind, Place
from torchlore.analysis.names import words
from torchlore.analysis.queries import options
from torchlore.analysis.shapes.shape import Clash
from torchlore.analysis.values import Instance, Ref
from torchlore.rules import support
from torchlore.text import Edit
from torchlore.text.nodes import nodes_in


@dataclass(frozen=True, slots=True)
class Found:
    """Shapes that do not fit, at a node of this file."""

    event: Event
    clash: Clash
    node: ast.expr


def clashes(analysis: Analysis, *kinds: str) -> Iterator[Found]:
    """The clashes of these kinds that are certain to happen, and that nobody waits for."""
    for root in analysis.roots if analysis.run.clashes else ():
        for place in root.places_of(Kind.CLASH):
            event = place.event
            clash, node = event.key, event.node
            if not isinstance(clash, Clash) or clash.what not in kinds or not isinstance(node, ast.expr):
                continue
            if analysis.owns(node) and _is_meant(analysis, place):
                yield Found(event, clash, node)


def _is_meant(analysis: Analysis, place: Place) -> bool:
    """Whether a clash is a mistake: it happens, is not caught, and nothing around it failed to parse."""
    event = place.event
    if isinstance(event.value, Instance) and _may_be_a_list(analysis, event.value):
        return False
    calls = [step.node for step in place.within if isinstance(step, Call) and analysis.owns(step.node)]
    if any(_is_caught(analysis, node) for node in (event.node, *calls)):
        return False
    if any(_is_near_broken(analysis, node) for node in (event.node, *calls)):
        return False
    return support.is_seen_whole(analysis, place, event.node)


def _is_near_broken(analysis: Analysis, node: ast.AST) -> bool:
    """Whether a line of the function around `node` does not parse: it may be the `try` around it."""
    blanked = analysis.source.parsed.blanked
    if not blanked:
        return False
    functions = [outer for outer in analysis.around(node) or () if isinstance(outer, ast.FunctionDef)]
    if not functions:
        return True
    return not blanked.isdisjoint(range(functions[0].lineno - 1, functions[0].end_lineno or 0))


def _is_caught(analysis: Analysis, node: ast.AST) -> bool:
    """Whether somebody is prepared for an error: `try`, `pytest.raises`, `contextlib.suppress`."""
    around = (*(analysis.around(node) or ()), node)
    for outer, inner in pairwise(around):
        match outer:
            case ast.Try(body=body, handlers=handlers) if handlers and inner in body:
                return True
            case ast.With(items=items) if any(_suppresses(item.context_expr) for item in items):
                return True
    outermost = next((outer for outer in around if isinstance(outer, ast.FunctionDef)), None)
    return outermost is not None and _expects_errors(analysis, outermost)


def _suppresses(manager: ast.expr) -> bool:
    called = manager.func if isinstance(manager, ast.Call) else manager
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name == "suppress" or _RAISES.search(name) is not None


def _expects_errors(analysis: Analysis, function: ast.FunctionDef) -> bool:
    """Whether a test speaks of errors: it may hand what raises, as a function, to what waits for that."""
    span = analysis.source.span(function)
    return _RAISES.search(analysis.source.text, span.start, span.end) is not None


_RAISES = re.compile(r"raises\b|[a-z]Raises", re.ASCII)
"""`pytest.raises`, `assertRaises`, `assertRaisesRegex`."""


def _may_be_a_list(analysis: Analysis, sequence: Instance) -> bool:
    """Whether a sequence that nobody called yet may be there to hold layers, and no more."""
    return bool(analysis.source.parsed.blanked) or _is_taken_apart(analysis, sequence)


def _is_taken_apart(analysis: Analysis, sequence: Instance) -> bool:
    """Whether the layers of a sequence are also reached one by one: it may be no more than a list of them."""
    for node in nodes_in(analysis.source.tree):
        match node:
            case ast.Subscript(value=held) | ast.For(iter=held) | ast.comprehension(iter=held):
                looked_at = [held]
            case ast.Starred(value=held) | ast.Attribute(value=held, attr="_modules"):
                looked_at = [held]
            case ast.Call(func=ast.Attribute(value=held, attr=attr)) if attr in _TAKES_APART:
                looked_at = [held]
            case ast.Call(func=ast.Name(), args=[_, *_] as given):
                looked_at = given if _is_of_builtins(analysis, node) else []
            case _:
                continue
        if any(_may_be(analysis, held, sequence) for held in looked_at):
            return True
    return False


_TAKES_APART = words(
    """
    children named_children modules named_modules get_submodule __getitem__ insert pop add_module
    register_module
    """
)
"""Methods that give the layers of a sequence one by one, or change which these are."""


def _is_of_builtins(analysis: Analysis, call: ast.Call) -> bool:
    called = analysis.run.values.get(call.func)
    return isinstance(called, Ref) and called.name.startswith("builtins.")


def _may_be(analysis: Analysis, node: ast.expr, sequence: Instance) -> bool:
    value = analysis.run.values.get(node)
    return value is not None and any(option is sequence for option in options(value))


def shown_at(node: ast.expr) -> ast.expr:
    """Where a clash is underlined: of `self.fc(torch.relu(…))` what is called."""
    is_layer_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
    return node.func if is_layer_call and isinstance(node, ast.Call) else node


def short(text: str) -> str:
    """Code for a message, on one line of bearable length."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


_LONGEST = 40


def new_size(analysis: Analysis, node: ast.expr | None, old: int, new: int) -> Edit | None:
    """Writes another size where `old` is written out; None where that is not so."""
    if not isinstance(node, ast.Constant) or node.value != old or not analysis.owns(node):
        return None
    return Edit(analysis.source.span(node), str(new))
