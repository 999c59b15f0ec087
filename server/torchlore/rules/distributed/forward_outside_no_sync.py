"""TL703: the backward is under DDP's `no_sync`, the forward that it belongs to is not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis
from torchlore.analysis.events import Call, Event, Kind, Place, Root
from torchlore.analysis.queries import options, tokens_of
from torchlore.analysis.values import Instance, Value
from torchlore.rules import indentation, support
from torchlore.rules.model import Family, Finding, Fix, Related, Rule, Severity
from torchlore.text import Edit, Span


class ForwardOutsideNoSync(Rule):
    """
    ## What it does

    Looks for `with model.no_sync():` around a `backward()` whose forward ran before the `with`.

    ## Why is this bad?

    `DistributedDataParallel` decides in its forward whether the next backward will average the gradients.
    A forward outside of `no_sync` has decided that it will, and `no_sync` around the backward alone changes
    nothing: gradients travel between all processes in every step of the accumulation, as if it were not
    there. Nothing is reported.

    ## Example

    ```py
    import torch
    from torch.nn.parallel import DistributedDataParallel


    def accumulate(batches):
        model = DistributedDataParallel(torch.nn.Linear(4, 1))
        for x in batches:
            loss = model(x).pow(2).mean()
            with model.no_sync():
                loss.backward()
    ```

    ## Use instead

    ```py
    import torch
    from torch.nn.parallel import DistributedDataParallel


    def accumulate(batches):
        model = DistributedDataParallel(torch.nn.Linear(4, 1))
        for x in batches:
            with model.no_sync():
                loss = model(x).pow(2).mean()
                loss.backward()
    ```

    ## Fix safety

    Unsafe: it moves the statements from the forward on into the block, after which gradients are no longer
    averaged there. Another step outside of `no_sync` has to follow before the optimizer's.

    ## Known limits

    Speaks only where the model is surely wrapped in `DistributedDataParallel`, and where all forwards that
    the loss was computed by are outside. `FullyShardedDataParallel` decides in its backward.

    ## References

    - [torch.nn.parallel.DistributedDataParallel.no_sync](https://docs.pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html#torch.nn.parallel.DistributedDataParallel.no_sync)
    """

    code = "TL703"
    name = "forward-outside-no-sync"
    family = Family.DISTRIBUTED
    severity = Severity.WARNING
    since = "0.1.0"
    card = "ddp"
    trigger = r"\bno_sync\b"

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        wrapped = _wrapped(analysis)
        for block in analysis.source.every(ast.With):
            for item in block.items:
                model = _unsynced(analysis, item.context_expr)
                if model in wrapped and analysis.is_whole(block):
                    yield from self._check_block(analysis, block, item, model)

    def _check_block(
        self, analysis: Analysis, block: ast.With, item: ast.withitem, model: Value | None
    ) -> Iterator[Finding]:
        for root in analysis.roots:
            for place in root.places_of(Kind.BACKWARD):
                if not _is_in(analysis, place, block):
                    continue
                forwards = _forwards(root, model, place.event)
                if not forwards or any(_is_in(analysis, forward, block) for forward in forwards):
                    continue
                yield self._finding(analysis, block, item, _Misplaced(place.event.node, forwards[0]))

    def _finding(self, analysis: Analysis, block: ast.With, item: ast.withitem, found: _Misplaced) -> Finding:
        forward = found.forward.event.node
        context = support.written(analysis, item.context_expr)
        message = (
            f"`{context}` has no effect on `backward` {support.on_line(analysis, found.backward)}: "
            f"the forward {support.on_line(analysis, forward)}, outside of it, "
            "has decided to average gradients"
        )
        related: tuple[Related, ...] = ()
        if isinstance(forward, ast.expr):
            related = support.related(analysis, forward, "the forward that decides")
        fix = _fix(analysis, block, forward)
        span = analysis.source.span(item.context_expr)
        return self.finding(message, span, fixes=(fix,) if fix is not None else (), related=related)


@dataclass(frozen=True, slots=True)
class _Misplaced:
    """A backward in a block, and a forward that is not."""

    backward: ast.AST
    forward: Place


def _wrapped(analysis: Analysis) -> set[Value]:
    """The models that are surely in DDP, and in nothing else that has a `no_sync`."""
    found: set[Value] = set()
    for call in analysis.called("torch.nn.parallel.DistributedDataParallel"):
        given = call.value(0, "module")
        found.update(options(given) if given is not None else ())
    for call in analysis.called("torch.distributed.fsdp.FullyShardedDataParallel"):
        given = call.value(0, "module")
        found.difference_update(options(given) if given is not None else ())
    return {model for model in found if isinstance(model, Instance)}


def _unsynced(analysis: Analysis, context: ast.expr) -> Value | None:
    """The model of `model.no_sync()`, also where that is entered in some iterations only."""
    if isinstance(context, ast.IfExp):
        return _unsynced(analysis, context.body) or _unsynced(analysis, context.orelse)
    if not isinstance(context, ast.Call) or not isinstance(context.func, ast.Attribute):
        return None
    return analysis.value(context.func.value) if context.func.attr == "no_sync" else None


def _is_in(analysis: Analysis, place: Place, block: ast.With) -> bool:
    """Whether something happens in a block: there, or in a function that is called there."""
    calls = (step.node for step in place.within if isinstance(step, Call))
    return any(block in (analysis.around(node) or ()) for node in (place.event.node, *calls))


def _forwards(root: Root, model: Value | None, backward: Event) -> list[Place]:
    """The forwards of a model that what is differentiated was computed by."""
    tokens = tokens_of(backward.value) if backward.value is not None else frozenset()
    return [
        place
        for place in root.places_of(Kind.FORWARD)
        if place.event.subject is model and place.event.node in tokens and not place.in_forward
    ]


def _fix(analysis: Analysis, block: ast.With, forward: ast.AST) -> Fix | None:
    """Moves the statements from the forward up to the block into it."""
    first = support.statement_of(analysis, forward) if analysis.owns(forward) else None
    around = support.block_of(analysis, block)
    if first is None or first not in around or around.index(first) > around.index(block):
        return None
    moved = around[around.index(first) : around.index(block)]
    indent = analysis.source.indent(block.body[0].lineno - 1)
    found = indentation.moved(analysis, moved[0].lineno - 1, moved, indent)
    inside = support.own_lines(analysis, block.body[0])
    if found is None or inside is None:
        return None
    span, text = found
    below = moved[-1].end_lineno or 0
    while not analysis.source.lines.text(below).strip():
        below += 1
    edits = (
        Edit(Span(span.start, analysis.source.lines.start(below)), ""),
        Edit(Span(inside.start, inside.start), text + analysis.source.newline),
    )
    return Fix("Move the forward under `no_sync`", edits, safe=False)
