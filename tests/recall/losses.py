"""Mistakes in what losses are given: probabilities for logits, logarithms, targets."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Source

from tests.recall.arguments import given, is_seen_whole, keyword, text, value, without
from tests.recall.binding import Scope, held, made, scopes, spelled
from tests.recall.layers import module_classes
from tests.recall.mutants import Mutant, mutant, plants, replaced
from tests.recall.shapes import written_sizes
from tests.recall.syntax import calls_of, full_name, written


def loss_calls(source: Source, function: str, cls: str) -> Iterator[tuple[Scope, ast.Call]]:
    """The calls of a loss: of the function, and of what one assignment binds to an object of the class."""
    for scope in scopes(source):
        for call in (node for node in scope.nodes if isinstance(node, ast.Call)):
            is_function = full_name(source, call.func) == f"torch.nn.functional.{function}"
            if is_function or made(source, scope, call.func) == f"torch.nn.{cls}":
                yield scope, call


def _applied(source: Source, function: str, cls: str, applied: str, dim: str = "") -> Iterator[Mutant]:
    """A function of torch around the input of a loss, there, or where the variable for it is set."""
    name = spelled(source, f"torch.{applied}")
    for scope, call in loss_calls(source, function, cls) if name is not None else ():
        first = value(given(call, 0, "input"))
        if first is None or _is_applied(source, scope, first):
            continue
        computed = held(scope, first) if isinstance(first, ast.Name) else None
        for place in (first, computed) if isinstance(computed, ast.Call) else (first,):
            edit = replaced(source, place, f"{name}({text(source, place)}{dim})")
            yield from mutant(source, place.lineno, [edit])


def _is_applied(source: Source, scope: Scope, node: ast.expr) -> bool:
    """Whether an activation, or its logarithm, is there already, as far as it is written in the function."""
    shown = [node, held(scope, node)]
    return any(word in written(one) for one in shown if one is not None for word in ("softmax", "igmoid"))


@plants("softmax-before-cross-entropy", "CrossEntropyLoss", "cross_entropy")
def softmax_for_cross_entropy(source: Source) -> Iterator[Mutant]:
    """A softmax around what cross-entropy is given."""
    yield from _applied(source, "cross_entropy", "CrossEntropyLoss", "softmax", ", dim=1")


@plants("sigmoid-before-cross-entropy", "CrossEntropyLoss", "cross_entropy")
def sigmoid_for_cross_entropy(source: Source) -> Iterator[Mutant]:
    """A sigmoid around what cross-entropy is given."""
    yield from _applied(source, "cross_entropy", "CrossEntropyLoss", "sigmoid")


@plants("sigmoid-before-bce-with-logits", "BCEWithLogitsLoss", "binary_cross_entropy_with_logits")
def sigmoid_for_logits(source: Source) -> Iterator[Mutant]:
    """A sigmoid around what a binary cross-entropy that expects logits is given."""
    yield from _applied(source, "binary_cross_entropy_with_logits", "BCEWithLogitsLoss", "sigmoid")


@plants("softmax-before-nll-loss", "NLLLoss", "nll_loss")
def softmax_for_nll(source: Source) -> Iterator[Mutant]:
    """`softmax` for the `log_softmax` that `nll_loss` is given, or that its only model ends in."""
    losses = [*loss_calls(source, "nll_loss", "NLLLoss")]
    for scope, call in losses:
        first = value(given(call, 0, "input"))
        shown = held(scope, first) if isinstance(first, ast.Name) else first
        yield from _without_logarithm(source, shown)
    if losses and len(module_classes(source)) == 1:
        returned = [
            statement.value
            for scope in scopes(source)
            if scope.cls in module_classes(source) and getattr(scope.node, "name", "") == "forward"
            for statement in scope.nodes
            if isinstance(statement, ast.Return)
        ]
        if len(returned) == 1:
            yield from _without_logarithm(source, returned[0])


def _without_logarithm(source: Source, node: ast.expr | None) -> Iterator[Mutant]:
    if isinstance(node, ast.Call) and full_name(source, node.func) in _LOG_SOFTMAX:
        func = text(source, node.func).replace("log_softmax", "softmax")
        yield from mutant(source, node.lineno, [replaced(source, node.func, func)])


_LOG_SOFTMAX = ("torch.nn.functional.log_softmax", "torch.log_softmax")
_SIGMOID = ("torch.sigmoid", "torch.nn.functional.sigmoid")


@plants("logits-into-bce-loss", "BCELoss", "binary_cross_entropy(")
def sigmoid_is_gone(source: Source) -> Iterator[Mutant]:
    """The sigmoid around the input of a binary cross-entropy is gone."""
    losses = [*loss_calls(source, "binary_cross_entropy", "BCELoss")]
    for scope, call in losses:
        first = value(given(call, 0, "input"))
        shown = held(scope, first) if isinstance(first, ast.Name) else first
        match shown:
            case ast.Call(func=func, args=[inner]) if full_name(source, func) in _SIGMOID:
                yield from mutant(source, shown.lineno, [replaced(source, shown, text(source, inner))])
            case ast.Call(func=ast.Attribute(value=inner, attr="sigmoid"), args=[]):
                yield from mutant(source, shown.lineno, [replaced(source, shown, text(source, inner))])


@plants("logits-into-bce-loss", "BCELoss", "binary_cross_entropy(")
def last_sigmoid_is_gone(source: Source) -> Iterator[Mutant]:
    """The only sigmoid of a file is gone that computes a binary cross-entropy of probabilities."""
    if not any(True for _ in loss_calls(source, "binary_cross_entropy", "BCELoss")):
        return
    every = calls_of(source, source.tree, *_SIGMOID, "torch.nn.Sigmoid")
    if len(every) != 1 or ".sigmoid()" in source.text:
        return
    match every[0]:
        case ast.Call(args=[inner]) as applied:
            yield from mutant(source, applied.lineno, [replaced(source, applied, text(source, inner))])
        case ast.Call(args=[]) as layer:
            name = spelled(source, "torch.nn.Identity")
            if name is not None:
                yield from mutant(source, layer.lineno, [replaced(source, layer, f"{name}()")])


@plants("kl-div-of-probabilities", "kl_div", "KLDivLoss")
def probabilities_for_divergence(source: Source) -> Iterator[Mutant]:
    """`softmax` in the place of the `log_softmax` that is the first argument of a divergence."""
    for scope, call in loss_calls(source, "kl_div", "KLDivLoss"):
        first = value(given(call, 0, "input"))
        shown = held(scope, first) if isinstance(first, ast.Name) else first
        yield from _without_logarithm(source, shown)


@plants("log-target-mismatch", "kl_div", "KLDivLoss")
def logarithms_for_target(source: Source) -> Iterator[Mutant]:
    """`log_target=True` is gone, or the target that is a softmax is a `log_softmax`."""
    for scope, call in loss_calls(source, "kl_div", "KLDivLoss"):
        told = [call, held(scope, call.func)]
        log_target = [
            (one, found)
            for one in told
            if isinstance(one, ast.Call) and (found := keyword(one, "log_target"))
        ]
        target = value(given(call, 1, "target"))
        shown = held(scope, target) if isinstance(target, ast.Name) else target
        if log_target and isinstance(shown, ast.Call) and full_name(source, shown.func) in _LOG_SOFTMAX:
            yield from mutant(source, call.lineno, [without(source, *log_target[0])])
        names = ("torch.nn.functional.softmax", "torch.softmax")
        if not log_target and isinstance(shown, ast.Call) and full_name(source, shown.func) in names:
            func = text(source, shown.func).replace("softmax", "log_softmax")
            yield from mutant(source, shown.lineno, [replaced(source, shown.func, func)])


@plants("log-of-softmax", "log_softmax", "logsigmoid", "LogSigmoid")
def logarithm_of_its_own(source: Source) -> Iterator[Mutant]:
    """`F.log_softmax(x, dim=1)` is `torch.log(F.softmax(x, dim=1))`; `F.logsigmoid(x)` alike."""
    log = spelled(source, "torch.log")
    for call in calls_of(source, source.tree, *_LOG_SOFTMAX) if log is not None else ():
        inner = text(source, call.func).replace("log_softmax", "softmax")
        rest = source.text[source.span(call.func).end : source.span(call).end]
        yield from mutant(source, call.lineno, [replaced(source, call, f"{log}({inner}{rest})")])
    sigmoid = spelled(source, "torch.sigmoid")
    for call in calls_of(source, source.tree, "torch.nn.functional.logsigmoid") if sigmoid and log else ():
        rest = source.text[source.span(call.func).end : source.span(call).end]
        yield from mutant(source, call.lineno, [replaced(source, call, f"{log}({sigmoid}{rest})")])


@plants("unstable-logarithm", "log1p", "expm1", "logsumexp")
def unstable(source: Source) -> Iterator[Mutant]:
    """`log(1 + x)` for `log1p`, `exp(x) - 1` for `expm1`, `log(sum(exp(x)))` for `logsumexp`."""
    torch = spelled(source, "torch")
    for node in ast.walk(source.tree) if torch is not None else ():
        if not isinstance(node, ast.Call) or not is_seen_whole(node):
            continue
        name = full_name(source, node.func).removeprefix("torch.")
        operands = list(node.args)
        if isinstance(node.func, ast.Attribute) and not full_name(source, node.func):
            name, operands = node.func.attr, [node.func.value, *operands]
        if not operands:
            continue
        x, dim = text(source, operands[0]), [*map(written, operands[1:]), *map(written, node.keywords)]
        match name:
            case "log1p" if not dim:
                edit = f"{torch}.log(1 + {x})"
            case "expm1" if not dim:
                edit = f"({torch}.exp({x}) - 1)"
            case "logsumexp" if dim:
                edit = f"{torch}.log({torch}.sum({torch}.exp({x}), {', '.join(dim)}))"
            case _:
                continue
        yield from mutant(source, node.lineno, [replaced(source, node, edit)])


@plants("sigmoid-before-bce-loss", "binary_cross_entropy_with_logits")
def stable_loss_is_gone(source: Source) -> Iterator[Mutant]:
    """`F.binary_cross_entropy_with_logits(x, y)` is `F.binary_cross_entropy(torch.sigmoid(x), y)`."""
    sigmoid = spelled(source, "torch.sigmoid")
    name = "torch.nn.functional.binary_cross_entropy_with_logits"
    for call in calls_of(source, source.tree, name) if sigmoid is not None else ():
        first = value(given(call, 0, "input"))
        if first is not None and isinstance(call.func, ast.Attribute) and not keyword(call, "pos_weight"):
            func = text(source, call.func).removesuffix("_with_logits")
            edits = [
                replaced(source, call.func, func),
                replaced(source, first, f"{sigmoid}({text(source, first)})"),
            ]
            yield from mutant(source, call.lineno, edits)


@plants(
    "wrong-target-dtype",
    "ross_entropy",
    "CrossEntropyLoss",
    "nll_loss",
    "NLLLoss",
    "BCEWithLogitsLoss",
    "BCELoss",
)
def target_of_another_dtype(source: Source) -> Iterator[Mutant]:
    """Whole numbers for a binary cross-entropy; int32 for cross-entropy; floating point for `nll_loss`."""
    for function, cls, dtype in _DTYPES:
        for _, call in loss_calls(source, function, cls):
            target = value(given(call, 1, "target"))
            if target is not None:
                edit = replaced(source, target, f"{_bracketed(source, target)}.{dtype}()")
                yield from mutant(source, target.lineno, [edit])


_DTYPES = (
    ("binary_cross_entropy", "BCELoss", "long"),
    ("binary_cross_entropy_with_logits", "BCEWithLogitsLoss", "long"),
    ("cross_entropy", "CrossEntropyLoss", "int"),
    ("nll_loss", "NLLLoss", "float"),
)


def _bracketed(source: Source, node: ast.expr) -> str:
    is_plain = isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
    return text(source, node) if is_plain else f"({text(source, node)})"


def _columns(source: Source, losses: tuple[tuple[str, str], ...]) -> Iterator[Mutant]:
    """The target gets a last dimension more, where the sizes of both are written out, and the same."""
    for function, cls in losses:
        for scope, call in loss_calls(source, function, cls):
            target = value(given(call, 1, "target"))
            shapes = (
                written_sizes(source, scope, value(given(call, 0, "input"))),
                written_sizes(source, scope, target),
            )
            if (
                target is not None
                and shapes[0] is not None
                and shapes[0] == shapes[1]
                and len(shapes[0]) == 1
            ):
                edit = replaced(source, target, f"{_bracketed(source, target)}.unsqueeze(-1)")
                yield from mutant(source, target.lineno, [edit])


@plants("broadcast-in-loss", "mse_loss", "MSELoss", "l1_loss", "L1Loss", "huber_loss", "HuberLoss")
def compared_with_every_other(source: Source) -> Iterator[Mutant]:
    """A regression loss of a row and a column: every prediction is compared with every target."""
    losses = (("mse_loss", "MSELoss"), ("l1_loss", "L1Loss"), ("smooth_l1_loss", "SmoothL1Loss"))
    yield from _columns(source, (*losses, ("huber_loss", "HuberLoss")))


@plants("mismatched-target", "binary_cross_entropy", "BCE")
def column_of_targets(source: Source) -> Iterator[Mutant]:
    """A binary cross-entropy of a row and a column."""
    logits = ("binary_cross_entropy_with_logits", "BCEWithLogitsLoss")
    yield from _columns(source, (("binary_cross_entropy", "BCELoss"), logits))
