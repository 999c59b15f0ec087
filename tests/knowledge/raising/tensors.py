"""Calls that raise, or warn, what the cards about tensors quote."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import distributions, nn
from torch.nn import functional as F
from torch.utils.data import default_collate


def change_what_exp_saved() -> None:
    y = torch.ones(2, requires_grad=True).exp()
    y.add_(1)
    y.sum().backward()


def shift_within_one_tensor() -> None:
    x = torch.arange(5.0)
    x[1:] = x[:-1]


def unpack_four_chunks() -> None:
    _a, _b, _c, _d = torch.arange(5).chunk(4)


def sparse(places: list[list[int]]) -> torch.Tensor:
    return torch.sparse_coo_tensor(places, torch.ones(2), (2, 2), check_invariants=True)


def jagged(*parts: torch.Tensor) -> torch.Tensor:
    return torch.nested.nested_tensor(list(parts), layout=torch.jagged)


def heads() -> torch.Tensor:
    return jagged(torch.ones(2, 4)).unflatten(-1, [2, 2]).transpose(1, 2)


def in_a_new_process(code: str) -> None:
    """Say again what a program warns of once: whether it has been said here depends on the tests before."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    warnings.warn(done.stderr.partition("UserWarning: ")[2], UserWarning, stacklevel=2)


def warn_of_a_grid_without_indexing() -> None:
    in_a_new_process("import torch; torch.meshgrid(torch.arange(3), torch.arange(2))")


def warn_of_the_default_tensor_type() -> None:
    in_a_new_process("import torch; torch.set_default_tensor_type(torch.FloatTensor)")


def warn_of_a_lost_imaginary_part() -> None:
    in_a_new_process("import torch; torch.ones(2, dtype=torch.complex64).float()")


def warn_of_unchecked_indices() -> None:
    in_a_new_process("import torch; torch.sparse_coo_tensor([[0], [1]], [1.0], (2, 2))")


def warn_of_the_strided_layout() -> None:
    in_a_new_process("import torch; torch.nested.nested_tensor([torch.ones(1)])")


def add_batches_of_equal_lengths() -> None:
    try:
        jagged(torch.ones(2, 4), torch.ones(3, 4)) + jagged(torch.ones(2, 4), torch.ones(3, 4))
    except RuntimeError as error:  # the ragged sizes are numbered through the whole process
        numbers = iter("12")
        raise RuntimeError(re.sub(r"j\d+", lambda _: f"j{next(numbers)}", str(error))) from error


def read_the_old_setting_after_the_new() -> None:
    torch.backends.cuda.matmul.fp32_precision = "tf32"
    try:
        torch.get_float32_matmul_precision()
    finally:
        torch.backends.cuda.matmul.fp32_precision = "none"


def set_interop_threads_twice() -> None:
    threads = torch.get_num_interop_threads()
    torch.set_num_interop_threads(threads)
    torch.set_num_interop_threads(threads)


