"""Old names and forms of calls in the place of today's."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Edit, Source, Span

from tests.recall.arguments import given, is_seen_whole, keyword, text, value, with_keyword, without
from tests.recall.binding import Scope, held, scopes, spelled
from tests.recall.mutants import Mutant, mutant, plants, replaced
from tests.recall.syntax import calls_of, full_name, written


@plants("removed-name", "torch.linalg", "linalg.")
def removed_function(source: Source) -> Iterator[Mutant]:
    """`torch.symeig`, `torch.solve`, `torch.lstsq` and `torch.matrix_rank` for what took their place."""
    torch = spelled(source, "torch")
    for call in calls_of(source, source.tree, *_REMOVED) if torch is not None else ():
        if not is_seen_whole(call) or call.keywords:
            continue
        parts = [text(source, argument) for argument in call.args]
        match full_name(source, call.func).removeprefix("torch.linalg."), parts:
            case "eigh", [x]:
                old = f"{torch}.symeig({x}, eigenvectors=True)"
            case "eigvalsh", [x]:
                old = f"{torch}.symeig({x})[0]"
            case "eigvals", [x]:
                old = f"{torch}.eig({x})[0]"
            case "solve", [a, b]:
                old = f"{torch}.solve({b}, {a})[0]"
            case "lstsq", [a, b]:
                old = f"{torch}.lstsq({b}, {a})"
            case "matrix_rank", [x]:
                old = f"{torch}.matrix_rank({x})"
            case _:
                continue
        yield from mutant(source, call.lineno, [replaced(source, call, old)])


_REMOVED = tuple(
    f"torch.linalg.{name}" for name in ("eigh", "eigvalsh", "eigvals", "solve", "lstsq", "matrix_rank")
)


@plants(
    "deprecated-name",
    "init.",
    "clip_grad_norm_",
    "interpolate",
    "linalg",
    "amp.",
    "outer",
    "set_default_dtype",
)
def deprecated_function(source: Source) -> Iterator[Mutant]:
    """`nn.init.xavier_uniform`, `clip_grad_norm`, `F.upsample` and others for today's names."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name = full_name(source, node.func)
        old = _DEPRECATED.get(name)
        if old is not None:
            yield from mutant(source, node.lineno, [_renamed(source, node.func, old)])
        elif (
            name in ("torch.linalg.cholesky", "torch.linalg.qr") and len(node.args) == 1 and not node.keywords
        ):
            torch = spelled(source, "torch")
            if torch is not None:
                edit = replaced(source, node.func, f"{torch}.{node.func.attr}")
                yield from mutant(source, node.lineno, [edit])


def _renamed(source: Source, func: ast.Attribute, name: str) -> Edit:
    end = source.span(func).end
    return Edit(Span(end - len(func.attr), end), name)


