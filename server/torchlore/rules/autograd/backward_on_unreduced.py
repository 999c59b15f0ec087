"""TL208: `backward` is called on a loss for each sample, not on one number."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.analysis.names import words
from torchlore.analysis.values import Const, Instance
from torchlore.rules import bindings, support
from torchlore.rules.autograd._losses import losses
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Span


class BackwardOnUnreduced(Rule):
    """
    ## What it does

    Looks for `backward()` on what a loss gave that was told `reduction="none"`, with nothing between.

    ## Why is this bad?

    Such a loss is a tensor with one number for each sample. `backward()` needs to be told what to weigh them
    by, unless there is only one number, and raises RuntimeError: "grad can be implicitly created only for
    scalar outputs".

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 3)
    criterion = torch.nn.CrossEntropyLoss(reduction="none")
    loss = criterion(model(torch.randn(8, 4)), torch.zeros(8, dtype=torch.long))
    loss.backward()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 3)
    criterion = torch.nn.CrossEntropyLoss(reduction="none")
    loss = criterion(model(torch.randn(8, 4)), torch.zeros(8, dtype=torch.long))
    loss.mean().backward()
    ```

    ## Fix safety

    Unsafe, as there are two: the mean of the losses, as by default, or their sum. They differ by how large
    the gradients are.

    ## Known limits

    Speaks only of losses of torch whose `reduction` is a literal, and where the function assigns nothing else
    to the name. Silent where `backward` is given weights.

    ## References

    - [torch.Tensor.backward](https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html)
    - [torch.nn.CrossEntropyLoss](https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html)
    """

    code = "TL208"
    name = "backward-on-unreduced"
    family = Family.AUTOGRAD
    severity = Severity.ERROR
    since = "0.1.0"
    card = "backpropagation"
    trigger = r"\breduction\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        unreduced = {call.node for call in analysis.called(*_LOSSES) if _is_unreduced(call)}
        for loss, events in losses(analysis).items() if unreduced else ():
            if not analysis.owns(loss) or not all(_weighs_nothing(event.node) for event in events):
                continue
            made = bindings.values_of(analysis, loss) if isinstance(loss, ast.Name) else [loss]
            if made and unreduced.issuperset(made):
                yield from self._report(analysis, loss, made)

    def _report(self, analysis: Analysis, loss: ast.expr, made: list[ast.expr]) -> Iterator[Finding]:
        scope = bindings.scope_of(analysis, loss)
        if scope is None or not analysis.is_whole(scope):
            return
        name = support.written(analysis, loss)
        message = (
            f"`{name}` holds a number for each sample (`reduction=none`): "
            "`backward` raises RuntimeError unless they become one"
        )
        related = support.related(analysis, made[0], "computed here") if made[0] is not loss else ()
        fixes = tuple(_reduced(analysis, loss, how) for how in ("mean", "sum"))
        yield self.finding(message, analysis.source.span(loss), fixes=fixes, related=related)


def _weighs_nothing(node: ast.AST) -> bool:
    """Whether `backward` is called without `gradient`, its first argument."""
    if not isinstance(node, ast.Call):
        return False
    return not node.args and all(keyword.arg in _OTHERS for keyword in node.keywords)


_OTHERS = ("retain_graph", "create_graph", "inputs")


def _is_unreduced(call: Called) -> bool:
    """Whether a loss was told to give one number for each sample."""
    if call.receiver is None:
        return call.literal(-1, "reduction") == "none"
    made = call.receiver.arguments if isinstance(call.receiver, Instance) else None
    told = made.keywords.get("reduction") if made is not None else None
    return isinstance(told, Const) and told.value == "none"


_FUNCTIONS = words(
    """
    binary_cross_entropy binary_cross_entropy_with_logits cosine_embedding_loss cross_entropy
    gaussian_nll_loss hinge_embedding_loss huber_loss kl_div l1_loss margin_ranking_loss mse_loss
    multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss nll_loss poisson_nll_loss
    smooth_l1_loss soft_margin_loss triplet_margin_loss
    """
)
_CLASSES = words(
    """
    BCELoss BCEWithLogitsLoss CosineEmbeddingLoss CrossEntropyLoss GaussianNLLLoss HingeEmbeddingLoss
    HuberLoss KLDivLoss L1Loss MSELoss MarginRankingLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss
    MultiMarginLoss NLLLoss PoissonNLLLoss SmoothL1Loss SoftMarginLoss TripletMarginLoss
    """
)
_LOSSES = (
    *(f"torch.nn.functional.{name}" for name in sorted(_FUNCTIONS)),
    *(f"torch.nn.{name}()" for name in sorted(_CLASSES)),
)
"""Losses of torch that give one number for each sample where they are told so."""


def _reduced(analysis: Analysis, loss: ast.expr, how: str) -> Fix:
    end = analysis.source.span(loss).end
    title = f"Take the {how} of the losses: `.{how}()`"
    return Fix(title, (Edit(Span(end, end), f".{how}()"),), safe=False)
