"""TL804: a view holds as many numbers as the tensor."""

from types import ModuleType

import pytest
import torch


def flat() -> torch.Tensor:
    images = torch.randn(8, 3, 32, 32)
    return images.view(8, 1024)


def rows() -> torch.Tensor:
    features = torch.zeros(4, 300)
    return features.reshape(-1, 320)


def prove(bad: ModuleType, good: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="is invalid for input of size 24576"):
        bad.flat()
    with pytest.raises(RuntimeError, match="is invalid for input of size 1200"):
        bad.rows()
    assert good.flat().shape == (8, 3072)
    assert good.rows().shape == (4, 300)
