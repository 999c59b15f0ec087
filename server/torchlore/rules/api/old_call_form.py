"""TL904: a call in a form that torch has given up."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis, parameters
from torchlore.analysis.called import Called
from torchlore.analysis.events import Kind
from torchlore.analysis.members import kind_of
from torchlore.analysis.queries import is_none, options
from torchlore.analysis.values import BoundMethod, Const, Instance, Number, Params, Tensor, Unknown, Value
from torchlore.rules import arguments, spellings, support
from torchlore.rules.api import _arguments
from torchlore.rules.api._uses import may_be_told
from torchlore.rules.api._versions import newest
from torchlore.rules.arguments import is_written_out
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.rules.training._scheduling import first_step
from torchlore.rules.triggers import words_of
from torchlore.text import Edit, Source, Span


class OldCallForm(Rule):
    """
    ## What it does

    Looks for calls of functions that are still there, in a form that is deprecated or raises: `torch.stft`
    without `return_complex`, `torch.meshgrid` without `indexing`, `torch.cross` without `dim`,
    `x.add_(alpha, other)` with the factor first, `scheduler.step(epoch)`, `model.state_dict(destination)`
    with positional arguments, `Variable(x, volatile=True)`.

    ## Why is this bad?

    Torch warns, once, and a later version raises an error or does something else: without `indexing`,
    `meshgrid` is to change the order of its axes one day. `torch.stft` raises today, and `volatile` has no
    effect any more: gradients are recorded.

    ## Example

    ```py
    import torch

    rows, columns = torch.meshgrid(torch.arange(2), torch.arange(3))
    velocity = torch.zeros(3)
    velocity.add_(0.9, torch.ones(3))
    ```

    ## Use instead

    ```py
    import torch

    rows, columns = torch.meshgrid(torch.arange(2), torch.arange(3), indexing="ij")
    velocity = torch.zeros(3)
    velocity.add_(torch.ones(3), alpha=0.9)
    ```

    ## Fix safety

    Safe where the new form does what the old one did. `scheduler.step(epoch)` sets the epoch, and
    `torch.cross` takes the first dimension of size three: their fixes are offered but not applied on save.

    ## Known limits

    Only what is surely a tensor, a module or a scheduler of torch's is looked at, and only where all
    arguments are seen. Of `x.add_(alpha, other)` and the like `x` may be anything that is not known.

    ## References

    - [torch.meshgrid](https://docs.pytorch.org/docs/stable/generated/torch.meshgrid.html)
    - [torch.stft](https://docs.pytorch.org/docs/stable/generated/torch.stft.html)
    - [torch.Tensor.add_](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.add_.html)
    """

    code = "TL904"
    name = "old-call-form"
    family = Family.API
    severity = Severity.ERROR
    since = "0.1.0"
    card = "complex-and-fft"
    trigger = (
        r"\b(?:meshgrid|stft|cross|volatile|state_dict|step|add|add_|sub|sub_"
        r"|addcmul|addcmul_|addcdiv|addcdiv_)\b"
    )
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        known = words_of(source.text)
        if not known.isdisjoint(_RARE):
            return True
        # `step()` and `state_dict()` are in every training script; what matters here has arguments.
        return any(word in known and pattern.search(source.text) for word, pattern in _WITH_ARGUMENTS.items())

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for found in self._found(analysis):
            if newest(analysis) >= (1, 10):
                yield found

    def _found(self, analysis: Analysis) -> Iterator[Finding]:
        for method in (_meshgrid, _stft, _cross, _factor_first, _state_dict, _scheduler_step, _volatile):
            for call, message, span, fixes, severity in method(analysis):
                outer = analysis.around(call)
                if outer is not None and may_be_told(analysis, call, outer):
                    yield self.finding(message, span, fixes=fixes, severity=severity)


_Told = tuple[ast.Call, str, Span, tuple[Fix, ...], Severity]

_RARE = frozenset(b"meshgrid stft cross volatile addcmul addcmul_ addcdiv addcdiv_".split())
_WITH_ARGUMENTS = {
    b"add": re.compile(r"\.add\([^()\n]+,"),
    b"add_": re.compile(r"\.add_\("),
    b"sub": re.compile(r"torch\.sub\("),
    b"sub_": re.compile(r"\.sub_\("),
    b"state_dict": re.compile(r"\.state_dict\(\s*[^)\s=]+\s*[,)]"),
    b"step": re.compile(r"\.step\(\s*[\w.]+"),
}


def _called(analysis: Analysis, function: str, method: str = "") -> Iterator[tuple[Called, int]]:
    """Calls whose arguments are all seen, with the number of arguments that stand for the tensor itself."""
    for called in analysis.called(function):
        if called.is_complete and is_written_out(called.node):
            yield called, 1
    for called in analysis.called(method) if method else ():
        if called.is_complete and is_written_out(called.node) and _is_surely_tensor(called.receiver):
            yield called, 0


def _is_surely_tensor(value: Value | None) -> bool:
    return isinstance(value, Tensor) and value.certain


def _named(analysis: Analysis, call: ast.Call) -> tuple[str, Span]:
    """How a call is written, and where the name of what it calls ends."""
    span = analysis.source.span(call.func)
    last = call.func.attr if isinstance(call.func, ast.Attribute) else support.written(analysis, call.func)
    return f"{last}", Span(span.end - len(last), span.end)


def _fix(title: str, *edits: Edit | None, safe: bool) -> tuple[Fix, ...]:
    known = tuple(edit for edit in edits if edit is not None)
    return (Fix(title, known, safe),) if len(known) == len(edits) else ()


def _meshgrid(analysis: Analysis) -> Iterator[_Told]:
    for called in analysis.called("torch.meshgrid"):
        call = called.node
        if any(keyword.arg in (None, "indexing") for keyword in call.keywords):
            continue
        edit = arguments.added(analysis, call, 'indexing="ij"')
        message = (
            'Without `indexing`, `meshgrid` warns: what it does now is `indexing="ij"`, and that is to change'
        )
        fixes = _fix('Say `indexing="ij"`', edit, safe=True)
        yield call, message, _named(analysis, call)[1], fixes, Severity.WARNING


def _stft(analysis: Analysis) -> Iterator[_Told]:
    for called, before in _called(analysis, "torch.stft", "Tensor.stft"):
        call, source = called.node, analysis.source
        signal = called.value(0, "input") if before else called.receiver
        if isinstance(signal, Tensor) and signal.dtype.startswith("complex"):
            continue
        given = next((keyword for keyword in call.keywords if keyword.arg == "return_complex"), None)
        is_false = given is not None and isinstance(given.value, ast.Constant) and given.value.value is False
        if (given is not None and not is_false) or len(call.args) > 8 + before:
            continue
        change = (
            Edit(source.span(given.value), "True")
            if given is not None
            else arguments.added(analysis, call, "return_complex=True")
        )
        viewing = spellings.spelled(analysis, call.func, "torch.view_as_real")
        wrap = support.wrapped(analysis, call, f"{viewing}(")
        fixes = (
            *(
                _fix("Return complex numbers, and view them as pairs as before", change, *wrap, safe=True)
                if viewing is not None
                else ()
            ),
            *_fix("Return complex numbers", change, safe=False),
        )
        if is_false:
            message, severity = (
                "`return_complex=False` is deprecated: `stft` is to return complex numbers",
                Severity.WARNING,
            )
        else:
            message, severity = "`stft` raises an error without `return_complex`", _of_stft(analysis)
        yield call, message, _named(analysis, call)[1], fixes, severity


def _of_stft(analysis: Analysis) -> Severity:
    """Before torch 2.0 it warned."""
    return Severity.ERROR if newest(analysis) >= (2, 0) else Severity.WARNING


def _cross(analysis: Analysis) -> Iterator[_Told]:
    for called, before in _called(analysis, "torch.cross", "Tensor.cross"):
        call = called.node
        if len(call.args) > 1 + before or any(keyword.arg == "dim" for keyword in call.keywords):
            continue
        message = (
            "Without `dim`, `cross` takes the first dimension of size 3, and warns that this is deprecated"
        )
        fixes = _fix("Say `dim=-1`", arguments.added(analysis, call, "dim=-1"), safe=False)
        yield call, message, _named(analysis, call)[1], fixes, Severity.WARNING


_FACTORS = {"add": ("alpha", 2), "sub": ("alpha", 2), "addcmul": ("value", 3), "addcdiv": ("value", 3)}
"""The factor that was the first argument, and how many there were with it."""

_IN_PLACE = frozenset(f"{name}_" for name in _FACTORS)


def _factor_first(analysis: Analysis) -> Iterator[_Told]:
    for name, (_, count) in _FACTORS.items():
        for called, before in _called(analysis, f"torch.{name}", f"Tensor.{name}"):
            yield from _factor_of(analysis, called.node, name, count, before, is_tensor=True)
    for call in analysis.run.calls:
        match call.func:
            # Nothing but tensors has methods of these names: what is not known, as a parameter in the code of
            # an optimizer, is one as well.
            case ast.Attribute(value=receiver, attr=attr) if attr in _IN_PLACE and is_written_out(call):
                owners, name = options(analysis.value(receiver)), attr.removesuffix("_")
                if all(isinstance(one, _MAY_BE_TENSORS) for one in owners):
                    is_tensor = all(map(_is_surely_tensor, owners))
                    yield from _factor_of(analysis, call, name, _FACTORS[name][1], 0, is_tensor)


_MAY_BE_TENSORS = (Tensor, Params, Unknown, BoundMethod)  # `p.data` may be a method, for all we know


def _factor_of(
    analysis: Analysis, call: ast.Call, name: str, count: int, before: int, is_tensor: bool
) -> Iterator[_Told]:
    factor, source = _FACTORS[name][0], analysis.source
    if len(call.args) != count + before or any(k.arg == factor for k in call.keywords):
        return
    old = call.args[before:]
    texts = [source.segment(source.span(each)) for each in (*old[1:], old[0])]
    texts[-1] = f"{factor}={texts[-1]}"
    edits = [Edit(source.span(each), text) for each, text in zip(old, texts, strict=True)]
    last, span = _named(analysis, call)
    message = f"`{last}` with the factor before the tensor is deprecated: name it `{factor}`"
    fixes = _fix(f"Give the factor as `{factor}`", *edits, safe=is_tensor)
    yield call, message, span, fixes, Severity.WARNING


def _state_dict(analysis: Analysis) -> Iterator[_Told]:
    for called in (*analysis.called("Module.state_dict"), *analysis.called("Loss.state_dict")):
        call = called.node
        if not call.args or not is_written_out(call):
            continue
        named = _arguments.name_positional(analysis, call, ("destination", "prefix", "keep_vars"))
        fixes = _fix("Give the arguments by name", *named, safe=True) if named else ()
        message = "Positional arguments of `state_dict` are deprecated: give them by name"
        yield call, message, _named(analysis, call)[1], fixes, Severity.WARNING


_TAKES_AN_EPOCH = ("CosineAnnealingWarmRestarts", "SequentialLR", "ChainedScheduler")
"""Schedulers for which `step(epoch)` is right, or is another mistake."""


def _scheduler_step(analysis: Analysis) -> Iterator[_Told]:
    for called in analysis.called("Scheduler.step"):
        call, scheduler = called.node, called.receiver
        if (
            not isinstance(scheduler, Instance)
            or not isinstance(scheduler.cls, str)
            or not is_written_out(call)
        ):
            continue
        name = scheduler.cls.rpartition(".")[2]
        index = 1 if name == "ReduceLROnPlateau" else 0
        epoch = called.value(index, "epoch")
        is_number = isinstance(epoch, Number | Const) and not is_none(epoch) and kind_of(epoch) == "Number"
        if name in _TAKES_AN_EPOCH or not is_number or not scheduler.cls.startswith("torch."):
            continue
        given = next((k for k in call.keywords if k.arg == "epoch"), None)
        text = support.receiver(analysis, call)
        message = f"The epoch that `{text}.step` is given is deprecated: it counts by itself"
        span = analysis.source.span(given if given is not None else call.args[index])
        edit = None if _is_too_early(analysis, call) else _without_epoch(analysis, call, index, given)
        yield call, message, span, _fix("Let the scheduler count", edit, safe=False), Severity.WARNING


def _is_too_early(analysis: Analysis, call: ast.Call) -> bool:
    """Whether the optimizer is stepped only after: told no epoch, the scheduler would skip its first rate."""
    for root in analysis.roots:
        for place in root.places_of(Kind.SCHEDULE):
            scheduler = place.event.subject
            if place.event.node is call and place.loops and isinstance(scheduler, Instance):
                optimizer = parameters.optimizer_of(scheduler)
                if isinstance(optimizer, Instance) and first_step(root, place, optimizer) is not None:
                    return True
    return False


def _without_epoch(analysis: Analysis, call: ast.Call, index: int, given: ast.keyword | None) -> Edit | None:
    if given is not None:
        return arguments.removed(analysis, call, "epoch")
    return arguments.without_last(analysis, call, call.args[index:])


def _volatile(analysis: Analysis) -> Iterator[_Told]:
    for called in analysis.called("torch.autograd.Variable"):
        for keyword in called.node.keywords:
            is_true = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            if keyword.arg == "volatile" and is_true:
                span = analysis.source.span(keyword)
                message = (
                    "`volatile` has no effect any more: use `with torch.no_grad():` around what is computed"
                )
                edit = arguments.removed(analysis, called.node, "volatile")
                fixes = _fix("Remove `volatile`", edit, safe=True)
                yield (
                    called.node,
                    message,
                    Span(span.start, span.start + len("volatile")),
                    fixes,
                    Severity.WARNING,
                )
