"""Calls that raise, or warn, what cards about training, its gradients and its data quote."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.utils.data as data
from torch import nn, optim
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn import utils
from torch.optim import lr_scheduler, swa_utils
from torch.utils.checkpoint import checkpoint, checkpoint_sequential
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from raising.shared import weight

ONES = torch.ones(2)


def leaf(*values: float) -> torch.Tensor:
    return torch.tensor(values or (1.0, 1.0), requires_grad=True)


def function(forward: Any, backward: Any, name: str = "Scale") -> Any:
    """A class like one that a user writes, under the name that the cards give it."""
    return type(name, (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})


def twice(square: Any, *, backward: bool) -> None:
    x = leaf()
    (g,) = torch.autograd.grad((square.apply(x) * x).sum(), x, create_graph=True)
    g.sum().backward() if backward else torch.autograd.grad(g.sum(), x)


def numpy_in_backward() -> None:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**2

    def backward(ctx: Any, grad: Any) -> Any:
        return torch.from_numpy(2 * ctx.saved_tensors[0].numpy() * grad.numpy())

    twice(function(forward, backward), backward=True)


def differentiate_once_twice() -> None:
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**2

    twice(
        function(forward, once_differentiable(lambda ctx, grad: 2 * ctx.saved_tensors[0] * grad)),
        backward=True,
    )


class WithDict(nn.Module):
    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"y": x * 2}


def hooked(model: nn.Module, *, old: bool = False) -> nn.Module:
    register = model.register_backward_hook if old else model.register_full_backward_hook
    register(lambda *_: None)
    return model


def both_kinds_of_backward_hook() -> None:
    hooked(hooked(nn.Linear(2, 2), old=True))


def per_sample_batch_norm() -> None:
    norm = nn.BatchNorm1d(2)
    torch.func.grad(lambda x: norm(x).sum())(torch.ones(2, 2))


def gradient_of_a_gradient_not_recorded() -> None:
    x = leaf()
    (g,) = torch.autograd.grad(x.square().sum(), x)
    torch.autograd.grad(g.sum(), x)


def backward_with_create_graph() -> None:
    torch.set_warn_always(True)  # else only the first call of the process warns
    try:
        leaf(2.0).square().sum().backward(create_graph=True)
    finally:
        torch.set_warn_always(False)


def second_derivative_of_attention() -> None:
    q = torch.randn(1, 2, 4, 8, requires_grad=True)
    out = nn.functional.scaled_dot_product_attention(q, q, q).sum()
    (g,) = torch.autograd.grad(out, q, create_graph=True)
    torch.autograd.grad(g.sum(), q)


def anomaly_in_backward_only() -> None:
    y = torch.sqrt(torch.zeros(1, requires_grad=True)) * 0
    with torch.autograd.detect_anomaly():
        y.backward()


def clip_nan() -> None:
    p = weight()
    p.grad = torch.tensor([torch.nan])
    utils.clip_grad_norm_([p], 1.0, error_if_nonfinite=True)


class Fickle:
    """A block whose second call does something else."""

    def __init__(self, first: Any, second: Any) -> None:
        self.calls = iter([first, second])

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return next(self.calls)(x)


def checkpointed(block: Any, **options: Any) -> torch.Tensor:
    return checkpoint(block, leaf(), **{"use_reentrant": False, **options}).sum()


def grad_of_a_reentrant_checkpoint() -> None:
    x = leaf()
    torch.autograd.grad(checkpoint(torch.sin, x, use_reentrant=True).sum(), x)


def add_group_under_lambda() -> None:
    optimizer = optim.SGD([weight()])
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    optimizer.add_param_group({"params": weight()})
    optimizer.step()
    scheduler.step()


def scaled(*, half: bool = False) -> tuple[torch.amp.GradScaler, optim.SGD]:
    """A scaler on the CPU and an optimizer whose gradient it has scaled."""
    p = nn.Parameter(torch.ones(1, dtype=torch.float16 if half else torch.float32))
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale((p * 2).sum()).backward()
    return scaler, optim.SGD([p])


def unscale_twice() -> None:
    scaler, optimizer = scaled()
    scaler.unscale_(optimizer)
    scaler.unscale_(optimizer)


def step_twice() -> None:
    scaler, optimizer = scaled()
    scaler.step(optimizer)
    scaler.step(optimizer)


def step_another_optimizer() -> None:
    scaler, _ = scaled()
    scaler.step(optim.SGD([weight()]))


def bfloat16_output() -> torch.Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return nn.Linear(2, 2)(ONES)


def average_by_hand() -> None:
    p = weight()
    p.lerp_(weight(), 0.1)


def average_a_model_with_a_result() -> None:
    model = nn.Linear(2, 2)
    model.last = model(ONES)
    swa_utils.AveragedModel(model)


def put_deterministically() -> None:
    torch.use_deterministic_algorithms(True)
    try:
        torch.zeros(3).put_(torch.tensor([0]), torch.ones(1))
    finally:
        torch.use_deterministic_algorithms(False)


class Rows(Dataset[Any]):
    def __getitem__(self, index: int) -> int:
        return index


class Empty(Dataset[Any]):
    def __len__(self) -> int:
        return 1


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Any:
        return iter(range(4))


class Worker(list[str]):
    """Samples that make trouble in the process that loads them."""

    def __getitem__(self, index: Any) -> Any:
        if list.__getitem__(self, index) == "raises":
            raise ValueError("cannot decode cat.jpg")
        if list.__getitem__(self, index) == "sleeps":
            time.sleep(60)
        return index


def load(dataset: Any, **options: Any) -> list[Any]:
    return list(DataLoader(dataset, **options))


def keep_more_tensors_than_files() -> None:
    import resource  # not on Windows

    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 50, limits[1]))
    try:
        load(torch.arange(500), num_workers=1, timeout=30)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


PAIR = TensorDataset(torch.arange(4), torch.arange(4))
RAGGED = [torch.ones(2), torch.ones(3)]
FROZEN = nn.Sequential(nn.Linear(1, 4), nn.Linear(4, 3)).requires_grad_(False)


DOUBLE = function(lambda ctx, x: x * 2, lambda ctx, grad: grad * 2)

RAISING: dict[str, list[Callable[[], Any]]] = {
    "custom-autograd-function": [
        lambda: function(lambda ctx, x, n: x * n, lambda ctx, grad: grad).apply(leaf(), 3).sum().backward(),
        lambda: (
            function(lambda ctx, x: x.sum(), lambda ctx, grad: torch.ones(5) * grad).apply(leaf()).backward()
        ),
        lambda: DOUBLE()(leaf()),
        numpy_in_backward,
        differentiate_once_twice,
        lambda: torch.autograd.gradcheck(torch.sin, leaf()),
        lambda: torch.func.grad(lambda x: DOUBLE.apply(x).sum())(ONES),
    ],
    "hooks": [
        lambda: nn.Sequential(hooked(nn.Linear(2, 2)), nn.ReLU(inplace=True))(ONES),
        lambda: hooked(nn.Linear(2, 2), old=True)(leaf()).sum().backward(),
        both_kinds_of_backward_hook,
        lambda: hooked(WithDict())(leaf())["y"].sum().backward(),
        lambda: ONES.register_hook(print),
        lambda: (leaf() * 2).register_post_accumulate_grad_hook(print),
    ],
    "func-transforms": [
        lambda: torch.func.grad(lambda x: x**2)(ONES),
        lambda: torch.vmap(lambda x: x if x > 0 else -x)(ONES),
        lambda: torch.vmap(lambda x: x + torch.rand(()))(ONES),
        per_sample_batch_norm,
        lambda: torch.func.grad(lambda x: (x.sum().backward(), x.sum())[1])(ONES),
    ],
    "higher-order-grad": [
        gradient_of_a_gradient_not_recorded,
        lambda: torch.autograd.grad(leaf().square().sum(), leaf()),
        lambda: torch.autograd.grad(leaf().square(), leaf()),
        backward_with_create_graph,
        second_derivative_of_attention,
    ],
    "nan-debugging": [
        anomaly_in_backward_only,
        clip_nan,
        lambda: torch.ones(1).std(),
    ],
    "activation-checkpointing": [
        lambda: checkpoint(torch.sin, leaf()),
        lambda: checkpoint(nn.Linear(2, 2), ONES, use_reentrant=True),
        lambda: checkpointed(torch.sin, use_reentrant=True, scale=2),
        grad_of_a_reentrant_checkpoint,
        lambda: checkpointed(Fickle(lambda x: x.exp().sin(), torch.exp)).backward(),
        lambda: checkpointed(Fickle(torch.exp, lambda x: x[:1].exp())).backward(),
        lambda: checkpoint_sequential(nn.Sequential(nn.Linear(2, 2)), 3, leaf(), use_reentrant=False),
    ],
    "freeze-and-finetune": [
        lambda: FROZEN.parameters().requires_grad_(False),
        lambda: FROZEN(torch.ones(1, 1)).sum().backward(),
        lambda: optim.SGD([p for p in FROZEN.parameters() if p.requires_grad]),
        lambda: (lambda p: optim.SGD([p]).add_param_group({"params": p}))(weight()),
        add_group_under_lambda,
        lambda: FROZEN.load_state_dict(
            nn.Sequential(nn.Linear(1, 4), nn.Linear(4, 2)).state_dict(), strict=False
        ),
    ],
    "gradient-clipping": [
        clip_nan,
    ],
    "mixed-precision": [
        lambda: nn.Linear(2, 2)(bfloat16_output()),
        lambda: bfloat16_output().detach().numpy(),
        lambda: (lambda scaler, optimizer: scaler.step(optimizer))(*scaled(half=True)),
        unscale_twice,
        step_twice,
        step_another_optimizer,
        *([] if torch.cuda.is_available() else [lambda: torch.autocast("cuda")]),
    ],
    "weight-averaging": [
        average_by_hand,
        average_a_model_with_a_result,
        lambda: swa_utils.update_bn(
            [{"x": torch.ones(4, 2)}], nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        ),
        lambda: swa_utils.AveragedModel(nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max),
        lambda: swa_utils.get_ema_multi_avg_fn(2),
    ],
    "reproducibility": [
        put_deterministically,
        lambda: torch.multinomial(ONES, 3),
        lambda: torch.multinomial(ONES * torch.nan, 1),
        lambda: torch.bernoulli(torch.tensor([1])),
    ],
    "loss-not-decreasing": [
        lambda: nn.Linear(2, 3)(torch.ones(1, 2)).argmax(1).float().mean().backward(),
    ],
    "dataset-dataloader": [
        lambda: DataLoader(PAIR)[0],
        lambda: next(DataLoader(PAIR)),
        lambda: load(Rows()),
        lambda: load(Empty()),
        lambda: load({"a": 1}),
        lambda: DataLoader([], shuffle=True),
        lambda: load(RAGGED, batch_size=2),
        lambda: DataLoader(Stream(), shuffle=True),
        lambda: DataLoader(PAIR, shuffle=True, sampler=range(4)),
        lambda: TensorDataset(torch.ones(2), torch.ones(3)),
    ],
    "dataloader-workers": [
        lambda: DataLoader(PAIR, persistent_workers=True),
        lambda: DataLoader(PAIR, prefetch_factor=2),
        lambda: DataLoader(PAIR, num_workers=999),
        *([] if torch.accelerator.is_available() else [lambda: load(PAIR, pin_memory=True), ONES.pin_memory]),
    ],
    "collate-fn": [
        lambda: data.default_collate(RAGGED),
        lambda: data.default_collate([[1, 2], [3]]),
        lambda: data.default_collate([None, None]),
        lambda: data.default_collate([]),
        lambda: data.default_collate([{"a": 1, "b": 2}, {"a": 1}]),
        lambda: nn.Linear(1, 1)(data.default_collate([1.0])),
    ],
    "samplers-and-splits": [
        lambda: data.Subset(PAIR, [0]).tensors,
        lambda: data.random_split(PAIR, [1, 2]),
        lambda: data.random_split(range(3), [0.9, 0.1]),
        lambda: DataLoader(PAIR, shuffle=True, sampler=range(4)),
        lambda: DataLoader(PAIR, batch_size=2, batch_sampler=[[0]]),
        lambda: data.DistributedSampler(PAIR),
    ],
    "dataloader-hangs": [
        lambda: load(Worker(["raises"]), num_workers=1),
        *([keep_more_tensors_than_files] if sys.platform == "linux" else []),
        lambda: load(Worker(["sleeps"]), num_workers=1, timeout=1),
    ],
}

ELSEWHERE = {
    "RuntimeError: torch.nn.functional.binary_cross_entropy and": "autocast on CUDA",
    "RuntimeError: Cannot re-initialize CUDA": "CUDA",
    "RuntimeError: Expected a 'cuda' device type for generator": "CUDA",
    "AssertionError: can only test a child process": "an iterator that failed, and a worker forked beside it",
}
if torch.cuda.is_available():
    ELSEWHERE["UserWarning: CUDA is not available"] = "no CUDA"
if torch.accelerator.is_available():
    ELSEWHERE["UserWarning: 'pin_memory' argument is set as true"] = "no accelerator"
    ELSEWHERE["RuntimeError: Cannot access accelerator device"] = "no accelerator"
if sys.platform != "linux":
    ELSEWHERE["RuntimeError: Too many open files."] = "Linux, where tensors are sent as file descriptors"
