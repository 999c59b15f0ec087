"""TL506: the top level of a file starts the workers of a loader."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.rules import indentation, support
from torchlore.rules.data import _loaders, _starting
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Source


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
    severity = Severity.ERROR
    since = "0.1.0"
    card = "dataloader-hangs"
    trigger = r"\bnum_workers\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return _starting.may_start(source)

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        methods = set(_start_methods(analysis))
        if "fork" in methods:
            return
        working: _starting.Working = {
            call.node: call for call in analysis.called(_loaders.LOADER) if _has_workers(call)
        }
        start = next(_starting.starts(analysis, working), None)  # its repair is that of the others
        if start is not None:
            yield self._finding(analysis, start, is_certain=bool(methods))

    def _finding(self, analysis: Analysis, start: _starting.Start, *, is_certain: bool) -> Finding:
        number = _loaders.literal(start.loader, "num_workers")
        workers = "a worker" if number == 1 else f"{number} workers"
        where = "" if is_certain else " on Windows, macOS and from Python 3.14 on"
        message = (
            f"`{support.written(analysis, start.shown)}` starts {workers} outside of "
            f'`if __name__ == "__main__":`: each runs this file anew{where}, comes here too, and raises a '
            "RuntimeError"
        )
        written = _loaders.written(start.loader, "num_workers")
        related = support.related(analysis, written, "the workers") if written is not None else ()
        fix = _fix(analysis, start.top)
        fixes = (fix,) if fix is not None else ()
        severity = Severity.ERROR if is_certain else Severity.WARNING
        span = analysis.source.span(start.shown)
        return self.finding(message, span, fixes=fixes, related=related, severity=severity)


def _start_methods(analysis: Analysis) -> Iterator[str]:
    """The start methods that a file asks for, of all processes or of the workers of a loader.

    A loader that asks for one that is not known, or for none by its default, counts as asking for `fork`.
    """
    for call in analysis.called(*_starting.SETTERS):
        method = call.literal(0, "method")
        yield method if isinstance(method, str) else "fork"
    for call in analysis.called(_loaders.LOADER):
        if not _loaders.is_left_out(call, "multiprocessing_context"):
            asked = _loaders.literal(call, "multiprocessing_context")
            yield asked if isinstance(asked, str) else "fork"


def _has_workers(call: Called) -> bool:
    number = _loaders.literal(call, "num_workers")
    return isinstance(number, int) and number > 0


def _fix(analysis: Analysis, top: ast.stmt) -> Fix | None:
    """Puts a statement, and all that comes after it, under the guard."""
    body = analysis.source.tree.body
    guarded = body[body.index(top) :]
    if any(isinstance(statement, _DEFINING) for statement in guarded):
        return None  # it is needed in the workers
    edits = indentation.under_header(analysis, guarded, 'if __name__ == "__main__":')
    title = 'Run it in the main process only: `if __name__ == "__main__":`'
    return Fix(title, tuple(edits), safe=False) if edits is not None else None


_DEFINING = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
