"""Mistakes in how losses are told to reduce."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.text import Source

from tests.recall.arguments import keyword, without
from tests.recall.mutants import Mutant, mutant, plants, replaced
from tests.recall.syntax import calls_of, full_name

_LOSSES = tuple(
    name
    for function, cls in (
        ("cross_entropy", "CrossEntropyLoss"),
        ("nll_loss", "NLLLoss"),
        ("binary_cross_entropy", "BCELoss"),
        ("binary_cross_entropy_with_logits", "BCEWithLogitsLoss"),
        ("mse_loss", "MSELoss"),
        ("l1_loss", "L1Loss"),
        ("smooth_l1_loss", "SmoothL1Loss"),
        ("kl_div", "KLDivLoss"),
    )
    for name in (f"torch.nn.functional.{function}", f"torch.nn.{cls}")
)


def _told(source: Source, *kinds: str) -> Iterator[tuple[ast.Call, ast.keyword, str]]:
    """The calls that are told `reduction="sum"`, or another of these, and nothing else about it."""
    for call in calls_of(source, source.tree, *_LOSSES):
        told = keyword(call, "reduction")
        is_old = any(given.arg in ("size_average", "reduce", None) for given in call.keywords)
        if (
            told is not None
            and not is_old
            and isinstance(told.value, ast.Constant)
            and told.value.value in kinds
        ):
            yield call, told, str(told.value.value)


@plants("invalid-reduction", "reduction=")
def unknown_reduction(source: Source) -> Iterator[Mutant]:
    """`reduction="average"`, `"avg"` or `None`, which no loss knows."""
    for call, told, kind in _told(source, "mean", "sum", "none"):
        wrong = {"mean": '"average"', "sum": '"add"', "none": "None"}[kind]
        yield from mutant(source, call.lineno, [replaced(source, told.value, wrong)])


@plants("legacy-reduction", "reduction=")
def old_reduction(source: Source) -> Iterator[Mutant]:
    """`size_average=False` for `reduction="sum"`, `reduce=False` for `reduction="none"`."""
    for call, told, kind in _told(source, "mean", "sum", "none"):
        old = {"mean": "size_average=True", "sum": "size_average=False", "none": "reduce=False"}[kind]
        yield from mutant(source, call.lineno, [replaced(source, told, old)])


@plants("kl-div-mean", "kl_div", "KLDivLoss")
def mean_over_classes(source: Source) -> Iterator[Mutant]:
    """A divergence without its `reduction`: it averages over all elements."""
    for call, told, _ in _told(source, "batchmean", "sum", "none"):
        if full_name(source, call.func).rpartition(".")[2] in ("kl_div", "KLDivLoss"):
            yield from mutant(source, call.lineno, [without(source, call, told)])
