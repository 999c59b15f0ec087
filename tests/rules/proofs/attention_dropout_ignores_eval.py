"""TL306: the function drops attention weights whenever `dropout_p` is not zero."""

from types import ModuleType

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout

    def forward(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(q, k, v, dropout_p=self.dropout)


def prove(bad: ModuleType, good: ModuleType) -> None:
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 1, 2, 16, 8)
    wanted = F.scaled_dot_product_attention(q, k, v)
    model = bad.Attention(0.5).eval()
    assert not torch.allclose(model(q, k, v), wanted, atol=0.1)
    assert not torch.allclose(model(q, k, v), model(q, k, v), atol=0.1), (
        "each evaluation gives something else"
    )

    model = good.Attention(0.5).eval()
    assert torch.allclose(model(q, k, v), wanted, atol=1e-6)
    model.train()
    assert not torch.allclose(model(q, k, v), wanted, atol=0.1), "in training it still drops"
