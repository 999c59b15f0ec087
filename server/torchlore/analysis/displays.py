"""Lists, tuples, sets, dicts and comprehensions."""

from __future__ import annotations

import ast
from collections.abc import Callable

from torchlore.analysis import expressions, instances, targets
from torchlore.analysis.events import Kind
from torchlore.analysis.frames import Frame
from torchlore.analysis.queries import join, tokens_of
from torchlore.analysis.run import Run
from torchlore.analysis.values import Const, Container, Iterable, Unknown, Value


def sequence(run: Run, node: ast.List | ast.Tuple | ast.Set) -> Value:
    items: list[Value] | None = []
    loose: list[Value] = []
    for part in node.elts:
        if isinstance(part, ast.Starred):
            spread = expressions.evaluate(run, part.value)
            known = spread.items if isinstance(spread, Container) else None
            loose.append(targets.element(spread))
            items = [*items, *known] if items is not None and known is not None else None
        else:
            value = expressions.evaluate(run, part)
            loose.append(value)
            if items is not None:
                items.append(value)
    container = Container(type(node).__name__.lower(), items, join(loose) if loose else Unknown())
    run.emit(Kind.RESET, node, key=container)
    return container


def dictionary(run: Run, node: ast.Dict) -> Value:
    keyed: dict[object, Value] = {}
    loose: list[Value] = []
    whole = True
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        value = expressions.evaluate(run, value_node)
        if key_node is None:  # `**value`
            whole = _spread(value, keyed, loose) and whole
            continue
        loose.append(value)
        key = expressions.evaluate(run, key_node)
        if isinstance(key, Const):
            keyed[targets.hashable(key.value)] = value
        else:
            whole = False
    container = Container("dict", None, join(loose) if loose else Unknown(), keyed, whole)
    run.emit(Kind.RESET, node, key=container)
    return container


def _spread(value: Value, keyed: dict[object, Value], loose: list[Value]) -> bool:
    """Adds the items of a dict in a display to those before it; tells whether these are all known.

    An item that is not known may stand in the place of any one before.
    """
    if isinstance(value, Container) and value.kind == "dict":
        keyed.update(value.keyed)
        if value.whole:
            loose += value.keyed.values()
            return True
        loose.append(value.element)
        for key in keyed.keys() - value.keyed.keys():
            keyed[key] = join([keyed[key], value.element])
        return False
    keyed.clear()
    loose.append(Unknown(tokens_of(value)))
    return False


def comprehension(run: Run, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
    found: list[Value] = []

    def body(generators: list[ast.comprehension]) -> Callable[[], bool]:
        def go() -> bool:
            if generators:
                is_first = generators[0] is node.generators[0]
                over = first if is_first else _iterated(run, generators[0])
                _generator(run, generators[0], over, body(generators[1:]))
            else:
                found.append(
                    expressions.evaluate(run, node.value if isinstance(node, ast.DictComp) else node.elt)
                )
                if isinstance(node, ast.DictComp):
                    expressions.evaluate(run, node.key)
            return False

        return go

    outer = run.frame
    is_in_class = isinstance(outer.node, ast.ClassDef) and outer.parent is not None
    first = _iterated(run, node.generators[0])  # this alone is evaluated in the scope around it
    # A comprehension's variables are its own, and it does not see the names of a class body.
    run.frame = Frame(node, parent=outer.parent if is_in_class else outer)
    try:
        body(node.generators)()
    finally:
        run.frame = outer
    inner = join(found)
    if isinstance(node, ast.GeneratorExp):
        return Iterable(inner)
    kind = {ast.ListComp: "list", ast.SetComp: "set", ast.DictComp: "dict"}[type(node)]
    return Container(kind, None, inner)


def _iterated(run: Run, generator: ast.comprehension) -> Value:
    return instances.iterated(run, expressions.evaluate(run, generator.iter), generator.iter)


def _generator(run: Run, generator: ast.comprehension, iterated: Value, rest: Callable[[], bool]) -> None:
    def body() -> bool:
        targets.assign(run, generator.target, targets.element(iterated))
        for condition in generator.ifs:
            expressions.evaluate(run, condition)
        return rest()

    run.loop(generator.iter, body)
