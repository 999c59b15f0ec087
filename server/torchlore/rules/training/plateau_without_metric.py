"""TL107: a scheduler that waits for a plateau is not told the metric."""

from __future__ import annotations

from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.events import Kind
from torchlore.rules import support
from torchlore.rules.model import Family, Finding, Rule, Severity
from torchlore.rules.training._required import steps_without_argument


class PlateauWithoutMetric(Rule):
    """
    ## What it does

    Looks for `step()` of `ReduceLROnPlateau` without the metric that it watches.

    ## Why is this bad?

    It lowers the learning rate when a metric has stopped improving, and it is told the metric at every step,
    most often the validation loss once per epoch. Without it `step()` raises TypeError.

    ## Example

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    for _ in range(10):
        optimizer.zero_grad()
        loss = model(torch.randn(8, 4)).pow(2).mean()
        loss.backward()
        optimizer.step()
        scheduler.step()
    ```

    ## Use instead

    ```py
    import torch

    model = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    for _ in range(10):
        optimizer.zero_grad()
        loss = model(torch.randn(8, 4)).pow(2).mean()
        loss.backward()
        optimizer.step()
        scheduler.step(loss.item())
    ```

    ## Fix safety

    There is no fix: which number is watched is for you to say.

    ## Known limits

    Silent where the scheduler may be of another class.

    ## References

    - [torch.optim.lr_scheduler.ReduceLROnPlateau](https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html)
    """

    code = "TL107"
    name = "plateau-without-metric"
    family = Family.TRAINING
    severity = Severity.ERROR
    since = "0.1.0"
    card = "lr-scheduling"
    trigger = r"\bReduceLROnPlateau\b"
    follows = False

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        plateau = "torch.optim.lr_scheduler.ReduceLROnPlateau"
        for call in steps_without_argument(analysis, Kind.SCHEDULE, plateau):
            name = support.receiver(analysis, call.node)
            message = (
                f"`{name}` is a ReduceLROnPlateau: its `step` needs the metric that it watches, "
                "and raises TypeError without it"
            )
            yield self.finding(message, analysis.source.span(call.node))
