"""What arguments of optimizers, schedules, autograd, AMP, saving and compiling claim."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from argument_proofs.shared import proves


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


def _cycle(**more: Any) -> tuple[list[float], list[float]]:
    """The learning rates and the momenta of ten steps."""
    optimizer = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=0.1, momentum=0.5)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=10, **more)
    rates, momenta = [], []
    for step in range(10):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        if step < 9:
            schedule.step()
    return rates, momenta


@proves("torch.optim.lr_scheduler.OneCycleLR", "div_factor")
def the_first_rate_is_a_part_of_the_greatest() -> None:
    rates, _ = _cycle(div_factor=4.0)
    assert rates[0] == pytest.approx(0.25) and max(rates) == pytest.approx(1)


@proves("torch.optim.lr_scheduler.OneCycleLR", "final_div_factor")
def the_last_rate_is_a_part_of_the_first() -> None:
    rates, _ = _cycle(div_factor=4.0, final_div_factor=10.0)
    assert rates[-1] == pytest.approx(0.025)


@proves("torch.optim.lr_scheduler.OneCycleLR", "base_momentum")
def momentum_is_lowest_where_the_rate_is_highest() -> None:
    rates, momenta = _cycle(base_momentum=0.7, max_momentum=0.9)
    assert momenta[rates.index(max(rates))] == pytest.approx(0.7) and momenta[0] == pytest.approx(0.9)


@proves("torch.optim.lr_scheduler.OneCycleLR", "three_phase")
def the_way_down_is_the_way_up() -> None:
    rates, _ = _cycle(three_phase=True, pct_start=0.4, anneal_strategy="linear")
    top = rates.index(max(rates))
    assert rates[: top + 1] == pytest.approx(rates[top : 2 * top + 1][::-1]) and rates[-1] < rates[0]


@proves("torch.optim.Adam", "decoupled_weight_decay")
def adam_becomes_adamw() -> None:
    ends = []
    for make in (
        lambda p: torch.optim.Adam(p, 0.1, weight_decay=0.5, decoupled_weight_decay=True),
        lambda p: torch.optim.AdamW(p, 0.1, weight_decay=0.5),
    ):
        x = torch.ones(1, requires_grad=True)
        optimizer = make([x])
        for _ in range(3):
            optimizer.zero_grad()
            (x * 2).sum().backward()
            optimizer.step()
        ends.append(x.item())
    assert ends[0] == ends[1]
