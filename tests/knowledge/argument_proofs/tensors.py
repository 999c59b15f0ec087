"""What arguments of functions that make or reduce tensors claim."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from argument_proofs.shared import proves


@proves("torch.zeros", "dtype")
def dtypes_of_new_tensors() -> None:
    default, other = torch.get_default_dtype(), torch.zeros(1, dtype=torch.int16)
    for made in (torch.zeros(1), torch.rand(1), torch.empty(1), torch.eye(1), torch.linspace(0, 1, 2)):
        assert made.dtype is default
    assert torch.tensor([1.0]).dtype is torch.full((1,), 1.0).dtype is torch.arange(1.0).dtype is default
    assert torch.tensor([1]).dtype is torch.full((1,), 1).dtype is torch.arange(1).dtype is torch.int64
    assert torch.randint(3, (1,)).dtype is torch.randperm(3).dtype is torch.int64
    assert torch.ones_like(other).dtype is torch.int16


@proves("torch.zeros", "requires_grad")
def only_floating_tensors_have_gradients() -> None:
    with pytest.raises(RuntimeError, match="floating"):
        torch.zeros(1, dtype=torch.int64, requires_grad=True)


@proves("torch.*", "out")
def out_is_not_for_autograd() -> None:
    out, a = torch.empty(1), torch.ones(1, requires_grad=True)
    assert torch.add(torch.ones(1), 1, out=out) is out
    with pytest.raises(RuntimeError, match="out="):
        torch.add(a, 1, out=out)


@proves("torch.rand", "generator")
def a_generator_leaves_the_global_state_alone() -> None:
    before = torch.get_rng_state()
    torch.rand(3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(before, torch.get_rng_state())


@proves("torch.Tensor.to", "device")
def what_is_there_already_is_not_copied() -> None:
    x = torch.zeros(1)
    assert x.to("cpu") is x and x.to("cpu", copy=True) is not x
    model = nn.Linear(1, 1)
    assert model.to("cpu") is model


@proves("torch.Tensor.to", "dtype")
def modules_convert_what_is_floating() -> None:
    norm = nn.BatchNorm1d(2).to(torch.float64)
    assert norm.weight.dtype is torch.float64 and norm.num_batches_tracked.dtype is torch.int64


@proves("torch.Tensor.to", "memory_format")
def channels_last_keeps_the_shape() -> None:
    x = torch.zeros(2, 3, 4, 5)
    assert x.to(memory_format=torch.channels_last).shape == x.shape
    assert x.to(memory_format=torch.channels_last).stride(1) == 1


@proves("torch.sum", "dim")
def a_dimension_is_reduced_away() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    assert x.sum(dim=-1).shape == (2,) and x.sum(dim=(0, 1)).shape == () and x.sum().shape == ()
    assert x.sum(dim=1, keepdim=True).shape == (2, 1)
    assert x.max(dim=1).indices.tolist() == [2, 2] and x.argmax().item() == 5
    assert torch.stack([x, x], dim=0).shape == (2, 2, 3) and torch.cat([x, x], dim=0).shape == (4, 3)
    assert x.unsqueeze(-1).shape == (2, 3, 1) and torch.zeros(1, 3, 1).squeeze().shape == (3,)


@proves("torch.softmax", "dim")
def probabilities_add_up_along_it() -> None:
    x = torch.randn(2, 3, 4)
    assert torch.allclose(torch.softmax(x, dim=1).sum(dim=1), torch.ones(2, 4))


@proves("torch.flatten", "start_dim")
def the_layer_keeps_the_batch() -> None:
    x = torch.zeros(2, 3, 4)
    assert nn.Flatten()(x).shape == (2, 12) and torch.flatten(x).shape == (24,)


@proves("torch.std", "correction")
def one_is_subtracted_by_default() -> None:
    x = torch.tensor([0.0, 2.0])
    assert x.var().item() == 2 and x.var(correction=0).item() == 1


@proves("torch.meshgrid", "indexing")
def grids_have_two_orders() -> None:
    a, b = torch.arange(2), torch.arange(3)
    assert torch.meshgrid(a, b, indexing="ij")[0].shape == (2, 3)
    assert torch.meshgrid(a, b, indexing="xy")[0].shape == (3, 2)


@proves("torch.Tensor.scatter_reduce_", "reduce")
def values_of_one_index_are_put_together() -> None:
    index, values = torch.zeros(2, dtype=torch.int64), torch.tensor([2.0, 4.0])
    wanted = {"sum": 6.0, "prod": 8.0, "mean": 3.0, "amax": 4.0, "amin": 2.0}
    for how, value in wanted.items():
        made = torch.zeros(1).scatter_reduce_(0, index, values, reduce=how, include_self=False)
        assert made.item() == value


@proves("torch.arange", "end")
def the_end_is_left_out() -> None:
    assert torch.arange(1, 4).tolist() == [1, 2, 3] and torch.arange(2).tolist() == [0, 1]


@proves("torch.flatten", "end_dim")
def dimensions_up_to_the_last_become_one() -> None:
    assert torch.zeros(2, 3, 4).flatten(0, 1).shape == (6, 4)


@proves("torch.stack", "tensors")
def shapes_must_be_alike() -> None:
    with pytest.raises(RuntimeError, match="equal size"):
        torch.stack([torch.zeros(2), torch.zeros(3)])
    assert torch.cat([torch.zeros(2, 3), torch.zeros(1, 3)]).shape == (3, 3)