IMAGES = torch.ones(2, 3, 4, 5)
GRID = torch.arange(6.0).view(2, 3)
PHASES = torch.ones(2, dtype=torch.complex64)
FLOATS, LONGS, MASK = torch.ones(2), torch.ones(2, dtype=torch.int64), torch.ones(2, dtype=torch.bool)
RAISING: dict[str, list[Callable[[], Any]]] = {
    "broadcasting": [
        lambda: F.mse_loss(torch.zeros(4, 1), torch.zeros(4)),
        lambda: F.binary_cross_entropy_with_logits(torch.zeros(4, 1), torch.zeros(4)),
        lambda: torch.ones(2, 3) + torch.ones(2),
        lambda: torch.ones(3).add_(torch.ones(2, 3)),
        lambda: torch.ones(3, 1).expand(3, 4).add_(1),
    ],
    "dtype-promotion": [
        lambda: nn.Linear(2, 1)(torch.ones(1, 2).double()),
        lambda: LONGS.clone().add_(1.5),
        lambda: LONGS.to(torch.uint8).mean(),
        lambda: F.cross_entropy(torch.ones(2, 2), LONGS.int()),
        lambda: torch.allclose(FLOATS, FLOATS.double()),
        lambda: MASK - MASK,
        lambda: FLOATS.to(torch.float8_e4m3fn) + FLOATS.to(torch.float8_e4m3fn),
    ],
    "inplace-ops": [
        change_what_exp_saved,
        lambda: torch.ones(2, requires_grad=True).add_(1),
        lambda: torch.ones(2, requires_grad=True).mul(2).split(1)[0].mul_(2),
        shift_within_one_tensor,
        lambda: LONGS.clone().normal_(),
    ],
    "indexing-gather-scatter": [
        lambda: GRID.gather(1, torch.tensor([2, 0])),
        lambda: GRID[5],
        lambda: GRID.gather(1, torch.tensor([[-1], [0]])),
        lambda: GRID.scatter(0, torch.tensor([[0]]), torch.tensor([[1]])),
        lambda: GRID[torch.tensor([0.0])],
        lambda: GRID[::-1],
    ],
    "cat-stack-split": [
        lambda: torch.stack([GRID, GRID[:1]]),
        lambda: torch.cat([GRID, torch.ones(2, 4)]),
        lambda: torch.cat([torch.tensor(1.0), torch.tensor(2.0)]),
        lambda: torch.cat(GRID, GRID),
        lambda: torch.cat([]),
        unpack_four_chunks,
        lambda: torch.arange(7).split([2, 3]),
        lambda: torch.ones(2, requires_grad=True).mul(2).split(1)[0].mul_(2),
        warn_of_a_grid_without_indexing,
    ],
    "matmul-einsum": [
        lambda: torch.mm(torch.ones(3, 4), torch.ones(3, 4)),
        lambda: torch.mm(torch.ones(5, 2, 3), torch.ones(3, 4)),
        lambda: torch.bmm(torch.ones(5, 2, 3), torch.ones(3, 4)),
        lambda: torch.ones(2, 2) @ torch.ones(2, 2, dtype=torch.int64),
        lambda: torch.einsum("ij,jk->ik", torch.ones(5, 2, 3), torch.ones(3, 4)),
    ],
    "reductions": [
        lambda: GRID.max(1) > 3,
        lambda: torch.ones(1).std(),
        lambda: LONGS.mean(),
        lambda: LONGS.std(),
        lambda: any(GRID > 2),
        lambda: GRID.topk(4),
        lambda: torch.zeros(2**24 + 1).quantile(0.5),
    ],
    "legacy-constructors": [
        lambda: torch.Tensor(1.5),
        lambda: F.cross_entropy(torch.ones(2, 2), torch.Tensor([0, 1])),
        lambda: torch.Tensor([1, 2], dtype=torch.int64),
        lambda: torch.tensor(2, 3),
        lambda: torch.FloatTensor(LONGS),
        lambda: torch.FloatTensor([1, 2], device="cuda"),
        warn_of_the_default_tensor_type,
    ],
    "channels-last": [
        lambda: IMAGES.to(memory_format=torch.channels_last).view(2, -1),
        lambda: IMAGES[0].to(memory_format=torch.channels_last),
    ],
    "sparse-tensors": [
        lambda: sparse([[0, 0], [1, 1]]).values(),
        lambda: torch.sparse_coo_tensor(torch.tensor([[0, 1]]), torch.ones(2), (2, 2)),
        warn_of_unchecked_indices,
        lambda: torch.sparse_coo_tensor([[0, 5], [0, 1]], torch.ones(2), (2, 2), check_invariants=True),
        lambda: sparse([[0, 1], [1, 0]]).exp(),
        lambda: sparse([[0, 1], [1, 0]]) + torch.ones(2, 2),
        lambda: sparse([[0, 1], [1, 0]]).__setitem__(0, 1),
        lambda: sparse([[0, 1], [1, 0]]).reshape(4),
        lambda: default_collate([sparse([[0, 1], [1, 0]])] * 2),
    ],
    "nested-tensors": [
        warn_of_the_strided_layout,
        add_batches_of_equal_lengths,
        lambda: jagged(torch.ones(2, 4), torch.ones(3, 5)),
        lambda: jagged(torch.ones(2, 4), torch.ones(3, 4))[:, 0],
        lambda: nn.MultiheadAttention(4, 2, batch_first=True)(*[jagged(torch.ones(2, 4))] * 3),
        lambda: F.scaled_dot_product_attention(*[heads()] * 3, attn_mask=torch.ones(1, 1, 2, 2).bool()),
        lambda: F.scaled_dot_product_attention(*[heads()] * 3, is_causal=True),
    ],
    "dlpack": [
        lambda: torch.from_dlpack(torch.ones(2, requires_grad=True)),
        lambda: torch.from_dlpack([1, 2]),
        lambda: np.from_dlpack(torch.utils.dlpack.to_dlpack(FLOATS)),
        lambda: np.from_dlpack(FLOATS.bfloat16()),
        lambda: torch.from_dlpack(np.array(["a"])),
        lambda: torch.from_dlpack(torch.eye(2).to_sparse()),
        lambda: torch.from_dlpack(PHASES.conj()),
    ],
    "complex-and-fft": [
        lambda: torch.ones(2, dtype=torch.complex64, requires_grad=True).sum().backward(),
        lambda: PHASES > 0,
        warn_of_a_lost_imaginary_part,
        lambda: nn.Linear(2, 1)(PHASES[None]),
        lambda: torch.fft.fft(FLOATS.half()),
        lambda: torch.stft(torch.ones(1600), 400, window=torch.ones(400)),
        lambda: PHASES.conj().numpy(),
    ],
    "linear-algebra": [
        lambda: torch.symeig(torch.eye(2)),
        lambda: torch.linalg.vector_norm(LONGS),
        lambda: torch.linalg.svd(torch.eye(2).half()),
    ],
    "elementwise-math": [
        lambda: LONGS // 0,
        lambda: torch.testing.assert_close(FLOATS, FLOATS + 1),
        lambda: torch.testing.assert_close(FLOATS, FLOATS, rtol=0.1),
        lambda: MASK and MASK,
        lambda: LONGS**-1,
        lambda: torch.maximum(FLOATS, 2.0),
    ],
    "float32-precision": [
        read_the_old_setting_after_the_new,
        lambda: torch.set_float32_matmul_precision("low"),
        set_interop_threads_twice,
    ],
    "distributions": [
        lambda: distributions.Categorical(torch.tensor([-1.0, 3.0])),
        lambda: distributions.Normal(0.0, -1.0),
        lambda: distributions.Normal(torch.tensor([0.0, torch.nan]), 1.0),
        lambda: distributions.Uniform(0.0, 1.0).log_prob(torch.tensor(2.0)),
        lambda: distributions.Normal(LONGS, LONGS).sample(),
        lambda: distributions.Normal(0.0, 1.0).sample(3),
    ],
}
