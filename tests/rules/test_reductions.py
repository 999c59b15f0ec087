"""What the rules about reductions say of the parameters of losses is what torch says."""

from __future__ import annotations

import inspect

import pytest
from torchlore.rules.losses._reductions import POSITIONS, Positions

torch = pytest.importorskip("torch", reason="it is compared with torch")


def _positions(parameters: list[inspect.Parameter]) -> Positions:
    by_position = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    found = {
        name: by_position.index(name)
        for name in ("size_average", "reduce", "reduction")
        if name in by_position
    }
    return Positions(**found)


def _losses() -> dict[str, Positions]:
    """Every loss of torch with a parameter `reduction`."""
    found = {}
    for home in (torch.nn, torch.nn.functional):
        for name in dir(home):
            loss = getattr(home, name)
            if not callable(loss) or name.startswith("_"):
                continue
            try:
                parameters = list(inspect.signature(loss).parameters.values())
            except (TypeError, ValueError):
                continue
            if any(parameter.name == "reduction" for parameter in parameters):
                found[f"{home.__name__}.{name}"] = _positions(parameters)
    return found


def test_the_parameters_stand_where_we_say() -> None:
    losses = _losses()
    assert {name: losses.get(name) for name in POSITIONS} == POSITIONS


def test_no_loss_of_torch_is_missing() -> None:
    newer = {"NLLLoss2d", "linear_cross_entropy", "LinearCrossEntropyLoss"}
    assert {name for name in _losses() if name.rpartition(".")[2] not in newer} == set(POSITIONS)
