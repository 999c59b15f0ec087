"""What arguments of layers, losses and modules claim."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from argument_proofs.shared import proves


@proves("torch.nn.*", "device")
def meta_takes_no_memory() -> None:
    assert nn.Linear(2, 3, device="meta").weight.is_meta


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


@proves("torch.nn.Embedding", "max_norm")
def rows_are_shortened_where_they_lie() -> None:
    table = nn.Embedding.from_pretrained(torch.full((3, 4), 10.0), max_norm=1.0)
    looked_up = table(torch.tensor([0]))
    assert looked_up.norm() <= 1.0001 and table.weight[0].norm() <= 1.0001
    assert table.weight[1].norm() == 20


@proves("torch.nn.Embedding", "num_embeddings")
def an_index_that_is_too_great_fails() -> None:
    assert nn.Embedding(3, 2)(torch.tensor([2])).shape == (1, 2)
    with pytest.raises(IndexError):
        nn.Embedding(3, 2)(torch.tensor([3]))


@proves("torch.nn.Embedding", "scale_grad_by_freq")
def what_is_frequent_counts_less() -> None:
    table = nn.Embedding(2, 1, scale_grad_by_freq=True)
    table(torch.tensor([0, 0, 0, 1])).sum().backward()
    assert table.weight.grad is not None and table.weight.grad.flatten().tolist() == [1, 1]


@proves("torch.nn.LSTM", "proj_size")
def the_output_is_projected() -> None:
    output, (h, c) = nn.LSTM(2, 5, proj_size=3)(torch.ones(1, 1, 2))
    assert (output.shape[-1], h.shape[-1], c.shape[-1]) == (3, 3, 5)
    with pytest.raises(ValueError, match="proj_size"):
        nn.LSTM(2, 5, proj_size=5)


@proves("torch.nn.TransformerEncoderLayer", "d_model")
def heads_divide_the_width() -> None:
    assert nn.TransformerEncoderLayer(8, 2, 16)(torch.ones(1, 3, 8)).shape == (1, 3, 8)
    with pytest.raises(AssertionError):
        nn.TransformerEncoderLayer(8, 3, 16)


@proves("torch.nn.TransformerEncoderLayer", "activation")
def two_have_names() -> None:
    for activation in ("relu", "gelu", torch.tanh):
        nn.TransformerEncoderLayer(8, 2, 16, activation=activation)(torch.ones(1, 3, 8))
    with pytest.raises(RuntimeError):
        nn.TransformerEncoderLayer(8, 2, 16, activation="tanh")


@proves("torch.nn.MultiheadAttention", "add_zero_attn")
def weights_need_not_add_up_to_one() -> None:
    query = torch.randn(1, 2, 4)
    _, weights = nn.MultiheadAttention(4, 1, add_zero_attn=True, batch_first=True)(query, query, query)
    assert weights.shape == (1, 2, 3) and torch.all(weights[..., :2].sum(-1) < 1)


@proves("torch.nn.MultiheadAttention", "kdim")
def keys_may_be_narrower() -> None:
    attention = nn.MultiheadAttention(4, 1, kdim=3, vdim=2, batch_first=True)
    output, _ = attention(torch.ones(1, 2, 4), torch.ones(1, 5, 3), torch.ones(1, 5, 2))
    assert output.shape == (1, 2, 4)


@proves("torch.nn.functional.cross_entropy", "target")
def a_target_is_an_index_or_probabilities() -> None:
    x, y = torch.randn(2, 3, 5), torch.randint(3, (2, 5))
    by_index = F.cross_entropy(x, y)
    assert torch.allclose(by_index, F.cross_entropy(x, F.one_hot(y, 3).float().movedim(-1, 1)))
