"""Calls that raise, or warn, what the cards about layers, losses and attention quote."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import torch
from torch import nn, optim
from torch.func import functional_call
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.attention.flex_attention import flex_attention
from torch.nn.utils import fuse_conv_bn_eval, parametrizations, parametrize, prune
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from raising.shared import LABELS, SCORES


class Encoder(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(1))
        self.register_buffer("mean", torch.zeros(1))
        self.register_buffer("mask", torch.ones(size, size))


class Average(nn.Linear):
    """Keeps a running mean of its output, with the graph that led to it."""

    def __init__(self) -> None:
        super().__init__(1, 1)
        self.register_buffer("ema", torch.zeros(1))

    def forward(self, input: Any) -> Any:
        y = super().forward(input)
        self.ema = 0.9 * self.ema + 0.1 * y.mean()
        return y - self.ema


def use_a_buffer_with_history() -> None:
    layer = Average()
    for _ in range(2):
        layer(torch.ones(2, 1)).sum().backward()


def copy_a_buffer_with_history() -> None:
    layer = Average()
    layer(torch.ones(2, 1))
    copy.deepcopy(layer)


def assign_number_to_buffer() -> None:
    Encoder(4).mean = 3


def carry_a_state_with_its_graph() -> None:
    state = None
    for _ in range(2):
        output, state = LSTM(torch.ones(2, 6, 5), state)
        output.sum().backward()


def pack(lengths: list[int]) -> Any:
    return pack_padded_sequence(
        torch.ones(3, 3, 1), torch.tensor(lengths), batch_first=True, enforce_sorted=False
    )


def step_on_a_sparse_gradient(kind: Callable[..., Any], **options: float) -> None:
    table = nn.Embedding(4, 3, sparse=True)
    table(LABELS).sum().backward()
    kind(table.parameters(), lr=0.1, **options).step()


def use_a_weight_that_max_norm_changes() -> None:
    table = nn.Embedding(4, 3, max_norm=0.1)
    squares = (table.weight * table.weight).sum()
    (squares + table(LABELS).sum()).backward()


def attend(**masks: Any) -> None:
    nn.MultiheadAttention(8, 2, batch_first=True)(*[torch.ones(2, 3, 8)] * 3, **masks)


def sdpa(mask: torch.Tensor | None, backends: list[SDPBackend] | None = None, **options: Any) -> None:
    with sdpa_kernel(list(SDPBackend.__members__.values()) if backends is None else backends):
        F.scaled_dot_product_attention(HEADS, HEADS, HEADS, mask, **options)


def encode(x: torch.Tensor, **options: Any) -> None:
    nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 1).eval()(x, **options)


def encode_nothing_but_padding() -> None:
    with torch.inference_mode():
        encode(torch.ones(2, 4, 8), src_key_padding_mask=torch.ones(2, 4, dtype=torch.bool))


class Sym(nn.Module):
    def forward(self, x: Any) -> Any:
        return x.triu() + x.triu(1).mT


def assign_to_a_parametrized_weight() -> None:
    layer = nn.Linear(3, 3)
    parametrize.register_parametrization(layer, "weight", Sym())
    layer.weight = torch.ones(3, 3)


def normed() -> nn.Module:
    return parametrizations.weight_norm(nn.Linear(4, 3))


HEADS = torch.ones(1, 2, 4, 8)
LSTM, GRU = nn.LSTM(5, 7, batch_first=True), nn.GRU(1, 4, batch_first=True)
CONV, IMAGE = nn.Conv2d(3, 8, 3), torch.ones(1, 1, 4, 4)


ELSEWHERE = {"RuntimeError: 'lengths' argument should be a 1D CPU int64 tensor": "a GPU"}

RAISING: dict[str, list[Callable[[], Any]]] = {
    "parameters-and-buffers": [
        use_a_buffer_with_history,
        copy_a_buffer_with_history,
        lambda: Encoder(8).load_state_dict(Encoder(4).state_dict()),
        lambda: Encoder(4).register_buffer("w", torch.zeros(1)),
        lambda: Encoder(4).register_buffer("k", 3),
        assign_number_to_buffer,
        lambda: Encoder(4).register_buffer("a.b", torch.zeros(1)),
        lambda: nn.LazyLinear(3).weight.numel(),
    ],
    "batchnorm": [
        lambda: nn.BatchNorm1d(3)(torch.ones(1, 3)),
        lambda: nn.BatchNorm1d(8)(torch.ones(2, 5, 8)),
        lambda: nn.BatchNorm2d(3)(torch.ones(2, 3)),
        lambda: F.batch_norm(torch.ones(2, 3), None, None),
    ],
    "layer-group-rms-norm": [
        lambda: nn.LayerNorm(8)(torch.ones(2, 7)),
        lambda: nn.GroupNorm(4, 6),
        lambda: F.layer_norm(torch.ones(2, 8), 8),
        lambda: nn.InstanceNorm2d(6)(torch.ones(2, 6, 1, 1)),
        lambda: nn.InstanceNorm2d(6)(torch.ones(2, 5, 4, 4)),
        lambda: nn.RMSNorm(8)(torch.ones(2, 8, dtype=torch.bfloat16)),
        lambda: F.normalize(torch.ones(2)),
    ],
    "dropout": [
        lambda: nn.Dropout2d()(torch.ones(2, 3, 4)),
        lambda: nn.Dropout(1.5),
        lambda: F.dropout(torch.ones(1, requires_grad=True).sigmoid(), 0.5, inplace=True).backward(),
        lambda: nn.LSTM(3, 4, dropout=0.5),
        lambda: F.dropout(LABELS, 0.5),
    ],
    "weight-init": [
        lambda: nn.init.kaiming_normal_(torch.empty(3)),
        lambda: nn.ReLU().apply(lambda layer: nn.init.zeros_(layer.bias)),
        lambda: nn.Linear(1, 1, bias=False).apply(lambda layer: nn.init.zeros_(layer.bias)),
        lambda: nn.Linear(1, 1).weight.normal_(),
        lambda: nn.init.kaiming_normal_(torch.empty(3, 3), nonlinearity="gelu"),
    ],
    "activations": [
        lambda: nn.ReLU(SCORES)(SCORES),
        lambda: F.softmax(SCORES),
        lambda: torch.softmax(SCORES),
        lambda: F.relu(torch.ones(1, requires_grad=True).sigmoid(), inplace=True).backward(),
        lambda: F.relu(torch.ones(1, requires_grad=True), inplace=True),
        lambda: F.glu(torch.ones(2, 3)),
        lambda: nn.PReLU(8)(torch.ones(2, 5)),
    ],
    "bce-and-imbalance": [
        lambda: F.binary_cross_entropy_with_logits(torch.ones(4), LABELS),
        lambda: F.binary_cross_entropy_with_logits(torch.ones(3, 1), torch.ones(3)),
        lambda: F.binary_cross_entropy(torch.tensor([1.5]), torch.ones(1)),
        lambda: nn.BCEWithLogitsLoss(pos_weight=3.0),
        lambda: nn.BCEWithLogitsLoss(pos_weight=torch.ones(2))(torch.ones(4, 3), torch.ones(4, 3)),
    ],
    "regression-and-metric-losses": [
        lambda: F.mse_loss(torch.ones(3, 1), torch.ones(3)),
        lambda: F.kl_div(SCORES, SCORES),
        lambda: F.mse_loss(LABELS, LABELS),
        lambda: F.ctc_loss(
            torch.zeros(2, 12, 5), torch.ones(2, 4), torch.tensor([12, 10]), torch.tensor([4, 3])
        ),
        lambda: torch.cdist(SCORES, SCORES.double()),
    ],
    "conv-shapes": [
        lambda: CONV(torch.ones(1, 32, 32, 3)),
        lambda: nn.Linear(400, 10)(torch.ones(4, 1024)),
        lambda: nn.Conv2d(3, 8, 5)(torch.ones(1, 3, 4, 4)),
        lambda: nn.Conv2d(3, 8, 3, stride=2, padding="same"),
        lambda: CONV(torch.ones(1, 3, 8, 8, dtype=torch.uint8)),
        lambda: nn.Conv2d(3, 8, 3, groups=2),
        lambda: F.pad(torch.ones(1, 1, 2, 3), (3, 0, 0, 0), mode="reflect"),
    ],
    "pooling-and-resize": [
        lambda: F.interpolate(IMAGE.long(), scale_factor=2),
        lambda: F.interpolate(IMAGE[0], scale_factor=2, mode="bilinear"),
        lambda: F.interpolate(IMAGE, scale_factor=2, align_corners=True),
        lambda: F.affine_grid(torch.ones(1, 2, 3), [1, 1, 4, 4]),
        lambda: F.grid_sample(IMAGE, torch.ones(1, 2, 4, 4), align_corners=False),
        lambda: F.max_pool2d(torch.ones(1, 1, 1, 1), 2),
        lambda: F.max_pool2d(IMAGE, 2, padding=2),
    ],
    "rnn-lstm-gru": [
        lambda: LSTM(torch.ones(2, 6, 5), (torch.ones(2, 1, 7), torch.ones(2, 1, 7))),
        lambda: LSTM(torch.ones(2, 6, 5), LSTM(torch.ones(4, 6, 5))[1]),
        lambda: LSTM(torch.ones(2, 6, 5), torch.ones(1, 2, 7)),
        lambda: nn.GRU(5, 7)(torch.ones(6, 2, 5), (torch.ones(1, 2, 7), torch.ones(1, 2, 7))),
        carry_a_state_with_its_graph,
        lambda: nn.Linear(7, 1)(LSTM(torch.ones(2, 6, 5))),
        lambda: LSTM(torch.ones(2, 6, 4)),
        lambda: LSTM(torch.ones(2, 6, 5, dtype=torch.int64)),
    ],
    "packed-sequences": [
        lambda: pack([2, 3, 0]),
        lambda: GRU(pack([2, 4, 1])),
        lambda: nn.Linear(4, 2)(pack([2, 3, 1])),
        lambda: pack([2, 3, 1]).shape,
        lambda: pad_sequence([[1, 2], [3]]),
        lambda: pad_sequence([torch.ones(2, 3), torch.ones(2, 4)]),
    ],
    "embeddings": [
        lambda: nn.Embedding(2, 3)(LABELS),
        lambda: nn.Embedding(4, 3)(SCORES),
        lambda: nn.Embedding(4, 3)([1, 2]),
        lambda: step_on_a_sparse_gradient(optim.Adam),
        lambda: step_on_a_sparse_gradient(optim.SGD, weight_decay=0.1),
        use_a_weight_that_max_norm_changes,
        lambda: nn.EmbeddingBag(4, 3)(LABELS),
    ],
    "multihead-attention": [
        lambda: nn.MultiheadAttention(8, 2)(*[torch.ones(4, 5, 8)] * 3, torch.zeros(4, 5, dtype=torch.bool)),
        lambda: attend(key_padding_mask=torch.zeros(2, 3, dtype=torch.int64)),
        lambda: attend(key_padding_mask=torch.zeros(2, 3, dtype=torch.bool), attn_mask=torch.zeros(3, 3)),
        lambda: attend(is_causal=True),
        lambda: nn.MultiheadAttention(8, 2)(torch.ones(3, 8)),
        lambda: nn.MultiheadAttention(8, 3),
        lambda: nn.MultiheadAttention(8, 2)(*[torch.ones(3, 6)] * 3),
        lambda: attend(attn_mask=torch.zeros(4, 4)),
    ],
    "sdpa": [
        lambda: sdpa(torch.ones(4, 4, dtype=torch.int64)),
        lambda: sdpa(torch.ones(4, 4, dtype=torch.bool), [SDPBackend.MATH], is_causal=True),
        lambda: sdpa(torch.ones(3, 3, dtype=torch.bool)),
        lambda: sdpa(None, []),
        lambda: sdpa(None, [SDPBackend.FLASH_ATTENTION], dropout_p=0.1),
        lambda: F.scaled_dot_product_attention(HEADS, HEADS.double(), HEADS),
        lambda: F.scaled_dot_product_attention(torch.ones(1, 8, 4, 8), HEADS, HEADS),
        lambda: flex_attention(HEADS, HEADS, HEADS),
        lambda: flex_attention(HEADS.clone().requires_grad_(), HEADS, HEADS),
    ],
    "transformer-encoder": [
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2), 1),
        lambda: encode(torch.ones(2, 4, 8), is_causal=True),
        lambda: encode(torch.ones(1, 4, 3)),
        lambda: nn.TransformerEncoderLayer(8, 2, activation="silu"),
        lambda: encode(torch.ones(2, 4, 8), mask=torch.zeros(3, 3)),
        encode_nothing_but_padding,
        lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2), 1)(torch.ones(2, 4, 8)),
    ],
    "module-containers": [
        lambda: optim.SGD(nn.Module().parameters()),
        lambda: nn.ModuleList()(IMAGE),
        lambda: nn.ModuleList(nn.ReLU(), nn.ReLU()),
        lambda: nn.ModuleList(nn.Linear(1, 1)),
        lambda: nn.ModuleList([F.relu]),
        lambda: nn.ModuleDict({"a.b": nn.ReLU()}),
        lambda: nn.ModuleDict({"keys": nn.ReLU()}),
        lambda: nn.ModuleDict({1: nn.ReLU()}),
        lambda: nn.ModuleDict().get("a"),
    ],
    "functional-vs-module": [
        lambda: nn.MSELoss(SCORES, SCORES),
        lambda: nn.Linear(SCORES),
        lambda: nn.Sequential(F.relu),
        lambda: F.linear(torch.ones(2, 4), torch.ones(4, 3)),
        lambda: nn.relu(SCORES),
        lambda: F.Linear(3, 3),
        lambda: functional_call(
            nn.Sequential(nn.Linear(1, 1)), {"0.weight": torch.ones(1, 1)}, (), strict=True
        ),
    ],
    "parametrize-and-prune": [
        lambda: normed().load_state_dict(nn.Linear(4, 3).state_dict()),
        lambda: pickle.dumps(normed()),
        lambda: copy.deepcopy(prune.l1_unstructured(nn.Linear(4, 1), "weight", amount=0.5)),
        assign_to_a_parametrized_weight,
        lambda: parametrize.register_parametrization(nn.Linear(3, 3), "weight", nn.Flatten(0)),
        lambda: prune.l1_unstructured(nn.Linear(2, 2), "weight", amount=5),
        lambda: fuse_conv_bn_eval(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)),
    ],
}
