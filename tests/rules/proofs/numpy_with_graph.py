"""TL210: a tensor that requires gradients gives no array."""

from types import ModuleType

import numpy as np
import pytest
import torch

X = torch.linspace(-1, 1, 32).reshape(8, 4)
torch.manual_seed(0)
MODEL = torch.nn.Linear(4, 1)
START = torch.ones(3, requires_grad=True)


def predicted() -> np.ndarray:
    out = MODEL(X)
    out.sum().backward()
    return out.cpu().numpy()


def weights() -> np.ndarray:
    return START.numpy()


def converted() -> np.ndarray:
    out = MODEL(X)
    out.sum().backward()
    return np.asarray(out)


def prove(bad: ModuleType, good: ModuleType) -> None:
    for program in ("predicted", "weights", "converted"):
        with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
            getattr(bad, program)()
    expected = bad.MODEL(X).tolist()
    assert good.predicted().tolist() == expected
    assert good.converted().tolist() == expected
    assert good.weights().tolist() == [1.0, 1.0, 1.0]
