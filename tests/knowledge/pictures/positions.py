"""Which inputs an output comes from: found by the gradients of real layers, and by what they put out."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.attention.bias import causal_lower_right

from .svg import (
    BLUE,
    COLOURS,
    ORANGE,
    Picture,
    box,
    cells,
    dot,
    line,
    picture,
    squares,
    table_lines,
    text,
)


@picture
def conv_positions() -> Picture:
    cases = [
        ("kernel 3", {}, 0),
        ("kernel 3, padding 1, stride 2", {"stride": 2}, 1),
        ("kernel 3, padding 2, dilation 2", {"dilation": 2}, 2),
    ]
    marks, size, length = [], 24, 7
    for row, (title, options, padding) in enumerate(cases):
        top = 24 + 104 * row
        x = torch.zeros(1, 1, length + 2 * padding, requires_grad=True)
        y = F.conv1d(x, torch.ones(1, 1, 3), **options)
        outputs = y.shape[-1]
        left = 240 - length * size / 2
        marks.append(text(8, top - 8, f"{title}: 7 → {outputs}", bold=True))
        for cell in range(length + 2 * padding):
            padded = not padding <= cell < length + padding
            place = left + (cell - padding) * size
            marks.append(
                box(place, top, size, size, fill="none" if padded else BLUE, dashes="3 2" if padded else "")
            )
            if padded:
                marks.append(text(place + size / 2, top + 16, "0", anchor="middle"))
        start = 240 - outputs * size / 2
        for output in range(outputs):
            (used,) = torch.autograd.grad(y[0, 0, output], x, retain_graph=True)
            below = start + (output + 0.5) * size, top + 60.0
            for cell in used[0, 0].nonzero().flatten().tolist():
                above = left + (cell - padding + 0.5) * size, top + size
                colour = COLOURS[1:][output % 4]
                marks.append(line([above, below], colour=colour, width=1.5))
            marks.append(box(below[0] - size / 2, below[1], size, size * 0.75, fill=COLOURS[1:][output % 4]))
    return Picture(
        "Which inputs each output of a convolution sees",
        "One-dimensional convolutions with a kernel of 3 over seven inputs. Plain: five outputs, each of "
        "three neighbours. With padding 1 and stride 2: four outputs, every second position. With padding "
        "2 and dilation 2: seven outputs, each of every second of five inputs.",
        326,
        tuple(marks),
    )


@picture
def receptive_fields() -> Picture:
    stacks = {
        "dilation 1, 1, 1": [(1, 1), (1, 1), (1, 1)],
        "dilation 1, 2, 4": [(1, 1), (2, 1), (4, 1)],
        "stride 2, 2, 2": [(1, 2), (1, 2), (1, 2)],
    }
    marks, size, shown = [], 8, 17
    for index, (title, layers) in enumerate(stacks.items()):
        paths = _paths_to_the_middle(layers, 65)
        spans = [int((paths.sum(dim=d) > 0).sum()) for d in (0, 1)]
        first = (paths > 0).nonzero().amin(dim=0) - (shown - spans[0]) // 2
        window = paths[first[0] : first[0] + shown, first[1] : first[1] + shown]
        left, top = 10 + 158 * index, 28
        marks.append(text(left + shown * size / 2, top - 10, title, anchor="middle", bold=True))
        marks.append(box(left, top, shown * size, shown * size))
        marks += _shades(window, left, top, size)
        marks.append(
            text(
                left + shown * size / 2,
                top + shown * size + 16,
                f"{spans[0]} × {spans[1]} pixels",
                anchor="middle",
            )
        )
    marks.append(
        text(10, 202, "The stronger the colour, the more paths lead from the pixel to the output.", size=11)
    )
    return Picture(
        "Receptive fields of three 3 × 3 convolutions",
        "Which pixels one output of three 3 × 3 convolutions depends on, and on how many paths. Plain "
        "layers see 7 × 7 pixels, the middle on most paths. With dilations 1, 2 and 4, or with stride 2 "
        "in each layer, they see the same 15 × 15.",
        210,
        tuple(marks),
    )


def _paths_to_the_middle(layers: list[tuple[int, int]], size: int) -> torch.Tensor:
    """The gradient of the output in the middle: with weights of 1 it counts the paths."""
    x = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    y = x
    for dilation, stride in layers:
        y = F.conv2d(y, torch.ones(1, 1, 3, 3, dtype=torch.float64), dilation=dilation, stride=stride)
    y[0, 0, y.shape[2] // 2, y.shape[3] // 2].backward()
    return x.grad[0, 0]


def _shades(values: torch.Tensor, left: float, top: float, size: float) -> list[str]:
    """Squares of four shades."""
    levels = (4 * values.sqrt() / values.max().sqrt()).ceil().int()
    marks = []
    for level in range(1, 5):
        chosen = (levels == level).nonzero().tolist()
        if chosen:
            marks.append(f'<g fill-opacity="{level / 4}">{squares(left, top, size, chosen, BLUE)}</g>')
    return marks


@picture
def resize_positions() -> Picture:
    modes: list[tuple[str, dict[str, object]]] = [
        ("linear, align_corners=False", {"mode": "linear", "align_corners": False}),
        ("linear, align_corners=True", {"mode": "linear", "align_corners": True}),
        ("nearest", {"mode": "nearest"}),
    ]
    ramp = torch.arange(4.0).view(1, 1, 4)  # what is read at position p is p itself
    marks, step, left = [], 120.0, 60.0
    for row, (title, options) in enumerate(modes):
        top = 34 + 82 * row
        read = F.interpolate(ramp, size=8, **options).flatten().tolist()
        marks.append(text(8, top - 14, f"{title}: 4 → 8", bold=True))
        marks.append(line([(left - 9, top + 13), (left + 3 * step + 9, top + 13)], width=1))
        for pixel in range(4):
            marks.append(box(left + pixel * step - 9, top - 5, 18, 18))
            marks.append(text(left + pixel * step, top + 8, str(pixel), anchor="middle", size=11))
        for output, position in enumerate(read):
            below = 39 + output * step / 2 * 0.96, top + 38.0
            marks.append(line([(left + position * step, top + 13), below], colour=ORANGE, width=1.5))
            marks.append(dot(*below, colour=ORANGE, radius=8))
            marks.append(
                text(below[0], below[1] + 4, str(output), colour="#ffffff", anchor="middle", size=11)
            )
    return Picture(
        "Where interpolate reads",
        "Four pixels resized to eight, and where each new pixel reads. Without align_corners the eight "
        "lie evenly over the four as areas, the outer ones held at the edge; with it the first and the "
        "last coincide; nearest takes each old pixel twice.",
        252,
        tuple(marks),
    )


@picture
def attention_masks() -> Picture:
    queries, keys = torch.arange(6)[:, None], torch.arange(6)
    padding = (keys < 4).expand(6, 6)
    window = (keys <= queries) & (queries - keys < 3)
    cases: list[tuple[str, int, dict[str, object]]] = [
        ("is_causal=True", 6, {"is_causal": True}),
        ("padding of two keys", 6, {"attn_mask": padding}),
        ("sliding window of 3", 6, {"attn_mask": window}),
        ("3 queries, is_causal=True", 3, {"is_causal": True}),
        ("3 queries, causal_lower_right", 3, {"attn_mask": causal_lower_right(3, 6)}),
    ]
    marks, size = [], 15
    for index, (title, length, options) in enumerate(cases):
        left, top = (8 + 160 * index, 40) if index < 3 else (8 + 240 * (index - 3), 174)
        weights = F.scaled_dot_product_attention(
            torch.zeros(1, 1, length, 8), torch.zeros(1, 1, 6, 8), torch.eye(6)[None, None], **options
        )[0, 0]
        marks.append(text(left, top - 20, title, bold=True))
        marks.append(text(left, top - 5, "keys →", size=11))
        marks.append(squares(left, top, size, (weights > 0).nonzero().tolist(), BLUE))
        marks.append(table_lines(left, top, size, length, 6))
    marks.append(text(8, 238, "Rows are queries. Filled: scaled_dot_product_attention", size=11))
    marks.append(text(8, 252, "gives this key a weight above 0.", size=11))
    return Picture(
        "Attention masks",
        "Which keys each query sees. Causal: itself and those before. Padding: all but the last two keys, "
        "for every query. Sliding window: itself and two before. Three queries with six keys: is_causal "
        "shows the first query only the first key; causal_lower_right shows the last query all six.",
        260,
        tuple(marks),
    )


@picture
def packed_sequence() -> Picture:
    sequences = [torch.tensor([1, 2]), torch.tensor([3, 4, 5]), torch.tensor([6])]
    packed = nn.utils.rnn.pack_sequence(sequences, enforce_sorted=False)
    colour_of = {value: COLOURS[row] for row, sequence in enumerate(sequences) for value in sequence.tolist()}
    padded = nn.utils.rnn.pad_sequence(sequences, batch_first=True).tolist()
    real = [[str(value) if value else "" for value in row] for row in padded]
    marks = [text(8, 18, "padded: 9 cells", bold=True)]
    marks += cells(8, 28, 26, real, lambda row, column: colour_of.get(padded[row][column]))
    marks.append(text(150, 18, f"PackedSequence.data: {len(packed.data)} cells", bold=True))
    values = packed.data.tolist()
    marks += cells(
        150, 28, 26, [[str(value) for value in values]], lambda _, column: colour_of[values[column]]
    )
    start = 150.0
    for step, count in enumerate(packed.batch_sizes.tolist()):
        end = start + 26 * count
        marks.append(line([(start + 3, 62), (start + 3, 68), (end - 3, 68), (end - 3, 62)], width=1.5))
        marks.append(text((start + end) / 2, 84, str(count), anchor="middle"))
        marks.append(text((start + end) / 2, 100, f"t={step}", anchor="middle", size=11))
        start = end
    marks.append(text(start + 10, 84, "batch_sizes"))
    return Picture(
        "A packed sequence",
        "Three sequences of two, three and one steps. Padded they take nine cells, three of them empty. "
        "Packed they are six cells in the order of time, longest sequence first: 3, 1, 6, then 4, 2, then "
        "5, with the batch sizes 3, 2, 1.",
        116,
        tuple(marks),
    )
