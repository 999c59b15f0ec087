"""TL506: the top level of a file starts the workers of a loader."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.events import Branch, Call, Finally, Loop, Path
from torchlore.rules import support
from torchlore.rules.data import _loaders
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Notebook, Source, Span


class WorkersWithoutMainGuard(Rule):
    """
    ## What it does

    Looks for loops over a `DataLoader` with workers that run at the top level of a file, outside of
    `if __name__ == "__main__":`.

    ## Why is this bad?

    A worker that is spawned begins with the file of the program: without the guard it comes to the same
    loop and would start workers itself. Python forbids that, and both raise a `RuntimeError`. Processes are
    spawned on Windows and macOS, and run the file anew on Linux as well from Python 3.14 on.

    ## Example

    ```py
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(torch.arange(8.0)), batch_size=4, num_workers=2)
    for (x,) in loader:
        print(x.sum())
    ```

    ## Use instead

    ```py
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    loader = DataLoader(TensorDataset(torch.arange(8.0)), batch_size=4, num_workers=2)
    if __name__ == "__main__":
        for (x,) in loader:
            print(x.sum())
    ```

    ## Fix safety

    Unsafe: what imports the file no longer runs the loop. Everything above the guard still runs in each
    worker; what takes long there belongs under it, or into a function.

    ## Known limits

    An error where the program asks for `spawn` or `forkserver` itself, else a warning. Silent in notebooks,
    where nothing is run again, where the program asks for `fork`, and where the number of workers is not
    known from the code.

    ## References

    - [torch.utils.data, Platform-specific behaviors](https://docs.pytorch.org/docs/stable/data.html#platform-specific-behaviors)
    - [Python's multiprocessing, Safe importing of main module](https://docs.python.org/3/library/multiprocessing.html#the-spawn-and-forkserver-start-methods)
    """

    code = "TL506"
    name = "workers-without-main-guard"
    family = Family.DATA
    severity = Severity.WARNING
    since = "0.1.0"
    card = "dataloader-hangs"
    trigger = r"\bnum_workers\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return not isinstance(source, Notebook) and any(map(_acts, source.tree.body))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        if isinstance(analysis.source, Notebook):
            return
        methods = set(_start_methods(analysis))
        if "fork" in methods:
            return
        working = {call.node: call for call in analysis.called(_loaders.LOADER) if _has_workers(call)}
        for root in analysis.roots if working else ():
            if isinstance(root.node, ast.Module) and analysis.is_whole(root.node):
                for shown, call in (*_asked(analysis, working), *_starts(analysis, root.path, working)):
                    top = _at_top(analysis.source, shown)
                    if top is not None and not (isinstance(top, ast.If) and _is_main(top.test)):
                        yield self._finding(analysis, shown, call, top, is_certain=bool(methods))
                        break  # its repair is theirs

    def _finding(
        self, analysis: Analysis, shown: ast.expr, call: Called, top: ast.stmt, *, is_certain: bool
    ) -> Finding:
        number = _loaders.literal(call, "num_workers")
        workers = "a worker" if number == 1 else f"{number} workers"
        where = "" if is_certain else " on Windows, macOS and from Python 3.14 on"
        message = (
            f"`{support.written(analysis, shown)}` starts {workers} outside of "
            f'`if __name__ == "__main__":`: each runs this file anew{where}, comes here too, and raises a '
            "RuntimeError"
        )
        written = _loaders.written(call, "num_workers")
        related = support.related(analysis, written, "the workers") if written is not None else ()
        fix = _fix(analysis, top)
        fixes = (fix,) if fix is not None else ()
        severity = Severity.ERROR if is_certain else None
        span = analysis.source.span(shown)
        return self.finding(message, span, fixes=fixes, related=related, severity=severity)


def _acts(statement: ast.stmt) -> bool:
    """Whether a statement at the top level may do more than to define something."""
    match statement:
        case ast.If(test=test):
            return not _is_main(test)
        case ast.Expr(value=value) | ast.Assign(value=value):
            return isinstance(value, ast.Call)
        case _:
            return isinstance(statement, ast.For | ast.While | ast.With | ast.Try)


def _is_main(test: ast.expr) -> bool:
    """Whether a condition asks for `__name__`."""
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(test))


def _start_methods(analysis: Analysis) -> Iterator[str]:
    """The start methods that a file asks for, of all processes or of the workers of a loader.

    A loader that asks for one that is not known, or for none by its default, counts as asking for `fork`.
    """
    for call in analysis.called(*_SETTERS):
        method = call.literal(0, "method")
        yield method if isinstance(method, str) else "fork"
    for call in analysis.called(_loaders.LOADER):
        if not _loaders.is_left_out(call, "multiprocessing_context"):
            asked = _loaders.literal(call, "multiprocessing_context")
            yield asked if isinstance(asked, str) else "fork"


_SETTERS = ("torch.multiprocessing.set_start_method", "multiprocessing.set_start_method")


def _has_workers(call: Called) -> bool:
    number = _loaders.literal(call, "num_workers")
    return isinstance(number, int) and number > 0


def _asked(analysis: Analysis, working: dict[ast.Call, Called]) -> Iterator[tuple[ast.expr, Called]]:
    """Where the top level asks a loader for its batches one by one: `next(iter(loader))`."""
    for call in analysis.called("builtins.iter"):
        outer = analysis.around(call.node) or ()
        if not any(isinstance(part, _FUNCTIONS) for part in outer):
            for loader in _loaders.loaders_in(analysis, call.node):
                if loader.node in working:
                    yield call.node, working[loader.node]


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _starts(
    analysis: Analysis, path: Path, working: dict[ast.Call, Called], shown: ast.expr | None = None
) -> Iterator[tuple[ast.expr, Called]]:
    """Where workers are started on a path: what to show of it at the top level, and the loader."""
    for step in path:
        match step:
            case Loop(node=node, body=body):
                for made in _gone_through(analysis, node, working):
                    yield shown or _iterated(node), made
                yield from _starts(analysis, body, working, shown)
            case Call(node=ast.Call() as node, body=body):
                yield from _starts(analysis, body, working, shown or node.func)
            case Branch(arms=arms):
                for arm in arms:
                    yield from _starts(analysis, arm, working, shown)
            case Finally(body=body):
                yield from _starts(analysis, body, working, shown)


def _gone_through(analysis: Analysis, loop: ast.AST, working: dict[ast.Call, Called]) -> Iterator[Called]:
    """The loaders with workers that a loop goes through."""
    if isinstance(loop, ast.For):
        for loader in _loaders.loaders_in(analysis, loop.iter):
            if loader.node in working:
                yield working[loader.node]


def _iterated(loop: ast.AST) -> ast.expr:
    assert isinstance(loop, ast.For)
    return loop.iter


def _at_top(source: Source, node: ast.expr) -> ast.stmt | None:
    """The statement at the top level that a node of the file lies in; None for one of another file."""
    top = (s for s in source.tree.body if s.lineno <= node.lineno <= (s.end_lineno or s.lineno))
    return next((statement for statement in top if node in ast.walk(statement)), None)


def _fix(analysis: Analysis, top: ast.stmt) -> Fix | None:
    """Puts a statement, and all that comes after it, under the guard."""
    source, body = analysis.source, analysis.source.tree.body
    lines = support.own_lines(analysis, top)
    if lines is None or not _can_be_indented(body[body.index(top) :]):
        return None
    step = "\t" if "\n\t" in source.text else "    "
    span = Span(lines.start, len(source.text))
    moved = _LINE.sub(step, source.segment(span))
    edit = Edit(span, f'if __name__ == "__main__":{source.newline}{moved}')
    return Fix('Run it in the main process only: `if __name__ == "__main__":`', (edit,), safe=False)


_LINE = re.compile(r"(?:\A|(?<=\n)|(?<=\r)(?!\n))(?=[ \t]*\S)")
"""Where a line begins that is not blank."""


def _can_be_indented(statements: Sequence[ast.stmt]) -> bool:
    """Whether nothing of it is needed in the workers, and no text goes over several lines."""
    for statement in statements:
        if isinstance(statement, _DEFINING):
            return False
        for node in ast.walk(statement):
            is_text = isinstance(node, ast.JoinedStr) or (
                isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
            )
            if is_text and node.lineno != node.end_lineno:  # type: ignore[attr-defined]
                return False
    return True


_DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
