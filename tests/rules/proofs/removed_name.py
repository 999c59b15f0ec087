"""TL901: what was removed raises, and what takes its place does what it did."""

from types import ModuleType

import pytest
import torch


def principal_axis(points: torch.Tensor) -> torch.Tensor:
    """The direction in which points vary most."""
    centred = points - points.mean(dim=0)
    covariance = centred.T.mm(centred) / len(points)
    return torch.symeig(covariance, eigenvectors=True)[1][:, -1]


def rank() -> torch.Tensor:
    return torch.matrix_rank(torch.ones(3, 3))


def solution() -> torch.Tensor:
    right, left = torch.ones(2, 1), 2 * torch.eye(2)
    x, _ = torch.solve(right, left)
    return x


def prove(bad: ModuleType, good: ModuleType) -> None:
    along = torch.linspace(-1, 1, 50)
    points = torch.stack([3 * along, 4 * along], dim=1) + 0.01 * torch.randn(50, 2)
    for name, given in (("principal_axis", (points,)), ("rank", ()), ("solution", ())):
        with pytest.raises(RuntimeError, match=r"deprecated since version 1\.9 and is now removed"):
            getattr(bad, name)(*given)
    assert torch.allclose(good.principal_axis(points).abs(), torch.tensor([0.6, 0.8]), atol=0.05)
    assert good.rank() == 1
    assert torch.equal(good.solution(), torch.full((2, 1), 0.5))
