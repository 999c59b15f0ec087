"""Lists, tuples, sets, dicts and comprehensions."""

from __future__ import annotations

import ast

from torchlore.analysis import expressions, instances, loops, targets, unpacking
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
            loose.append(unpacking.element(spread))
            items = [*items, *known] if items is not None and known is not None else None
        else:
            value = expressions.evaluate(run, part)
            loose.append(value)
            if items is not None:
                items.append(value)
    container = Container(_KINDS[node.__class__], items, loose)
    run.emit(Kind.RESET, node, key=container)
    return container


_KINDS: dict[type[ast.expr], str] = {ast.List: "list", ast.Tuple: "tuple", ast.Set: "set"}


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
    container = Container("dict", None, loose, keyed, whole)
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


_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def comprehension(run: Run, node: _Comprehension) -> Value:
    outer = run.frame
    is_in_class = isinstance(outer.node, ast.ClassDef) and outer.parent is not None
    first = _iterated(run, node.generators[0])  # this alone is evaluated in the scope around it
    found: list[Value] = []
    # A comprehension's variables are its own, and it does not see the names of a class body.
    run.frame = Frame(node, parent=outer.parent if is_in_class else outer)
    try:
        _generate(run, node, 0, first, found)
    finally:
        run.frame = outer
    inner = join(found)
    if isinstance(node, ast.GeneratorExp):
        return Iterable(inner)
    kind = {ast.ListComp: "list", ast.SetComp: "set", ast.DictComp: "dict"}[type(node)]
    return Container(kind, None, inner)


def _generate(run: Run, node: _Comprehension, level: int, iterated: Value, found: list[Value]) -> None:
    """One `for` of a comprehension, those in it included. What the items are is added to `found`."""
    generator = node.generators[level]

    def body() -> bool:
        targets.assign(run, generator.target, unpacking.element(iterated))
        for condition in generator.ifs:
            expressions.evaluate(run, condition)
        if level + 1 < len(node.generators):
            _generate(run, node, level + 1, _iterated(run, node.generators[level + 1]), found)
            return False
        found.append(expressions.evaluate(run, node.value if isinstance(node, ast.DictComp) else node.elt))
        if isinstance(node, ast.DictComp):
            expressions.evaluate(run, node.key)
        return False

    loops.loop(run, generator.iter, body)


def _iterated(run: Run, generator: ast.comprehension) -> Value:
    return instances.iterated(run, expressions.evaluate(run, generator.iter), generator.iter)
