"""What the file calls things of torch, for repairs that need a name which it may not have imported."""

from __future__ import annotations

from torchlore.analysis import Analysis
from torchlore.analysis.values import Ref


def torch_name(analysis: Analysis) -> str | None:
    """What the file calls torch."""
    frame = analysis.run.frames[analysis.run.module]
    names = (name for name, value in frame.names.items() if isinstance(value, Ref) and value.name == "torch")
    return next(names, None)
