"""What layers compute: found by asking real ones for values and gradients."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

from .plots import Axes, curve, frame, legend, panels
from .svg import (
    BLUE,
    COLOURS,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    Picture,
    dot,
    line,
    picture,
    squares,
    table_lines,
    text,
)

Function = Callable[[torch.Tensor], torch.Tensor]


@picture
def activations() -> Picture:
    shown: dict[str, Function] = {
        "relu": F.relu,
        "leaky_relu, slope 0.1": lambda x: F.leaky_relu(x, 0.1),
        "gelu": F.gelu,
        "silu": F.silu,
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
    }
    marks = []
    for (title, function), place in zip(shown.items(), panels(3, 2, height=96), strict=True):
        axes = Axes(*place, x=(-4, 4), y=(-1.2, 2.2))
        ticks = [(-4, "-4"), (0, "0"), (4, "4")], [(-1, "-1"), (0, "0"), (1, "1"), (2, "2")]
        marks += frame(axes, title, x_ticks=ticks[0], y_ticks=ticks[1])
        xs, values, slopes = _with_slope(function, -4, 4)
        marks += curve(axes, xs, slopes, ORANGE, dashes="4 3", width=1.5)
        marks += curve(axes, xs, values, BLUE)
    marks += legend(34, 290, [("value", BLUE)])
    marks += legend(120, 290, [("derivative, from autograd", ORANGE)], dashed=["derivative, from autograd"])
    return Picture(
        "Six activation functions and their derivatives",
        "Six activation functions with their derivatives. relu and leaky_relu are two straight lines, "
        "with a derivative that jumps at 0; gelu and silu are smooth and dip below 0; tanh and sigmoid "
        "flatten on both sides, where their derivatives vanish; that of sigmoid is a quarter at most.",
        306,
        tuple(marks),
    )


def _with_slope(function: Function, low: float, high: float) -> tuple[list[float], list[float], list[float]]:
    # An even number of points: none is at 0, where some have no derivative.
    x = torch.linspace(low, high, 34, dtype=torch.float64, requires_grad=True)
    y = function(x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    return x.tolist(), y.tolist(), slope.tolist()


@picture
def regression_losses() -> Picture:
    losses: dict[str, Callable[..., torch.Tensor]] = {
        "mse_loss": F.mse_loss,
        "l1_loss": F.l1_loss,
        "huber_loss, delta=0.5": lambda x, y, reduction: F.huber_loss(x, y, delta=0.5, reduction=reduction),
        "smooth_l1_loss, beta=0.5": lambda x, y, reduction: F.smooth_l1_loss(
            x, y, beta=0.5, reduction=reduction
        ),
    }
    left, right = panels(2, 1, height=150)
    value_axes, slope_axes = Axes(*left, x=(-2, 2), y=(0, 2.2)), Axes(*right, x=(-2, 2), y=(-2.2, 2.2))
    x_ticks = [(x, str(x)) for x in (-2, -1, 0, 1, 2)]
    marks = frame(value_axes, "loss", x_ticks=x_ticks, y_ticks=[(y, str(y)) for y in (0, 1, 2)])
    marks += frame(slope_axes, "gradient", x_ticks=x_ticks, y_ticks=[(y, str(y)) for y in range(-2, 3)])
    for function, colour in zip(losses.values(), COLOURS, strict=False):
        xs, values, slopes = _with_slope(
            lambda x, function=function: function(x, torch.zeros_like(x), reduction="none"), -2, 2
        )
        marks += curve(value_axes, xs, values, colour) + curve(slope_axes, xs, slopes, colour)
    names = list(zip(losses, COLOURS, strict=False))
    marks.append(text(34, 206, "prediction minus target, from -2 to 2", size=11))
    marks += legend(34, 222, names[:2]) + legend(240, 222, names[2:])
    return Picture(
        "Losses of regression and their gradients",
        "Four losses over the error, and their gradients. That of mse_loss grows with the error without "
        "bound; that of l1_loss is -1 or 1 and jumps at 0; huber_loss and smooth_l1_loss are straight "
        "through 0 and constant from an error of 0.5 on, at 0.5 and at 1.",
        250,
        tuple(marks),
    )


@picture
def normalised_together() -> Picture:
    samples, channels, length = 2, 4, 6
    norms: dict[str, Function] = {
        "BatchNorm1d(4)": nn.BatchNorm1d(channels),
        "LayerNorm([4, 6])": nn.LayerNorm([channels, length]),
        "LayerNorm(4), x.mT": lambda x: nn.LayerNorm(channels)(x.mT).mT,
        "InstanceNorm1d(4)": nn.InstanceNorm1d(channels),
        "GroupNorm(2, 4)": nn.GroupNorm(2, channels),
        "GroupNorm(1, 4)": nn.GroupNorm(1, channels),
    }
    marks, size = [], 11
    for index, (title, norm) in enumerate(norms.items()):
        left, top = 8 + 160 * (index % 3), 24 + 92 * (index // 3)
        torch.manual_seed(0)
        x = torch.randn(samples, channels, length, dtype=torch.float32, requires_grad=True)
        norm(x)[0, 1, 2].backward()
        used = x.grad.abs() > 1e-7
        used[0, 1, 2] = False  # has a colour of its own
        marks.append(text(left, top - 8, title, bold=True))
        for sample in range(samples):
            corner = left + sample * (length * size + 8), top, size
            chosen = used[sample].nonzero().tolist()
            marks += [squares(*corner, chosen, BLUE)] if chosen else []
            marks += [squares(*corner, [(1, 2)], ORANGE)] if sample == 0 else []
            marks.append(table_lines(*corner, channels, length))
        marks.append(text(left, top + 4 * size + 14, "sample 0", size=11))
        marks.append(text(left + length * size + 8, top + 4 * size + 14, "sample 1", size=11))
    marks.append(text(8, 206, "Rows are channels, columns are positions. Orange: one output;", size=11))
    marks.append(text(8, 220, "blue: the other inputs for which its gradient is not 0.", size=11))
    return Picture(
        "Which elements are normalised together",
        "Which inputs one output of six norms depends on, in two samples of four channels. BatchNorm: its "
        "channel in both samples. LayerNorm over channels and positions, and GroupNorm with one group: "
        "its whole sample. LayerNorm over channels: its position. InstanceNorm: its channel in its "
        "sample. GroupNorm with two groups: half of the channels.",
        228,
        tuple(marks),
    )


@picture
def running_statistics() -> Picture:
    torch.manual_seed(0)
    norm, batches = nn.BatchNorm1d(1), 50
    means, running = [], [norm.running_mean.item()]
    for _ in range(batches):
        batch = 3 + torch.randn(16, 1) * 2
        norm(batch)
        means.append(batch.mean().item())
        running.append(norm.running_mean.item())
    axes = Axes(34, 10, 430, 150, x=(0, batches), y=(0, 4.5))
    marks = frame(
        axes,
        x_ticks=[(x, str(x)) for x in range(0, 51, 10)],
        y_ticks=[(y, str(y)) for y in range(5)],
        x_label="batches in training mode",
    )
    marks.append(line([axes.at(0, 3), axes.at(batches, 3)], colour=GREEN, width=1.5, dashes="6 4"))
    marks += [dot(*axes.at(step + 1, mean), colour=BLUE, radius=2.5) for step, mean in enumerate(means)]
    marks += curve(axes, range(batches + 1), running, ORANGE)
    marks += [dot(250, 120, colour=BLUE, radius=2.5), text(264, 124, "mean of the batch", size=11)]
    marks += legend(
        241,
        136,
        [("running_mean, momentum 0.1", ORANGE), ("mean of the data", GREEN)],
        dashed=["mean of the data"],
    )
    return Picture(
        "The running mean of a BatchNorm",
        "The running mean of a BatchNorm starts at 0 and needs some thirty batches to reach the mean of "
        "the data, 3. The means of the single batches scatter around 3 throughout.",
        196,
        tuple(marks),
    )


@picture
def initial_activations() -> Picture:
    layers, width = 30, 256
    inits: dict[str, tuple[str, Callable[[torch.Tensor], object] | None]] = {
        "nn.Linear, default": (BLUE, None),
        "normal_, std 0.01": (RED, lambda weight: nn.init.normal_(weight, std=0.01)),
        "xavier_normal_": (ORANGE, nn.init.xavier_normal_),
        "kaiming_normal_": (GREEN, lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu")),
        "normal_, std 0.2": (PURPLE, lambda weight: nn.init.normal_(weight, std=0.2)),
    }
    axes = Axes(42, 10, 282, 180, x=(0, layers), y=(1e-12, 1e12), log=True)
    ticks = [(1e8, "10⁸"), (1e4, "10⁴"), (1.0, "1"), (1e-4, "10⁻⁴"), (1e-8, "10⁻⁸")]
    marks = frame(
        axes,
        x_ticks=[(x, str(x)) for x in (0, 10, 20, 30)],
        y_ticks=ticks,
        x_label="layers, each Linear and ReLU",
    )
    for colour, init in inits.values():
        torch.manual_seed(0)
        x = torch.randn(512, width)
        spreads = [x.std().item()]
        with torch.no_grad():
            for _ in range(layers):
                layer = nn.Linear(width, width)
                if init is not None:
                    init(layer.weight)
                    nn.init.zeros_(layer.bias)
                x = layer(x).relu()
                spreads.append(x.std().item())
        marks += curve(axes, range(layers + 1), spreads, colour)
    marks += legend(332, 30, [(name, colour) for name, (colour, _) in inits.items()])
    return Picture(
        "Size of activations through thirty layers",
        "Standard deviation of the activations after each of thirty layers of Linear and ReLU. With "
        "kaiming_normal_ it stays near 1; with the default of nn.Linear it falls below a tenth, where the "
        "random biases hold it; with xavier_normal_ it keeps falling, with a standard deviation of 0.01 much "
        "faster; with 0.2 it grows without bound.",
        226,
        tuple(marks),
    )


@picture
def forgetting() -> Picture:
    steps, hidden = 60, 64
    nets = {
        "RNN": (lambda: nn.RNN(8, hidden, batch_first=True), RED, None),
        "GRU": (lambda: nn.GRU(8, hidden, batch_first=True), PURPLE, None),
        "LSTM": (lambda: nn.LSTM(8, hidden, batch_first=True), BLUE, None),
        "LSTM, forget bias 1": (lambda: nn.LSTM(8, hidden, batch_first=True), ORANGE, 1.0),
        "LSTM, forget bias 3": (lambda: nn.LSTM(8, hidden, batch_first=True), GREEN, 3.0),
    }
    axes = Axes(42, 10, 282, 180, x=(0, steps - 1), y=(1e-12, 100), log=True)
    ticks = [(1.0, "1"), (1e-3, "10⁻³"), (1e-6, "10⁻⁶"), (1e-9, "10⁻⁹"), (1e-12, "10⁻¹²")]
    marks = frame(
        axes,
        x_ticks=[(x, str(x)) for x in (0, 20, 40)],
        y_ticks=ticks,
        x_label="steps back from the last output",
    )
    for make, colour, bias in nets.values():
        torch.manual_seed(0)
        net = make()
        if bias is not None:
            with torch.no_grad():
                net.bias_ih_l0[hidden : 2 * hidden] = bias
        x = torch.randn(1, steps, 8, requires_grad=True)
        net(x)[0][0, -1].sum().backward()
        marks += curve(axes, range(steps), x.grad[0].norm(dim=1).flip(0).tolist(), colour)
    marks += legend(332, 30, [(name, colour) for name, (_, colour, _) in nets.items()])
    return Picture(
        "How far back gradients reach",
        "Norm of the gradient of the last output for inputs up to 60 steps back, with untrained weights. "
        "For RNN, GRU and LSTM it falls exponentially to less than a billionth; with a forget bias of 1 "
        "the LSTM falls more slowly, and with 3 it hardly falls at all.",
        226,
        tuple(marks),
    )
