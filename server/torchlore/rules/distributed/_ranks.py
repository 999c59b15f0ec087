"""Whether code may run on some ranks only. Doubt counts: a rule speaks where all ranks surely come by."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from torchlore.analysis import Analysis, members
from torchlore.analysis.queries import options
from torchlore.analysis.values import Const, Function, Instance, LocalClass, Number, Ref, Tensor, Value
from torchlore.text.nodes import blocks, nodes_in

_WORDS = re.compile(
    r"rank|main|master|primary|leader|chief|coordinator|local|node|proc|gpu|device|dist|world|first|zero|root"
    r"|writer|logger|host|worker|cuda|env",
    re.I,
)
"""What names speak of that are different on each rank. They keep rules silent and never make a finding."""

_PLAIN: tuple[type[Value], ...] = (Number, Const, Tensor)
KNOWN: tuple[type[Value], ...] = (*_PLAIN, Instance)

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def every_rank_passes(analysis: Analysis, node: ast.AST, depth: int = 4) -> bool:
    """Whether all ranks surely come by `node`: nothing around it, or around who calls it, may ask for one.

    A function counts only where the file shows who calls it, up to the top level, or who starts it as a
    process (`spawn`).
    """
    outer = analysis.around(node)
    if outer is None or not depth or _is_guarded(analysis, [*outer, node]):
        return False
    function = next((part for part in reversed(outer) if isinstance(part, _FUNCTIONS)), None)
    if function is None:
        return True
    if isinstance(function, ast.Lambda) or function.decorator_list:
        return False
    if is_started(analysis, function):
        return True
    return any(every_rank_passes(analysis, call, depth - 1) for call in callers(analysis, function))


def callers(analysis: Analysis, function: ast.AST) -> Iterator[ast.Call]:
    """The calls in this file of a function of it, and of nothing else."""
    for call in analysis.run.calls:
        callee = analysis.run.values.get(call.func)
        found = options(callee) if callee is not None else ()
        if found and all(isinstance(one, Function) and one.node is function for one in found):
            yield call


def is_started(analysis: Analysis, function: ast.AST) -> bool:
    """Whether a function is what processes are started with: `mp.spawn(main, nprocs=4)`."""
    for call in analysis.called(*_SPAWNS):
        target = call.value(0, "fn") or call.value(-1, "target")
        if isinstance(target, Function) and target.node is function:
            return True
    return False


_SPAWNS = (
    "torch.multiprocessing.spawn",
    "torch.multiprocessing.Process",
    "torch.multiprocessing.start_processes",
    "multiprocessing.Process",
)


def _is_guarded(analysis: Analysis, inside: Sequence[ast.AST]) -> bool:
    """Whether something within the same function decides whether the last of `inside` is come by."""
    for index in range(len(inside) - 2, -1, -1):
        outer, inner = inside[index], inside[index + 1]
        if any(may_tell_ranks(analysis, test) for test in _tests(outer, inner)):
            return True
        for block in blocks(outer):
            if inner in block and any(_leaves(analysis, before) for before in block[: block.index(inner)]):
                return True
        if isinstance(outer, _FUNCTIONS):
            break
    return False


def _tests(outer: ast.AST, inner: ast.AST) -> Iterator[ast.expr]:
    """What decides whether `inner` is come by."""
    match outer:
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            if inner is not test and not _is_main(test):
                yield test
        case ast.BoolOp(values=values):
            yield from values
        case ast.With(items=items) | ast.AsyncWith(items=items):
            yield from (item.context_expr for item in items)
        case ast.Match(subject=subject):
            yield subject
        case ast.comprehension(ifs=tests):
            yield from tests


def _is_main(test: ast.expr) -> bool:
    """`__name__ == "__main__"`."""
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _leaves(analysis: Analysis, statement: ast.stmt) -> bool:
    """Whether some ranks may leave at a statement: `if rank != 0: return`, `assert rank == 0`."""
    if isinstance(statement, _DEFINITIONS):
        return False
    if isinstance(statement, ast.Assert):
        return may_tell_ranks(analysis, statement.test)
    asked = (node for node in nodes_in(statement) if isinstance(node, ast.If))
    return any(_has_jump(branch) and may_tell_ranks(analysis, branch.test) for branch in asked)


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_JUMPS = (ast.Return, ast.Continue, ast.Break, ast.Raise)


def _has_jump(branch: ast.If) -> bool:
    return any(isinstance(node, _JUMPS) or _exits(node) for node in nodes_in(branch))


def _exits(node: ast.AST) -> bool:
    name = getattr(node, "attr", getattr(node, "id", ""))
    return name in ("exit", "_exit", "quit")


def may_tell_ranks(
    analysis: Analysis,
    test: ast.expr,
    holders: tuple[type[Value], ...] = KNOWN,
    seen: frozenset[str] = frozenset(),
) -> bool:
    """Whether what an expression gives may differ from rank to rank.

    Args:
        analysis: of the file.
        test: the expression.
        holders: what a parameter has to be that an attribute is asked of (`args.path`).
        seen: names that are asked already.
    """
    source = analysis.source
    if _WORDS.search(source.segment(source.span(test))):
        return True
    for node in nodes_in(test):
        if isinstance(node, ast.Call) and not _is_alike(analysis, node):
            return True
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            name = node.id if isinstance(node, ast.Name) else node.attr
            bound = _bound_to(analysis, name) if name not in seen else ()
            if any(may_tell_ranks(analysis, value, holders, seen | {name}) for value in bound):
                return True
    asked = {node.value for node in nodes_in(test) if isinstance(node, ast.Attribute)}
    names = (node for node in nodes_in(test) if isinstance(node, ast.Name))
    return any(_is_unknown_parameter(analysis, name, holders if name in asked else _PLAIN) for name in names)


def _is_alike(analysis: Analysis, call: ast.Call) -> bool:
    """Whether a call gives the same on each rank: what does not ask for the rank, nor for chance."""
    callee = analysis.value(call.func)
    if isinstance(callee, Ref):
        return callee.name.startswith(_ALIKE) and "rand" not in callee.name
    if isinstance(callee, LocalClass):
        parts = [(analysis.source_of(part.node), part.node) for part in members.mro(callee)]
        return not any(_ASKING.search(source.segment(source.span(node))) for source, node in parts)
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("format", "join", "parse_args")


_ALIKE = ("builtins.", "math.", "os.path.", "pathlib.", "torch.", "torchvision.")

_ASKING = re.compile(r"rank|world|shard|rand|worker|distributed|\bdist\b|environ|split", re.I)
"""Words of a class whose objects may hold something else on each rank."""


def _bound_to(analysis: Analysis, name: str) -> Iterator[ast.expr]:
    """What is bound to a variable or an attribute of this name, anywhere in the file."""
    for statement in analysis.source.every(ast.Assign):
        if any(name == getattr(target, "attr", getattr(target, "id", None)) for target in statement.targets):
            yield statement.value


def _is_unknown_parameter(analysis: Analysis, node: ast.Name, known: tuple[type[Value], ...]) -> bool:
    """Whether a variable is a parameter, of which the callers do not show that it is one of the `known`."""
    for outer in reversed(analysis.around(node) or ()):
        if isinstance(outer, _FUNCTIONS):
            parameters = {arg.arg for arg in nodes_in(outer.args) if isinstance(arg, ast.arg)}
            if node.id in parameters:
                values = options(analysis.value(node))
                return not all(isinstance(value, known) for value in values)
    return False
