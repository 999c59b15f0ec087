"""Which losses can reduce, and where among their arguments that is told. Facts of torch (2.13)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called

KINDS = ("mean", "sum", "none")


@dataclass(frozen=True, slots=True)
class Positions:
    """Where the parameters of a loss stand that say how it reduces; -1 where one is given by name only."""

    size_average: int = -1
    reduce: int = -1
    reduction: int = -1


def calls(analysis: Analysis) -> Iterator[tuple[Called, Positions]]:
    """The calls in this file that say, or could say, how a loss reduces."""
    for call in analysis.called(*POSITIONS):
        yield call, POSITIONS[call.name]


def allowed(name: str) -> tuple[str, ...]:
    """What the loss takes for `reduction`."""
    return (*KINDS, "batchmean") if name in DIVERGENCES else KINDS


def argument(call: Called, index: int, name: str) -> ast.expr | ast.keyword | None:
    """The argument as it stands among the others, its name included."""
    written = call.argument(index, name)
    if written is None:
        return None
    return next((keyword for keyword in call.node.keywords if keyword.value is written), written)


DIVERGENCES = frozenset({"torch.nn.functional.kl_div", "torch.nn.KLDivLoss"})

POSITIONS = {
    "torch.nn.functional.binary_cross_entropy": Positions(3, 4, 5),
    "torch.nn.functional.binary_cross_entropy_with_logits": Positions(3, 4, 5),
    "torch.nn.functional.cosine_embedding_loss": Positions(4, 5, 6),
    "torch.nn.functional.cross_entropy": Positions(3, 5, 6),
    "torch.nn.functional.ctc_loss": Positions(reduction=5),
    "torch.nn.functional.gaussian_nll_loss": Positions(reduction=5),
    "torch.nn.functional.hinge_embedding_loss": Positions(3, 4, 5),
    "torch.nn.functional.huber_loss": Positions(reduction=2),
    "torch.nn.functional.kl_div": Positions(2, 3, 4),
    "torch.nn.functional.l1_loss": Positions(2, 3, 4),
    "torch.nn.functional.margin_ranking_loss": Positions(4, 5, 6),
    "torch.nn.functional.mse_loss": Positions(2, 3, 4),
    "torch.nn.functional.multi_margin_loss": Positions(5, 6, 7),
    "torch.nn.functional.multilabel_margin_loss": Positions(2, 3, 4),
    "torch.nn.functional.multilabel_soft_margin_loss": Positions(3, 4, 5),
    "torch.nn.functional.nll_loss": Positions(3, 5, 6),
    "torch.nn.functional.poisson_nll_loss": Positions(4, 6, 7),
    "torch.nn.functional.smooth_l1_loss": Positions(2, 3, 4),
    "torch.nn.functional.soft_margin_loss": Positions(2, 3, 4),
    "torch.nn.functional.triplet_margin_loss": Positions(7, 8, 9),
    "torch.nn.functional.triplet_margin_with_distance_loss": Positions(),
    "torch.nn.BCELoss": Positions(1, 2, 3),
    "torch.nn.BCEWithLogitsLoss": Positions(1, 2, 3),
    "torch.nn.CTCLoss": Positions(reduction=1),
    "torch.nn.CosineEmbeddingLoss": Positions(1, 2, 3),
    "torch.nn.CrossEntropyLoss": Positions(1, 3, 4),
    "torch.nn.GaussianNLLLoss": Positions(),
    "torch.nn.HingeEmbeddingLoss": Positions(1, 2, 3),
    "torch.nn.HuberLoss": Positions(reduction=0),
    "torch.nn.KLDivLoss": Positions(0, 1, 2),
    "torch.nn.L1Loss": Positions(0, 1, 2),
    "torch.nn.MSELoss": Positions(0, 1, 2),
    "torch.nn.MarginRankingLoss": Positions(1, 2, 3),
    "torch.nn.MultiLabelMarginLoss": Positions(0, 1, 2),
    "torch.nn.MultiLabelSoftMarginLoss": Positions(1, 2, 3),
    "torch.nn.MultiMarginLoss": Positions(3, 4, 5),
    "torch.nn.NLLLoss": Positions(1, 3, 4),
    "torch.nn.PoissonNLLLoss": Positions(2, 4, 5),
    "torch.nn.SmoothL1Loss": Positions(0, 1, 2),
    "torch.nn.SoftMarginLoss": Positions(0, 1, 2),
    "torch.nn.TripletMarginLoss": Positions(4, 5, 6),
    "torch.nn.TripletMarginWithDistanceLoss": Positions(),
}
