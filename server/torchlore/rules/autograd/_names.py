"""Functions of torch that several rules speak of."""

from __future__ import annotations

KEEP_TENSORS = ("torch.as_tensor", "torch.Tensor", "torch.FloatTensor")
"""Of a tensor these give the very tensor, or one that shares its numbers."""

MAKERS = ("torch.tensor", *KEEP_TENSORS)
"""What makes a tensor of the numbers of others, without their graph."""
