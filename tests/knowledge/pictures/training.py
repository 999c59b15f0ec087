"""What happens to weights, gradients and rates while training: real optimizers, stepped."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from .plots import Axes, curve, frame, legend, panels
from .svg import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    Picture,
    arrow,
    box,
    dot,
    line,
    picture,
    ring,
    text,
)

_STEPS = 100


@picture
def lr_schedules() -> Picture:
    def warmup_cosine(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
        parts = [
            lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=10),
            lr_scheduler.CosineAnnealingLR(optimizer, T_max=90),
        ]
        return lr_scheduler.SequentialLR(optimizer, parts, milestones=[10])

    schedules: dict[str, Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]] = {
        "StepLR": lambda o: lr_scheduler.StepLR(o, step_size=25, gamma=0.5),
        "ExponentialLR": lambda o: lr_scheduler.ExponentialLR(o, gamma=0.96),
        "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=_STEPS),
        "LinearLR, then cosine": warmup_cosine,
        "…WarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=15, T_mult=2),
        "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, max_lr=1.0, total_steps=_STEPS),
    }
    marks = []
    for (title, make), place in zip(schedules.items(), panels(3, 2, height=82), strict=True):
        axes = Axes(*place, x=(0, _STEPS), y=(0, 1.05))
        marks += frame(
            axes,
            title,
            x_ticks=[(0, "0"), (50, "50"), (100, "100")],
            y_ticks=[(0, "0"), (0.5, "½"), (1, "1")],
        )
        marks += curve(axes, range(_STEPS), _rates(make), BLUE)
    return Picture(
        "Learning-rate schedules",
        "Learning rate over 100 steps. StepLR falls in stairs, ExponentialLR in a curve that flattens, "
        "CosineAnnealingLR along half a cosine; LinearLR then cosine rises first; "
        "CosineAnnealingWarmRestarts jumps back to the top after 15 and 45 steps; OneCycleLR rises for 30 "
        "steps and falls to almost 0.",
        250,
        tuple(marks),
    )


def _rates(make: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler]) -> list[float]:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(()))], lr=1.0)
    scheduler, rates = make(optimizer), []
    for _ in range(_STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(rates) < _STEPS:  # OneCycleLR refuses a step beyond its last
            scheduler.step()
    return rates


@picture
def optimizer_paths() -> Picture:
    makers: list[tuple[str, str, Callable[[list[nn.Parameter]], torch.optim.Optimizer]]] = [
        ("SGD, lr 0.09", BLUE, lambda p: torch.optim.SGD(p, lr=0.09)),
        ("SGD, lr 0.02, momentum 0.9", ORANGE, lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9)),
        ("Adam, lr 0.3", GREEN, lambda p: torch.optim.Adam(p, lr=0.3)),
    ]
    axes = Axes(34, 10, 430, 190, x=(-5, 2), y=(-1.6, 1.6))
    marks = frame(
        axes, x_ticks=[(x, str(x)) for x in range(-5, 3)], y_ticks=[(y, str(y)) for y in (-1, 0, 1)]
    )
    for level in (0.25, 1, 2.5, 5, 10):
        marks += _level_line(axes, level)
    for _, colour, make in makers:
        point = nn.Parameter(torch.tensor([-4.5, 1.2]))
        path = [point.tolist()]
        optimizer = make([point])
        for _ in range(30):
            optimizer.zero_grad()
            _valley(point).backward()
            optimizer.step()
            path.append(point.tolist())
        marks += curve(axes, *zip(*path, strict=True), colour, width=1.5)
        marks += [dot(*axes.at(*place), colour=colour, radius=2) for place in path if axes.holds(place[1])]
    marks.append(ring(*axes.at(0, 0), 6))
    marks += legend(268, 222, [(name, colour) for name, colour, _ in makers])
    marks.append(text(34, 242, "30 steps on ½x² + 10y²; ring: minimum", size=11))
    return Picture(
        "Paths of three optimizers through a narrow valley",
        "Thirty steps of three optimizers in a valley twenty times as steep across as along. SGD zigzags "
        "between the walls and creeps towards the minimum; SGD with momentum and Adam swing past it, and "
        "Adam starts with equal steps along and across.",
        268,
        tuple(marks),
    )


def _valley(point: torch.Tensor) -> torch.Tensor:
    return 0.5 * point[0] ** 2 + 10 * point[1] ** 2


def _level_line(axes: Axes, level: float) -> list[str]:
    angles = torch.linspace(0, 2 * math.pi, 49)
    xs, ys = (2 * level) ** 0.5 * angles.cos(), (level / 10) ** 0.5 * angles.sin()
    inside = [(x, y) for x, y in zip(xs.tolist(), ys.tolist(), strict=True) if axes.x[0] <= x <= axes.x[1]]
    return [line([axes.at(x, y) for x, y in inside], width=0.5)]


@picture
def accumulated_gradient() -> Picture:
    torch.manual_seed(0)
    model, group, batches = nn.Linear(8, 1), 4, 12
    data = torch.randn(batches, 16, 8)
    optimizer, heights, whole = torch.optim.SGD(model.parameters(), lr=0.05), [], []
    for index, batch in enumerate(data):
        if index % group == 0:
            whole.append(_gradient_norm(model, data[index : index + group].flatten(0, 1)))
            model.zero_grad()
        ((model(batch) - 1).square().mean() / group).backward()
        heights.append(model.weight.grad.norm().item())
        if index % group == group - 1:
            optimizer.step()
    axes = Axes(34, 30, 430, 130, x=(0, batches), y=(0, 1.1 * max(heights)))
    marks = frame(
        axes,
        x_ticks=[(index + 0.5, str(index + 1)) for index in range(batches)],
        y_ticks=[(0, "0"), (0.5, "0.5"), (1, "1")],
        x_label="micro-batch",
    )
    for index, height in enumerate(heights):
        (left, top), (right, bottom) = axes.at(index + 0.15, height), axes.at(index + 0.85, 0)
        last = index % group == group - 1
        marks.append(box(left, top, right - left, bottom - top, fill=ORANGE if last else BLUE, stroke="none"))
        if last:
            edge = axes.at(index + 1, 0)[0]
            marks.append(text(edge - 3, 22, "step, zero_grad", anchor="end", size=11, colour=ORANGE))
            marks.append(line([(edge, 26), (edge, axes.top + axes.height)], dashes="4 3", width=1))
    for number, height in enumerate(whole):
        ends = [axes.at(group * number + place, height) for place in (0.05, group - 0.05)]
        marks.append(line(ends, colour=GREEN))
    marks += legend(34, 208, [("norm of .grad after backward, loss divided by 4", BLUE)])
    marks += legend(34, 224, [("norm of the gradient of the four batches as one", GREEN)])
    return Picture(
        "Gradient accumulation",
        "Norm of .grad after each of twelve backward calls. It builds up over four micro-batches, reaches "
        "exactly the gradient of the four taken as one batch, and starts again from 0 after step and "
        "zero_grad.",
        240,
        tuple(marks),
    )


def _gradient_norm(model: nn.Linear, batch: torch.Tensor) -> float:
    model.zero_grad()
    (model(batch) - 1).square().mean().backward()
    return model.weight.grad.norm().item()


@picture
def averaged_weights() -> Picture:
    torch.manual_seed(0)
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 3.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.15)
    ema, swa = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.95)), AveragedModel(model)
    steps, settled = 200, 60
    tracks: dict[str, list[float]] = {"weight": [], "EMA": [], "SWA": []}
    for step in range(steps):
        model.weight.grad = model.weight.detach() + 2 * torch.randn_like(model.weight)
        optimizer.step()
        ema.update_parameters(model)
        if step >= settled:
            swa.update_parameters(model)
            tracks["SWA"].append(swa.module.weight.item())
        tracks["weight"].append(model.weight.item())
        tracks["EMA"].append(ema.module.weight.item())
    axes = Axes(34, 10, 430, 170, x=(0, steps), y=(-1.6, 3.2))
    marks = frame(
        axes,
        x_ticks=[(x, str(x)) for x in (0, 50, 100, 150, 200)],
        y_ticks=[(y, str(y)) for y in (-1, 0, 1, 2, 3)],
        x_label="steps",
    )
    marks += curve(axes, range(steps), tracks["weight"], BLUE, width=1)
    marks += curve(axes, range(steps), tracks["EMA"], ORANGE)
    marks += curve(axes, range(settled, steps), tracks["SWA"], GREEN)
    marks += legend(
        230,
        24,
        [
            ("weight under SGD", BLUE),
            ("moving average (EMA), decay 0.95", ORANGE),
            ("equal average (SWA) from step 60", GREEN),
        ],
    )
    return Picture(
        "A weight and two averages of it",
        "A weight under SGD with noisy gradients falls to its minimum at 0 and then keeps jumping around "
        "it. Its moving average follows later and much more smoothly; the equal average from step 60 on "
        "comes to rest.",
        216,
        tuple(marks),
    )


@picture
def clipped_gradients() -> Picture:
    gradient, bound = (4.0, 1.5), 2.0
    axes = Axes(34, 10, 275, 150, x=(0, 5), y=(0, 2.5))
    marks = frame(axes, x_ticks=[(x, str(x)) for x in range(6)], y_ticks=[(y, str(y)) for y in range(3)])
    origin = axes.at(0, 0)
    angles = torch.linspace(0, math.pi / 2, 25)
    rim = [axes.at(2 * a.cos().item(), 2 * a.sin().item()) for a in angles]
    marks.append(line(rim, width=1, dashes="4 3"))
    right, top = axes.at(bound, bound)
    marks.append(line([(right, origin[1]), (right, top), (origin[0], top)], width=1, dashes="4 3"))

    by_norm = _clipped(gradient, lambda p: nn.utils.clip_grad_norm_(p, max_norm=bound))
    by_value = _clipped(gradient, lambda p: nn.utils.clip_grad_value_(p, clip_value=bound))
    for end, colour, width in ((gradient, BLUE, 1.5), (by_value, ORANGE, 2.5), (by_norm, GREEN, 2.5)):
        marks.append(arrow(origin, axes.at(*end), colour=colour, width=width))
    names = {
        "gradient": (gradient, BLUE),
        "clip_grad_norm_, 2": (by_norm, GREEN),
        "clip_grad_value_, 2": (by_value, ORANGE),
    }
    for row, (name, ((x, y), colour)) in enumerate(names.items()):
        marks.append(text(324, 34 + 44 * row, name, colour=colour, bold=True))
        marks.append(text(324, 50 + 44 * row, f"({x:.2f}, {y:.2f})"))
    return Picture(
        "Clipping by norm and by value",
        "The gradient (4, 1.5) as an arrow. Clipped to the norm 2 it keeps its direction and ends on the "
        "circle of radius 2; clipped to the value 2 it becomes (2, 1.5) and points elsewhere.",
        184,
        tuple(marks),
    )


def _clipped(gradient: tuple[float, float], clip: Callable[[nn.Parameter], object]) -> tuple[float, float]:
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor(gradient)
    clip(parameter)
    x, y = parameter.grad.tolist()
    return x, y


@picture
def loss_scale() -> Picture:
    """Overflows are real: the gradient passes through float16, which ends at 65504."""
    parameter = nn.Parameter(torch.zeros(()))
    optimizer = torch.optim.SGD([parameter], lr=0.0)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**16, growth_interval=10)
    steps, scales, skipped = 100, [], []
    for step in range(steps):
        slope = 0.1 if step < 60 else 1.0  # gradients that become ten times as large
        scale = scaler.get_scale()
        optimizer.zero_grad()
        hidden = parameter.half() * 20
        scaler.scale(slope * 0.1 * hidden.float()).backward()
        scaler.step(optimizer)
        scaler.update()
        scales.append(scale)
        if scaler.get_scale() < scale:
            skipped.append(step)
    axes = Axes(40, 10, 424, 140, x=(0, steps), y=(2.0**13, 2.0**20), log=True)
    powers = [(2.0**power, f"2{_SUPERSCRIPT[power]}") for power in range(14, 20)]
    marks = frame(axes, x_ticks=[(x, str(x)) for x in range(0, 101, 20)], y_ticks=powers, x_label="steps")
    corners = [(step + side, scale) for step, scale in enumerate(scales) for side in (0, 1)]
    marks += curve(axes, *zip(*corners, strict=True), BLUE)
    marks += [dot(*axes.at(step + 0.5, scales[step]), colour=RED, radius=4) for step in skipped]
    x = axes.at(60, 1e5)[0]
    marks += [line([(x, 10), (x, 150)], width=1, dashes="4 3"), text(x + 5, 24, "gradients × 10", size=11)]
    marks += [
        dot(50, 198, colour=RED, radius=4),
        text(60, 202, "inf in a gradient: step skipped, scale halved", size=11),
    ]
    return Picture(
        "The scale of a GradScaler",
        "The scale of a GradScaler over 100 steps. After ten good steps it doubles; where a float16 "
        "gradient overflows the step is skipped and the scale halved. Once gradients are ten times as "
        "large it falls by four steps in a row and settles lower.",
        210,
        tuple(marks),
    )


_SUPERSCRIPT = {14: "¹⁴", 15: "¹⁵", 16: "¹⁶", 17: "¹⁷", 18: "¹⁸", 19: "¹⁹"}


@picture
def learning_rate_effect() -> Picture:
    rates = {0.001: BLUE, 0.03: GREEN, 0.3: ORANGE, 0.7: RED}
    steps = 100
    axes = Axes(40, 10, 424, 160, x=(0, steps), y=(0.01, 5), log=True)
    marks = frame(
        axes,
        x_ticks=[(x, str(x)) for x in range(0, 101, 20)],
        y_ticks=[(0.01, "0.01"), (0.1, "0.1"), (1, "1")],
        x_label="steps",
    )
    for rate, colour in rates.items():
        marks += curve(axes, range(steps), _losses(rate, steps), colour)
    marks += legend(60, 126, [(f"lr {rate}", colour) for rate, colour in list(rates.items())[:2]])
    marks += legend(150, 126, [(f"lr {rate}", colour) for rate, colour in list(rates.items())[2:]])
    return Picture(
        "The same model with four learning rates",
        "Training loss of one model with four learning rates. At 0.001 it falls all the time, but slowly; "
        "at 0.03 it falls and then hardly moves; at 0.3 it goes on falling, to the lowest of the four; at "
        "0.7 it leaves the plot upwards within a few steps.",
        206,
        tuple(marks),
    )


def _losses(rate: float, steps: int) -> list[float]:
    torch.manual_seed(0)
    x = torch.randn(256, 8)
    targets = torch.tanh(x @ torch.randn(8, 1))
    model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=rate), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
