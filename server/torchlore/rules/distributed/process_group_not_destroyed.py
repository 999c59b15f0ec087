"""TL708: a process group is made, and left to the end of the process."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.values import Ref
from torchlore.rules import imports, support
from torchlore.rules.distributed import _frameworks, _ranks
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source
from torchlore.text.nodes import nodes_in


class ProcessGroupNotDestroyed(Rule):
    """
    ## What it does

    Looks for programs that call `init_process_group` for NCCL, and never `destroy_process_group`.

    ## Why is this bad?

    The communicators are taken down when Python ends, after the parts of CUDA that they need may be gone:
    NCCL warns that resources leak, and where ranks end at different times the program can hang instead of
    ending.

    ## Example

    ```py
    import os

    import torch
    import torch.distributed as dist


    def main():
        dist.init_process_group("nccl")
        x = torch.ones(1, device=int(os.environ["LOCAL_RANK"]))
        dist.all_reduce(x)


    if __name__ == "__main__":
        main()
    ```

    ## Use instead

    ```py
    import os

    import torch
    import torch.distributed as dist


    def main():
        dist.init_process_group("nccl")
        x = torch.ones(1, device=int(os.environ["LOCAL_RANK"]))
        dist.all_reduce(x)
        dist.destroy_process_group()


    if __name__ == "__main__":
        main()
    ```

    ## Fix safety

    Unsafe: every rank has to come by the new line, and nothing may communicate after it.

    ## Known limits

    Speaks only where the file shows the way from its top level, or from `spawn`, to the call. Silent where a
    file of the project that it imports, directly or by way of others, speaks of `destroy_process_group`; for
    `gloo`, and a backend that is not known; and where a library manages the processes.

    ## References

    - [torch.distributed, Shutdown](https://docs.pytorch.org/docs/stable/distributed.html#shutdown)
    """

    code = "TL708"
    name = "process-group-not-destroyed"
    family = Family.DISTRIBUTED
    severity = Severity.INFORMATION
    since = "0.1.0"
    card = "ddp"
    trigger = r"\binit_process_group\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        mentioned = source.text.count(_DESTROY)
        return not mentioned or mentioned == sum(map(_only_imports, source.every(ast.ImportFrom)))

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        source = analysis.source
        calls = [call for call in analysis.called(_INIT) if _is_for_nccl(call)]
        if not calls or not self.concerns(source) or not analysis.is_whole(source.tree):
            return
        if _frameworks.manages_training(source) or analysis.may_import(_DESTROY):
            return
        for call in calls:
            way = _way(analysis, call.node)
            if way is not None:
                yield self._finding(analysis, call, way)

    def _finding(self, analysis: Analysis, call: Called, way: list[ast.Call]) -> Finding:
        message = (
            f"Nothing ends the process group that `{support.written(analysis, call.node.func)}` begins: at "
            "exit NCCL warns that resources leak, and ranks that end at different times can hang"
        )
        fix = _fix(analysis, call.node, way)
        span = analysis.source.span(call.node.func)
        related = tuple(
            r for step in way for r in support.related(analysis, step, "the program comes by here")
        )
        return self.finding(message, span, fixes=(fix,) if fix is not None else (), related=related)


_INIT = "torch.distributed.init_process_group"
_DESTROY = "destroy_process_group"


def _only_imports(statement: ast.ImportFrom) -> int:
    """How often a statement imports what ends a group, under its own name."""
    return sum(alias.name == _DESTROY and alias.asname is None for alias in statement.names)


def _is_for_nccl(call: Called) -> bool:
    """Whether a group surely uses NCCL where there are GPUs: so it does by default."""
    if call.is_complete and all(given.get(0, "backend") is None for given in call.given):
        return True
    backend = call.literal(0, "backend")
    return isinstance(backend, str) and "nccl" in backend


def _way(analysis: Analysis, node: ast.AST, depth: int = 4) -> list[ast.Call] | None:
    """The calls that lead to `node` from the top level, or from where processes are started; the last first.

    None where the file does not show a way.
    """
    outer = analysis.around(node)
    if outer is None or not depth:
        return None
    function = next((part for part in reversed(outer) if isinstance(part, _FUNCTIONS)), None)
    if function is None or _ranks.is_started(analysis, function):
        return []
    for call in _ranks.callers(analysis, function):
        way = _way(analysis, call, depth - 1)
        if way is not None:
            return [call, *way]
    return None


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _fix(analysis: Analysis, call: ast.Call, way: list[ast.Call]) -> Fix | None:
    """Ends the group at the end of the function that the program begins with, or of the top level."""
    inside = [call, *way]
    function, begins = None, call
    for node in reversed(inside):
        outer = analysis.around(node) or ()
        found = next((part for part in reversed(outer) if isinstance(part, _FUNCTIONS)), None)
        if found is not None:
            function, begins = found, node
            break
    statement = support.statement_of(analysis, begins)
    if not isinstance(function, ast.FunctionDef) or statement not in function.body or _may_leave(function):
        return None  # at the top level, or under a condition: where it ends is not told
    last = function.body[-1]
    written = support.written(analysis, call.func)
    code = written.replace("init_process_group", "destroy_process_group")
    imported: tuple[Edit, ...] | None = ()
    if code == "destroy_process_group":
        imported = imports.missing(analysis, "from torch.distributed import destroy_process_group")
    elif not _is_known_everywhere(analysis, call.func):
        return None
    edit = support.insert_after(analysis, last, f"{code}()")
    if edit is None or imported is None or code == written:
        return None
    return Fix(f"End it: `{code}()`", (*imported, edit), safe=False)


def _is_known_everywhere(analysis: Analysis, written: ast.expr) -> bool:
    """Whether the first name of `dist.init_process_group` is imported at the top level."""
    while isinstance(written, ast.Attribute):
        written = written.value
    return isinstance(written, ast.Name) and isinstance(analysis.run.home.find(written.id), Ref)


def _may_leave(function: ast.FunctionDef) -> bool:
    """Whether a function may be left before its end."""
    return any(
        isinstance(node, ast.Return | ast.Yield | ast.YieldFrom | ast.Raise) for node in nodes_in(function)
    )