_DEPRECATED = {
    **{
        f"torch.nn.init.{name}_": name
        for name in (
            *("xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "orthogonal"),
            *("constant", "normal", "uniform", "eye", "sparse"),
        )
    },
    "torch.nn.utils.clip_grad_norm_": "clip_grad_norm",
    "torch.nn.functional.interpolate": "upsample",
    "torch.outer": "ger",
    "torch.cuda.max_memory_reserved": "max_memory_cached",
    "torch.cuda.memory_reserved": "memory_cached",
}


@plants("deprecated-name", "amp.autocast", "amp.GradScaler")
def deprecated_autocast(source: Source) -> Iterator[Mutant]:
    """`torch.cuda.amp.autocast()` for `torch.amp.autocast("cuda")`, and `GradScaler` alike."""
    torch = spelled(source, "torch")
    names = ("torch.amp.autocast", "torch.autocast", "torch.amp.GradScaler")
    for call in calls_of(source, source.tree, *names) if torch is not None else ():
        match call.args:
            case [ast.Constant(value="cuda") as device]:
                last = full_name(source, call.func).rpartition(".")[2]
                edits = [
                    replaced(source, call.func, f"{torch}.cuda.amp.{last}"),
                    without(source, call, device),
                ]
                yield from mutant(source, call.lineno, edits)


@plants("removed-argument", "lr_scheduler")
def verbose_scheduler(source: Source) -> Iterator[Mutant]:
    """`verbose=True` for a scheduler of torch."""
    for call in calls_of(source, source.tree, *(f"torch.optim.lr_scheduler.{name}" for name in _SCHEDULERS)):
        if is_seen_whole(call) and call.args and not keyword(call, "verbose"):
            yield from mutant(source, call.lineno, [with_keyword(source, call, "verbose=True")])


_SCHEDULERS = (
    *(
        "StepLR",
        "MultiStepLR",
        "ExponentialLR",
        "LambdaLR",
        "CosineAnnealingLR",
        "ReduceLROnPlateau",
        "CyclicLR",
    ),
    *(
        "CosineAnnealingWarmRestarts",
        "OneCycleLR",
        "LinearLR",
        "ConstantLR",
        "SequentialLR",
        "MultiplicativeLR",
    ),
)


@plants(
    "old-call-form",
    "meshgrid",
    "stft",
    "torch.cross",
    "add_(",
    "addcmul",
    "addcdiv",
    "torch.add",
    "torch.sub",
)
def old_form(source: Source) -> Iterator[Mutant]:
    """`meshgrid` without `indexing`, `stft` without `return_complex`, the factor before the tensor."""
    dropped = {"torch.meshgrid": "indexing", "torch.stft": "return_complex", "torch.cross": "dim"}
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or not is_seen_whole(node):
            continue
        name = full_name(source, node.func)
        out = keyword(node, dropped[name]) if name in dropped else None
        if out is not None:
            yield from mutant(source, node.lineno, [without(source, node, out)])
        factor = _factor(source, node)
        if factor is not None:
            at = 1 if name.startswith("torch.") else 0
            first = source.span(node.args[at]).start
            put = Edit(Span(first, first), f"{text(source, factor.value)}, ")
            yield from mutant(source, node.lineno, [put, without(source, node, factor)])


def _factor(source: Source, call: ast.Call) -> ast.keyword | None:
    """The only keyword of `x.add_(y, alpha=a)` or `x.addcmul_(y, z, value=v)`."""
    name = full_name(source, call.func)
    is_function = name.startswith("torch.")
    last = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    count, word = {"add": (1, "alpha"), "sub": (1, "alpha")}.get(last.rstrip("_"), (2, "value"))
    if last.rstrip("_") not in ("add", "sub", "addcmul", "addcdiv") or (name and not is_function):
        return None
    is_plain = len(call.keywords) == 1 and len(call.args) == count + is_function
    return keyword(call, word) if is_plain else None


@plants("byte-mask", "torch.bool", ".bool()")
def mask_of_bytes(source: Source) -> Iterator[Mutant]:
    """A mask is made of `uint8`, not of `bool`; a tensor is indexed with it."""
    for scope in scopes(source):
        for node in scope.nodes:
            if not isinstance(node, ast.Subscript) or not isinstance(node.ctx, ast.Load):
                continue
            mask = held(scope, node.slice) if isinstance(node.slice, ast.Name) else node.slice
            if not isinstance(mask, ast.Call) or not _is_tensor(source, scope, node.value):
                continue
            dtype, func = keyword(mask, "dtype"), mask.func
            if dtype is not None and full_name(source, dtype.value) == "torch.bool":
                edit = replaced(source, dtype.value, written(dtype.value).replace("bool", "uint8"))
                yield from mutant(source, mask.lineno, [edit])
            elif isinstance(func, ast.Attribute) and func.attr == "bool" and not mask.args:
                yield from mutant(source, mask.lineno, [_renamed(source, func, "byte")])


def _is_tensor(source: Source, scope: Scope, node: ast.expr) -> bool:
    """Whether an expression is what a function of torch gives, or a parameter that is said to be a tensor."""
    if isinstance(node, ast.Name) and isinstance(scope.node, ast.FunctionDef):
        said = [arg.annotation for arg in scope.node.args.args if arg.arg == node.id and arg.annotation]
        if said and full_name(source, said[0]) == "torch.Tensor":
            return True
    shown: ast.expr | None = held(scope, node) if isinstance(node, ast.Name) else node
    while isinstance(shown, ast.Call) and not full_name(source, shown.func):
        shown = shown.func.value if isinstance(shown.func, ast.Attribute) else None
    name = full_name(source, shown.func) if isinstance(shown, ast.Call) else ""
    return name.startswith("torch.") and name.rpartition(".")[2].islower()


@plants("deprecated-torchvision-weights", "torchvision")
def pretrained(source: Source) -> Iterator[Mutant]:
    """`pretrained=True` for `weights=...`, of a model of torchvision."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and full_name(source, node.func).startswith("torchvision.models."):
            weights = value(given(node, -1, "weights"))
            told = keyword(node, "weights")
            if told is not None and not (isinstance(weights, ast.Constant) and weights.value is None):
                yield from mutant(source, node.lineno, [replaced(source, told, "pretrained=True")])
            elif not node.args and not node.keywords and _is_function(node):
                yield from mutant(source, node.lineno, [with_keyword(source, node, "pretrained=True")])


def _is_function(call: ast.Call) -> bool:
    """Whether what is called is a function that makes a model, by the case of its name."""
    return isinstance(call.func, ast.Attribute | ast.Name) and written(call.func).rpartition(".")[2].islower()
