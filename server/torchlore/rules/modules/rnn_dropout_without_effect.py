"""TL314: the dropout of a recurrent network that has one layer."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from torchlore.analysis import Analysis
from torchlore.analysis.called import Called
from torchlore.rules import support
from torchlore.rules.arguments import added, is_written_out, removed
from torchlore.rules.model import Family, Finding, Fix, Rule, Severity
from torchlore.text import Edit, Source


class RnnDropoutWithoutEffect(Rule):
    """
    ## What it does

    Looks for `nn.LSTM`, `nn.GRU` and `nn.RNN` with `dropout` and a single layer.

    ## Why is this bad?

    Dropout is applied between the layers of the stack, to the outputs of all but the last one.
    With one layer there is nothing between, and nothing is ever dropped: the network is not regularized as it
    seems to be. torch gives a warning once, when it is made.

    ## Example

    ```py
    import torch.nn as nn

    lstm = nn.LSTM(16, 32, batch_first=True, dropout=0.5)
    ```

    ## Use instead

    ```py
    import torch.nn as nn

    lstm = nn.LSTM(16, 32, batch_first=True)
    ```

    ## Fix safety

    Removing `dropout` is safe: it does nothing. A second layer, which gives it something to do, is offered as
    well; it is another model.

    ## Known limits

    Speaks only where the number of layers and the dropout are written in the call, or left out.

    ## References

    - [torch.nn.LSTM](https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html)
    """

    code = "TL314"
    name = "rnn-dropout-without-effect"
    family = Family.MODULES
    severity = Severity.WARNING
    since = "0.1.0"
    card = "rnn-lstm-gru"
    trigger = r"\b(?:LSTM|GRU|RNN)\b"
    follows = False

    @classmethod
    def concerns(cls, source: Source) -> bool:
        return _WRITTEN.search(source.text) is not None

    def check(self, analysis: Analysis) -> Iterator[Finding]:
        for call in analysis.called(*_DROPOUT):
            layers, dropout = call.argument(2, "num_layers"), call.argument(_DROPOUT[call.name], "dropout")
            if not is_written_out(call.node) or not isinstance(dropout, ast.Constant) or not dropout.value:
                continue
            if layers is None or (isinstance(layers, ast.Constant) and layers.value == 1):
                name = support.written(analysis, call.node.func)
                message = (
                    f"`{name}` drops nothing: dropout acts between its layers, and there is only one layer"
                )
                fixes = _fixes(analysis, call, layers, dropout)
                yield self.finding(message, analysis.source.span(dropout), fixes=fixes)


_WRITTEN = re.compile(r"\bdropout\s*=\s*[\d.]|\b(?:LSTM|GRU|RNN)\((?:[^,()]+,){5}")
"""Dropout as a number, by name or among the arguments by position."""

_DROPOUT = {"torch.nn.LSTM": 5, "torch.nn.GRU": 5, "torch.nn.RNN": 6}
"""Where `dropout` stands among the arguments."""


def _fixes(analysis: Analysis, call: Called, layers: ast.expr | None, dropout: ast.expr) -> tuple[Fix, ...]:
    without = removed(analysis, call.node, "dropout")
    found = (
        [Fix("Remove `dropout`, which has no effect", (without,), safe=True)] if without is not None else []
    )
    if layers is None:
        second = added(analysis, call.node, "num_layers=2")
    else:
        second = Edit(analysis.source.span(layers), "2")
    if second is not None:
        found.append(Fix("Give it a second layer", (second,), safe=False))
    return tuple(found)
