"""Runs what `knowledge/arguments.toml` claims: one function for each argument, by its name there."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, DistributedSampler, IterableDataset

PROOFS: dict[tuple[str, str], Callable[[], None]] = {}
"""By callable and argument."""


def proves(function: str, argument: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def keep(proof: Callable[[], None]) -> Callable[[], None]:
        PROOFS[function, argument] = proof
        return proof

    return keep


def stepped(
    make: Callable[[list[torch.Tensor]], torch.optim.Optimizer], grads: list[float], start: float = 1.0
) -> float:
    """Where a parameter ends that begins at `start` and is given these gradients, a step for each."""
    parameter = torch.tensor([start], requires_grad=True)
    optimizer = make([parameter])
    for grad in grads:
        parameter.grad = torch.tensor([grad])
        optimizer.step()
    return parameter.item()


def rates(scheduler: torch.optim.lr_scheduler.LRScheduler, steps: int) -> list[float]:
    """The rate at first and after each of so many steps."""
    found = [scheduler.optimizer.param_groups[0]["lr"]]
    for _ in range(steps):
        scheduler.optimizer.step()
        scheduler.step()
        found.append(scheduler.optimizer.param_groups[0]["lr"])
    return found


def sgd(lr: float = 1.0) -> torch.optim.SGD:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)


@proves("torch.optim.LBFGS", "params")
def lbfgs_takes_one_group() -> None:
    with pytest.raises(ValueError, match="parameter groups"):
        torch.optim.LBFGS(
            [{"params": [nn.Parameter(torch.zeros(1))]}, {"params": [nn.Parameter(torch.ones(1))]}]
        )


@proves("torch.optim.AdamW", "weight_decay")
def decay_is_decoupled() -> None:
    assert stepped(lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.5), [0.0]) == pytest.approx(1 - 0.05)


@proves("torch.optim.SGD", "weight_decay")
def decay_is_added_to_the_gradient() -> None:
    assert stepped(lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.5), [0.0]) == pytest.approx(1 - 0.05)
    scaled = stepped(lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.5), [0.0])
    assert scaled == pytest.approx(0.9, abs=1e-3)  # a whole step, however small the decay


@proves("torch.optim.SGD", "momentum")
def momentum_speeds_up_tenfold() -> None:
    walked = [stepped(lambda p: torch.optim.SGD(p, lr=1, momentum=0.9), [1.0] * n) for n in (300, 301)]
    assert walked[0] - walked[1] == pytest.approx(10, rel=1e-3)


@proves("torch.optim.SGD", "nesterov")
def nesterov_needs_momentum() -> None:
    for arguments in ({"momentum": 0}, {"momentum": 0.9, "dampening": 0.1}):
        with pytest.raises(ValueError, match="Nesterov"):
            torch.optim.SGD([torch.zeros(1)], lr=1, nesterov=True, **arguments)


@proves("torch.optim.SGD", "dampening")
def dampening_leaves_some_of_the_gradient_out() -> None:
    end = stepped(lambda p: torch.optim.SGD(p, lr=1, momentum=0.9, dampening=0.5), [1.0, 1.0], start=0.0)
    assert end == pytest.approx(-(1 + (0.9 * 1 + 0.5)))  # torch begins with the whole first gradient


@proves("torch.optim.*", "maximize")
def maximize_goes_up() -> None:
    assert stepped(lambda p: torch.optim.SGD(p, lr=1, maximize=True), [1.0]) == 2


@proves("torch.optim.*", "fused")
def fused_excludes_foreach() -> None:
    with pytest.raises(RuntimeError, match="fused"):
        torch.optim.Adam([torch.zeros(1)], fused=True, foreach=True)


@proves("torch.optim.Optimizer.zero_grad", "set_to_none")
def none_is_skipped_and_zeros_are_not() -> None:
    ends = []
    for to_none in (True, False):
        parameter = torch.ones(1, requires_grad=True)
        optimizer = torch.optim.SGD([parameter], lr=0.1, momentum=0.9)
        parameter.grad = torch.ones(1)
        optimizer.step()
        optimizer.zero_grad(set_to_none=to_none)
        assert (parameter.grad is None) is to_none
        optimizer.step()
        ends.append(parameter.item())
    assert ends[0] == pytest.approx(0.9) and ends[1] == pytest.approx(0.81)


@proves("torch.Tensor.backward", "retain_graph")
def the_graph_is_kept_where_one_is_created() -> None:
    x = torch.ones(1, requires_grad=True)
    y = (x * x).sum()
    torch.autograd.grad(y, x, create_graph=True)
    torch.autograd.grad(y, x, retain_graph=True)
    torch.autograd.grad(y, x)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(y, x)


@proves("torch.Tensor.backward", "gradient")
def a_vector_needs_a_gradient() -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="scalar outputs"):
        (x * 2).backward()
    (x * 2).backward(torch.tensor([1.0, 3.0]))
    assert x.grad is not None and x.grad.tolist() == [2, 6]


@proves("torch.Tensor.backward", "inputs")
def only_inputs_get_gradients() -> None:
    a, b = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    (a * b).sum().backward(inputs=[a])
    assert a.grad is not None and b.grad is None


@proves("torch.autograd.grad", "allow_unused")
def unused_inputs_give_none() -> None:
    a, b = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    assert torch.autograd.grad((a * 2).sum(), [a, b], allow_unused=True)[1] is None
    with pytest.raises(RuntimeError, match="not have been used"):
        torch.autograd.grad((a * 2).sum(), [a, b])


@proves("torch.utils.checkpoint.checkpoint", "use_reentrant")
def the_old_checkpoint_needs_an_input_with_grad() -> None:
    from torch.utils.checkpoint import checkpoint

    layer, x = nn.Linear(2, 2), torch.randn(3, 2)
    checkpoint(layer, x, use_reentrant=False).sum().backward()
    assert layer.weight.grad is not None
    with pytest.warns(UserWarning, match="use_reentrant"):
        checkpoint(layer, x.clone().requires_grad_())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not checkpoint(layer, x, use_reentrant=True).requires_grad


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(4))


class Rows(Dataset):
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> int:
        return index


@proves("torch.utils.data.DataLoader", "batch_size")
def none_batches_nothing() -> None:
    assert [int(item) for item in DataLoader(Rows(), batch_size=None)] == [0, 1, 2, 3, 4]


@proves("torch.utils.data.DataLoader", "shuffle")
def streams_are_not_shuffled() -> None:
    with pytest.raises(ValueError, match="unspecified shuffle"):
        DataLoader(Stream(), shuffle=True)
    with pytest.raises(ValueError, match="mutually exclusive"):
        DataLoader(Rows(), shuffle=True, sampler=[0])


@proves("torch.utils.data.DataLoader", "batch_sampler")
def a_batch_sampler_excludes_the_others() -> None:
    for arguments in ({"batch_size": 2}, {"shuffle": True}, {"sampler": [0]}, {"drop_last": True}):
        with pytest.raises(ValueError, match="mutually exclusive"):
            DataLoader(Rows(), batch_sampler=[[0]], **arguments)


@proves("torch.utils.data.DataLoader", "drop_last")
def a_batch_that_is_not_full_is_left_out() -> None:
    assert len(DataLoader(Rows(), batch_size=2)) == 3
    assert len(DataLoader(Rows(), batch_size=2, drop_last=True)) == 2


@proves("torch.utils.data.DataLoader", "prefetch_factor")
def prefetching_needs_workers() -> None:
    with pytest.raises(ValueError, match="prefetch_factor"):
        DataLoader(Rows(), prefetch_factor=2)
    assert DataLoader(Rows(), num_workers=1).prefetch_factor == 2


@proves("torch.utils.data.DataLoader", "persistent_workers")
def persistence_needs_workers() -> None:
    with pytest.raises(ValueError, match="persistent_workers"):
        DataLoader(Rows(), persistent_workers=True)


@proves("torch.utils.data.DataLoader", "pin_memory")
def pinning_without_an_accelerator_warns() -> None:
    if not torch.accelerator.is_available():
        with pytest.warns(UserWarning, match="no accelerator is found"):
            next(iter(DataLoader(Rows(), pin_memory=True)))


@proves("torch.utils.data.DataLoader", "generator")
def a_seeded_generator_repeats_the_order() -> None:
    orders = [
        [
            batch.tolist()
            for batch in DataLoader(Rows(), shuffle=True, generator=torch.Generator().manual_seed(1))
        ]
        for _ in range(2)
    ]
    assert orders[0] == orders[1]


@proves("torch.utils.data.DistributedSampler", "shuffle")
def epochs_are_alike_without_set_epoch() -> None:
    sampler = DistributedSampler(Rows(), num_replicas=1, rank=0)
    first = list(sampler)
    assert list(sampler) == first
    orders = set()
    for epoch in range(5):
        sampler.set_epoch(epoch)
        orders.add(tuple(sampler))
    assert len(orders) > 1


@proves("torch.utils.data.DistributedSampler", "drop_last")
def items_come_twice_by_default() -> None:
    def drawn(drops: bool) -> list[int]:
        samplers = [
            DistributedSampler(Rows(), num_replicas=2, rank=r, shuffle=False, drop_last=drops) for r in (0, 1)
        ]
        return sorted(index for sampler in samplers for index in sampler)

    assert len(drawn(False)) == 6 and len(set(drawn(False))) == 5
    assert len(drawn(True)) == 4


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


@proves("torch.nn.*", "device")
def meta_takes_no_memory() -> None:
    assert nn.Linear(2, 3, device="meta").weight.is_meta


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


@proves("torch.nn.KLDivLoss", "reduction")
def the_mean_is_smaller_by_the_number_of_classes() -> None:
    p, q = torch.rand(4, 5).softmax(1), torch.rand(4, 5).log_softmax(1)
    loss = {how: F.kl_div(q, p, reduction=how) for how in ("mean", "batchmean", "sum", "none")}
    assert torch.allclose(loss["mean"] * 5, loss["batchmean"]) and torch.allclose(
        loss["batchmean"] * 4, loss["sum"]
    )
    assert loss["none"].shape == (4, 5)


@proves("torch.nn.CrossEntropyLoss", "reduction")
def the_mean_divides_by_the_weights_that_count() -> None:
    x, y, weight = torch.randn(3, 4), torch.tensor([0, 1, -100]), torch.rand(4)
    each = F.cross_entropy(x, y, weight, reduction="none")
    assert each.shape == (3,) and each[2] == 0
    mean = F.cross_entropy(x, y, weight)
    assert torch.allclose(mean, each.sum() / (weight[0] + weight[1]))
    assert torch.allclose(F.cross_entropy(x, y, weight, reduction="sum"), each.sum())


@proves("torch.nn.CrossEntropyLoss", "ignore_index")
def all_ignored_is_nan() -> None:
    x = torch.randn(2, 3, requires_grad=True)
    F.cross_entropy(x, torch.tensor([1, -100])).backward()
    assert x.grad is not None and x.grad[1].abs().sum() == 0
    assert F.cross_entropy(x, torch.tensor([-100, -100])).isnan()


@proves("torch.nn.CrossEntropyLoss", "label_smoothing")
def smoothing_spreads_over_all_classes() -> None:
    x, y = torch.randn(1, 4), torch.tensor([2])
    target = torch.full((1, 4), 0.1 / 4)
    target[0, 2] += 0.9
    assert torch.allclose(F.cross_entropy(x, y, label_smoothing=0.1), F.cross_entropy(x, target))


@proves("torch.nn.BCEWithLogitsLoss", "pos_weight")
def positives_count_more() -> None:
    x, weight = torch.zeros(1), torch.tensor([3.0])
    plain = F.binary_cross_entropy_with_logits(x, torch.ones(1))
    assert torch.allclose(F.binary_cross_entropy_with_logits(x, torch.ones(1), pos_weight=weight), 3 * plain)
    assert torch.allclose(F.binary_cross_entropy_with_logits(x, torch.zeros(1), pos_weight=weight), plain)


@proves("torch.nn.SmoothL1Loss", "beta")
def beta_zero_is_the_l1_loss() -> None:
    x, y = torch.randn(5), torch.randn(5)
    assert torch.allclose(F.smooth_l1_loss(x, y, beta=0), F.l1_loss(x, y))


@proves("torch.nn.HuberLoss", "delta")
def beyond_delta_the_slope_is_delta() -> None:
    x = torch.tensor([10.0], requires_grad=True)
    F.huber_loss(x, torch.zeros(1), delta=2.0).backward()
    assert x.grad is not None and x.grad.item() == 2


@proves("torch.nn.Linear", "bias")
def batch_norm_undoes_a_bias() -> None:
    layer, norm, x = nn.Linear(3, 2), nn.BatchNorm1d(2), torch.randn(8, 3)
    before = norm(layer(x))
    with torch.no_grad():
        layer.bias += 5
    assert torch.allclose(before, norm(layer(x)), atol=1e-4)


@proves("torch.nn.Conv1d", "stride")
def the_formula_gives_the_size() -> None:
    for n, k, s, p, d in ((10, 3, 2, 1, 1), (11, 4, 3, 0, 2), (32, 7, 2, 3, 1)):
        out = nn.Conv1d(1, 1, k, s, p, d)(torch.zeros(1, 1, n)).shape[-1]
        assert out == (n + 2 * p - d * (k - 1) - 1) // s + 1


@proves("torch.nn.Conv1d", "padding")
def same_needs_stride_one() -> None:
    x = torch.zeros(1, 1, 9)
    assert nn.Conv1d(1, 1, 4, padding="same")(x).shape[-1] == 9 == nn.Conv1d(1, 1, 5, padding=2)(x).shape[-1]
    assert nn.Conv1d(1, 1, 4, padding="valid")(x).shape[-1] == 6
    with pytest.raises(ValueError, match="strided"):
        nn.Conv1d(1, 1, 3, stride=2, padding="same")


@proves("torch.nn.Conv1d", "padding_mode")
def padding_is_what_f_pad_makes() -> None:
    x = torch.randn(1, 1, 6)
    for mode in ("zeros", "reflect", "replicate", "circular"):
        layer = nn.Conv1d(1, 1, 3, padding=1, padding_mode=mode)
        padded = F.pad(x, (1, 1), mode="constant" if mode == "zeros" else mode)
        assert torch.allclose(layer(x), F.conv1d(padded, layer.weight, layer.bias))
    ends = {
        m: F.pad(torch.tensor([[[1.0, 2, 3]]]), (1, 1), m).flatten().tolist()
        for m in ("reflect", "replicate", "circular")
    }
    assert ends == {"reflect": [2, 1, 2, 3, 2], "replicate": [1, 1, 2, 3, 3], "circular": [3, 1, 2, 3, 1]}


@proves("torch.nn.Conv1d", "groups")
def groups_must_divide() -> None:
    assert nn.Conv1d(4, 4, 3, groups=4).weight.shape == (4, 1, 3)
    with pytest.raises(ValueError, match="divisible by groups"):
        nn.Conv1d(4, 4, 3, groups=3)


@proves("torch.nn.MaxPool1d", "stride")
def windows_do_not_overlap() -> None:
    assert nn.MaxPool1d(3).stride == 3


@proves("torch.nn.AvgPool1d", "count_include_pad")
def padding_counts_in_the_average() -> None:
    x = torch.ones(1, 1, 3)
    assert nn.AvgPool1d(3, 1, 1)(x)[0, 0, 0].item() == pytest.approx(2 / 3)
    assert nn.AvgPool1d(3, 1, 1, count_include_pad=False)(x)[0, 0, 0].item() == 1


@proves("torch.nn.BatchNorm1d", "momentum")
def momentum_is_the_weight_of_the_new_batch() -> None:
    norm, x = nn.BatchNorm1d(1, momentum=0.25), torch.tensor([[3.0], [5.0]])
    norm(x)
    assert norm.running_mean is not None and norm.running_mean.item() == pytest.approx(0.25 * 4)


@proves("torch.nn.BatchNorm1d", "affine")
def instance_norm_is_not_affine() -> None:
    assert nn.InstanceNorm1d(2).weight is None and nn.GroupNorm(1, 2).weight is not None
    assert nn.BatchNorm1d(2).weight is not None


@proves("torch.nn.BatchNorm1d", "track_running_stats")
def without_statistics_eval_uses_the_batch() -> None:
    norm, x = nn.BatchNorm1d(2, track_running_stats=False), torch.randn(8, 2) + 7
    assert torch.allclose(norm.eval()(x), norm.train()(x))


@proves("torch.nn.Dropout", "p")
def what_stays_is_scaled() -> None:
    kept = nn.Dropout(0.2)(torch.ones(1000))
    assert {round(value, 4) for value in kept.tolist()} == {0.0, 1.25}


@proves("torch.nn.functional.dropout", "training")
def the_function_drops_by_default() -> None:
    assert (F.dropout(torch.ones(1000)) == 0).any() and not (
        F.dropout(torch.ones(1000), training=False) == 0
    ).any()


@proves("torch.nn.GELU", "approximate")
def gelu_has_two_formulas() -> None:
    x = torch.linspace(-2, 2, 9)
    assert torch.allclose(F.gelu(x), x * 0.5 * (1 + torch.erf(x / math.sqrt(2))), atol=1e-6)
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    assert torch.allclose(F.gelu(x, approximate="tanh"), 0.5 * x * (1 + inner.tanh()), atol=1e-6)


@proves("torch.nn.Embedding", "padding_idx")
def padding_has_no_gradient() -> None:
    table = nn.Embedding(3, 2, padding_idx=0)
    table(torch.tensor([0, 1])).sum().backward()
    assert table.weight[0].abs().sum() == 0 and table.weight.grad is not None
    assert table.weight.grad[0].abs().sum() == 0 and table.weight.grad[1].abs().sum() > 0


@proves("torch.nn.Embedding", "sparse")
def adam_takes_no_sparse_gradient() -> None:
    for make, works in (
        (torch.optim.SGD, True),
        (torch.optim.Adagrad, True),
        (torch.optim.SparseAdam, True),
        (torch.optim.Adam, False),
    ):
        table = nn.Embedding(3, 2, sparse=True)
        optimizer = make(table.parameters(), lr=0.1)
        table(torch.tensor([1])).sum().backward()
        if works:
            optimizer.step()
        else:
            with pytest.raises(RuntimeError, match="sparse"):
                optimizer.step()


@proves("torch.nn.EmbeddingBag", "mode")
def bags_are_put_together() -> None:
    for mode, function in (("sum", torch.sum), ("mean", torch.mean), ("max", torch.amax)):
        bag = nn.EmbeddingBag(4, 2, mode=mode)
        assert torch.allclose(bag(torch.tensor([[0, 2]]))[0], function(bag.weight[[0, 2]], 0))


@proves("torch.nn.RNN", "batch_first")
def hidden_states_have_layers_first() -> None:
    out, (hidden, _) = nn.LSTM(3, 5, num_layers=2, batch_first=True)(torch.zeros(4, 7, 3))
    assert out.shape == (4, 7, 5) and hidden.shape == (2, 4, 5)
    assert nn.GRU(3, 5, bidirectional=True)(torch.zeros(7, 4, 3))[0].shape == (7, 4, 10)


@proves("torch.nn.RNN", "dropout")
def one_layer_drops_nothing() -> None:
    with pytest.warns(UserWarning, match="dropout"):
        nn.LSTM(3, 5, dropout=0.5)


@proves("torch.nn.MultiheadAttention", "num_heads")
def heads_must_divide() -> None:
    with pytest.raises(AssertionError, match="divisible"):
        nn.MultiheadAttention(10, 3)


@proves("torch.nn.MultiheadAttention.forward", "key_padding_mask")
def true_hides_a_key() -> None:
    attention, x = nn.MultiheadAttention(4, 1, batch_first=True), torch.randn(1, 3, 4)
    weights = attention(x, x, x, key_padding_mask=torch.tensor([[False, False, True]]))[1]
    assert weights[0, :, 2].abs().sum() == 0
    hidden = torch.ones(3, 3, dtype=torch.bool).triu(1)
    assert attention(x, x, x, attn_mask=hidden)[1][0].triu(1).abs().sum() == 0
    assert attention(x, x, x, need_weights=False)[1] is None


@proves("torch.nn.functional.scaled_dot_product_attention", "attn_mask")
def true_allows_a_pair() -> None:
    q = torch.randn(1, 1, 3, 4)
    allowed = torch.ones(3, 3, dtype=torch.bool).tril()
    masked = F.scaled_dot_product_attention(q, q, q, attn_mask=allowed)
    assert torch.allclose(masked, F.scaled_dot_product_attention(q, q, q, is_causal=True), atol=1e-6)


@proves("torch.nn.functional.scaled_dot_product_attention", "dropout_p")
def attention_drops_whatever_the_mode() -> None:
    q = torch.randn(1, 1, 30, 4)
    assert not torch.equal(*(F.scaled_dot_product_attention(q, q, q, dropout_p=0.5) for _ in range(2)))


@proves("torch.nn.functional.interpolate", "mode")
def images_have_these_modes() -> None:
    for mode, dimensions in (
        ("nearest", 1),
        ("nearest-exact", 1),
        ("linear", 1),
        ("bilinear", 2),
        ("bicubic", 2),
        ("trilinear", 3),
        ("area", 1),
    ):
        assert F.interpolate(torch.zeros(1, 1, *[4] * dimensions), scale_factor=2, mode=mode).shape[-1] == 8
    x = torch.rand(1, 1, 8)
    assert torch.allclose(F.interpolate(x, size=4, mode="area"), F.adaptive_avg_pool1d(x, 4))


@proves("torch.nn.functional.one_hot", "num_classes")
def the_width_is_the_largest_index_and_one() -> None:
    assert F.one_hot(torch.tensor([0, 2])).shape == (2, 3)


@proves("torch.nn.Module.register_buffer", "persistent")
def a_buffer_that_is_not_saved_still_moves() -> None:
    module = nn.Module()
    module.register_buffer("table", torch.zeros(1), persistent=False)
    assert not module.state_dict() and module.double().table.dtype is torch.float64


@proves("torch.nn.Module.load_state_dict", "strict")
def wrong_shapes_raise_either_way() -> None:
    layer = nn.Linear(2, 3)
    loaded = layer.load_state_dict({"module.weight": torch.zeros(3, 2)}, strict=False)
    assert loaded.missing_keys == ["weight", "bias"] and loaded.unexpected_keys == ["module.weight"]
    with pytest.raises(RuntimeError, match="size mismatch"):
        layer.load_state_dict({"weight": torch.zeros(1, 1)}, strict=False)


@proves("torch.nn.Module.load_state_dict", "assign")
def loaded_tensors_are_taken_themselves() -> None:
    layer = nn.Linear(2, 3, device="meta")
    layer.load_state_dict(nn.Linear(2, 3).double().state_dict(), assign=True)
    assert layer.weight.dtype is torch.float64 and not layer.weight.is_meta


@proves("torch.nn.init.kaiming_normal_", "mode")
def variances_are_preserved() -> None:
    for mode, width in (("fan_in", 400), ("fan_out", 100)):
        weight = nn.init.kaiming_normal_(torch.empty(100, 400), mode=mode, nonlinearity="relu")
        assert weight.std().item() == pytest.approx(math.sqrt(2 / width), rel=0.05)


@proves("torch.nn.init.kaiming_normal_", "nonlinearity")
def gains_are_these() -> None:
    gain = nn.init.calculate_gain
    assert gain("relu") == pytest.approx(math.sqrt(2)) == gain("leaky_relu", 0)
    assert (gain("linear"), gain("tanh"), gain("sigmoid"), gain("selu")) == (1, 5 / 3, 1, 0.75)


@proves("torch.optim.lr_scheduler.*", "last_epoch")
def resuming_needs_the_first_rate() -> None:
    with pytest.raises(KeyError, match="initial_lr"):
        torch.optim.lr_scheduler.StepLR(sgd(), 1, last_epoch=3)


@proves("torch.optim.lr_scheduler.StepLR", "step_size")
def the_rate_falls_again_and_again() -> None:
    found = rates(torch.optim.lr_scheduler.StepLR(sgd(), 2, gamma=0.5), 4)
    assert found == [1, 1, 0.5, 0.5, 0.25]
    assert rates(torch.optim.lr_scheduler.ExponentialLR(sgd(), gamma=0.5), 2) == [1, 0.5, 0.25]


@proves("torch.optim.lr_scheduler.CosineAnnealingLR", "T_max")
def the_cosine_rises_again() -> None:
    found = rates(torch.optim.lr_scheduler.CosineAnnealingLR(sgd(), T_max=4, eta_min=0.1), 6)
    assert found[4] == pytest.approx(0.1) and found[5] > found[4]


@proves("torch.optim.lr_scheduler.CosineAnnealingWarmRestarts", "T_0")
def the_rate_jumps_up_again() -> None:
    found = rates(torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(sgd(), T_0=2, T_mult=2), 6)
    assert [step for step, rate in enumerate(found) if rate == 1] == [0, 2, 6]


@proves("torch.optim.lr_scheduler.OneCycleLR", "total_steps")
def one_step_more_raises() -> None:
    scheduler = torch.optim.lr_scheduler.OneCycleLR(sgd(0.5), max_lr=1.0, total_steps=4, pct_start=0.5)
    found = rates(scheduler, 4)
    assert max(found) == pytest.approx(1.0) and found[0] == pytest.approx(1 / 25)
    with pytest.raises(ValueError, match="Tried to step"):
        rates(scheduler, 1)


@proves("torch.optim.lr_scheduler.LinearLR", "start_factor")
def the_rate_is_scaled_at_first() -> None:
    found = rates(torch.optim.lr_scheduler.LinearLR(sgd(), start_factor=0.5, total_iters=2), 3)
    assert found == pytest.approx([0.5, 0.75, 1, 1])


@proves("torch.optim.lr_scheduler.ReduceLROnPlateau", "patience")
def so_many_calls_are_let_pass() -> None:
    optimizer = sgd()
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="max", factor=0.5, patience=2)
    found = []
    for metric in (1.0, 1.0, 1.0, 1.0):
        scheduler.step(metric)
        found.append(optimizer.param_groups[0]["lr"])
    assert found == [1, 1, 1, 0.5]


@proves("torch.nn.utils.clip_grad_norm_", "max_norm")
def the_norm_before_is_returned() -> None:
    p = nn.Parameter(torch.zeros(2))
    p.grad = torch.tensor([3.0, 4.0])
    assert nn.utils.clip_grad_norm_([p], 1.0).item() == 5
    assert p.grad.norm().item() == pytest.approx(1, rel=1e-4)
    p.grad = torch.tensor([3.0, 0.5])
    nn.utils.clip_grad_value_([p], 1.0)
    assert p.grad.tolist() == [1, 0.5]


@proves("torch.nn.utils.clip_grad_norm_", "error_if_nonfinite")
def what_is_not_finite_spreads() -> None:
    p, q = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    for bad in (math.nan, math.inf):
        p.grad, q.grad = torch.tensor([bad]), torch.ones(1)
        nn.utils.clip_grad_norm_([p, q], 1.0)
        assert p.grad.isnan() and (q.grad.isnan() or q.grad == 0)
    with pytest.raises(RuntimeError, match="non-finite"):
        nn.utils.clip_grad_norm_([p, q], 1.0, error_if_nonfinite=True)


@proves("torch.autocast", "device_type")
def autocast_computes_in_the_devices_dtype() -> None:
    x = torch.randn(2, 2)
    with torch.autocast("cpu"):
        assert (x @ x).dtype is torch.bfloat16
    with torch.autocast("cpu", enabled=False):
        assert (x @ x).dtype is torch.float32
    assert torch.get_autocast_dtype("cuda") is torch.float16
    if not torch.cuda.is_available():
        with pytest.warns(UserWarning, match="CUDA is not available"):
            torch.autocast("cuda")


@proves("torch.amp.GradScaler", "init_scale")
def the_scale_halves_and_doubles() -> None:
    p = nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([p], lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=1)
    scales = []
    for factor in (math.inf, 1.0):
        optimizer.zero_grad()
        scaler.scale((p * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
        scales.append(scaler.get_scale())
    assert scales == [4.0, 8.0]


@proves("torch.load", "weights_only")
def code_is_refused() -> None:
    file = io.BytesIO()
    torch.save({"f": print, "w": torch.zeros(1)}, file)
    file.seek(0)
    with pytest.raises(Exception, match="Weights only load failed"):
        torch.load(file)
    file.seek(0)
    assert torch.load(file, weights_only=False)["f"] is print


@proves("torch.load", "map_location")
def tensors_go_where_they_are_sent() -> None:
    file = io.BytesIO()
    torch.save(torch.zeros(1), file)
    file.seek(0)
    assert torch.load(file, map_location="meta").is_meta


@proves("torch.compile", "mode")
def these_modes_exist() -> None:
    modes = set(torch._inductor.list_mode_options())
    assert {"default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs"} <= modes


@proves("torch.compile", "backend")
def these_backends_exist() -> None:
    assert {"inductor", "cudagraphs"} <= set(torch._dynamo.list_backends())
    assert {"eager", "aot_eager"} <= set(torch._dynamo.list_backends(exclude_tags=()))
