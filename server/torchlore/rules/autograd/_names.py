"""Names of torch: what a file calls it, and functions that several rules speak of."""

from __future__ import annotations

from torchlore.analysis import Analysis
from torchlore.analysis.values import Ref


def torch_name(analysis: Analysis) -> str | None:
    """What the file calls torch."""
    frame = analysis.run.frames[analysis.run.module]
    names = (name for name, value in frame.names.items() if isinstance(value, Ref) and value.name == "torch")
    return next(names, None)


KEEP_TENSORS = ("torch.as_tensor", "torch.Tensor", "torch.FloatTensor")
"""Of a tensor these give the very tensor, or one that shares its numbers."""

MAKERS = ("torch.tensor", *KEEP_TENSORS)
"""What makes a tensor of the numbers of others, without their graph."""
