"""How tensors lie in memory, and which elements operations take."""

from __future__ import annotations

import torch
from torch.utils.data import DistributedSampler

from .svg import (
    BLUE,
    COLOURS,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    RED,
    Picture,
    box,
    cells,
    line,
    picture,
    text,
)


@picture
def memory_formats() -> Picture:
    x = torch.arange(12).view(1, 3, 2, 2)  # each element is its own index
    marks = [text(8, 18, "An image (1, 3, 2, 2): three channels of four pixels", bold=True)]
    colours = (RED, GREEN, BLUE)
    for channel in range(3):
        labels = [[f"{'RGB'[channel]}{2 * row + column}" for column in range(2)] for row in range(2)]
        marks += cells(8 + 72 * channel, 28, 30, labels, lambda *_, c=channel: colours[c])
    for row, memory_format in enumerate((torch.contiguous_format, torch.channels_last)):
        laid = x.contiguous(memory_format=memory_format)
        order = torch.as_strided(laid, (12,), (1,)).tolist()  # the elements as they lie
        top = 128 + 66 * row
        marks.append(
            text(
                8,
                top - 8,
                f"{str(memory_format).removeprefix('torch.')}: strides {tuple(laid.stride())}",
                bold=True,
            )
        )
        labels = [[f"{'RGB'[index // 4]}{index % 4}" for index in order]]
        marks += cells(8, top, 30, labels, lambda _, column, o=order: colours[o[column] // 4], width=38)
    return Picture(
        "The two memory formats of an image",
        "An image of three channels and four pixels, and its twelve elements in memory. In "
        "contiguous_format all of red come first, then green, then blue, with the strides 12, 4, 2, 1; in "
        "channels_last red, green and blue of one pixel lie side by side, with the strides 12, 1, 6, 3.",
        234,
        tuple(marks),
    )


@picture
def strides() -> Picture:
    x = torch.arange(6).view(2, 3)
    shown = {"x": x, "x.t()": x.t(), "x.t().contiguous()": x.t().contiguous()}
    marks = []
    for row, (title, tensor) in enumerate(shown.items()):
        top = (34, 118, 226)[row]
        same = tensor.data_ptr() == x.data_ptr()
        marks.append(text(8, top - 14, title, bold=True))
        values = tensor.tolist()
        marks += cells(8, top, 24, [[str(v) for v in line_of] for line_of in values], lambda r, c: BLUE)
        marks.append(text(130, top + 16, f"shape {tuple(tensor.shape)}"))
        marks.append(text(130, top + 32, f"strides {tensor.stride()}"))
        memory = torch.as_strided(tensor, (6,), (1,)).tolist()
        marks.append(text(270, top - 14, "memory of x" if same else "memory of its own", bold=True))
        marks += cells(270, top, 30, [[str(v) for v in memory]], lambda *_, s=same: BLUE if s else ORANGE)
        rows, columns = tensor.shape
        read = [i * tensor.stride(0) + j * tensor.stride(1) for i in range(rows) for j in range(columns)]
        marks.append(text(262, top + 46, "read", anchor="end", size=11))
        for turn, place in enumerate(read):
            marks.append(text(285 + 30 * place, top + 46, f"{turn + 1}.", anchor="middle", size=11))
    return Picture(
        "A view, its strides and its memory",
        "A tensor of shape (2, 3), its transpose and a contiguous copy of that. The transpose has the "
        "strides (1, 3) and reads the same memory in another order: 0, 3, 1, 4, 2, 5. The copy has memory "
        "of its own, in which these lie in that order.",
        306,
        tuple(marks),
    )


@picture
def broadcasting() -> Picture:
    column, row = torch.tensor([[0], [10], [20]]), torch.tensor([1, 2, 3, 4])
    total = column + row
    left, right = torch.broadcast_tensors(column, row)
    marks, size, top = [], 30, 46
    for x, title, tensor, colour in (
        (8, "(3, 1)", left, BLUE),
        (176, "(4,)", right, ORANGE),
        (344, "(3, 4)", total, GREEN),
    ):
        marks.append(text(x, 18, title, bold=True))
        marks.append(text(x, 36, f"strides {tensor.stride()}", size=11))
        for i in range(3):
            for j in range(4):
                repeated = (j > 0 and tensor.stride(1) == 0) or (i > 0 and tensor.stride(0) == 0)
                place = x + j * size, top + i * size
                marks.append(
                    box(
                        *place,
                        size,
                        size,
                        fill="none" if repeated else colour,
                        dashes="3 2" if repeated else "",
                    )
                )
                ink = INK if repeated else "#ffffff"
                marks.append(
                    text(
                        place[0] + size / 2,
                        place[1] + 19,
                        str(tensor[i, j].item()),
                        colour=ink,
                        anchor="middle",
                    )
                )
    marks += [
        text(152, top + 50, "+", size=18, anchor="middle"),
        text(320, top + 50, "=", size=18, anchor="middle"),
    ]
    marks.append(text(8, 158, "Dashed: the same element again, by a stride of 0, not a copy.", size=11))
    return Picture(
        "Broadcasting a column and a row",
        "A column of shape (3, 1) plus a row of shape (4,) gives a table of shape (3, 4). The column is "
        "repeated to the right and the row downwards, each by a stride of 0, without a copy; the sum has "
        "all twelve elements.",
        168,
        tuple(marks),
    )


@picture
def gather_scatter() -> Picture:
    x = torch.arange(12).view(3, 4)
    index = torch.tensor([[0, 2], [3, 3], [1, 0]])
    taken = x.gather(1, index)
    added = torch.zeros_like(x).scatter_add(1, index, taken)
    marks, size, top = [], 26, 34

    def row_colour(row: int, _: int) -> str:
        return COLOURS[row]

    picked = torch.zeros_like(x, dtype=torch.bool).scatter(1, index, torch.ones_like(index, dtype=torch.bool))
    for left, title, tensor, colour in (
        (8, "x", x, lambda r, c: COLOURS[r] if picked[r, c] else None),
        (144, "index", index, lambda r, c: None),
        (228, "x.gather(1, index)", taken, row_colour),
        (366, "scatter_add", added, lambda r, c: COLOURS[r] if picked[r, c] else None),
    ):
        marks.append(text(left, top - 12, title, bold=True))
        marks += cells(left, top, size, [[str(v) for v in values] for values in tensor.tolist()], colour)
    marks.append(text(8, 132, "gather: out[i][j] = x[i][index[i][j]].", size=11))
    marks.append(text(8, 148, "scatter_add: zeros, then out[i][index[i][j]] += src[i][j];", size=11))
    marks.append(text(8, 164, "in row 1, 7 comes twice and makes 14.", size=11))
    return Picture(
        "gather and scatter_add along a row",
        "gather with dim 1 takes from each row of x the columns that the same row of index names: 0 and "
        "2, 3 and 3, 1 and 0. scatter_add puts them back where they came from; what came twice, 7, is "
        "added up to 14, and the rest stays 0.",
        174,
        tuple(marks),
    )


@picture
def reduced_dimensions() -> Picture:
    x = torch.tensor([[1, 2, 3], [4, 5, 6]])
    size = 30
    marks = [text(8, 20, "x, shape (2, 3)", bold=True)]
    marks += cells(8, 30, size, [[str(v) for v in row] for row in x.tolist()], lambda *_: BLUE)
    by_row, by_column, all_of_it = x.sum(dim=1), x.sum(dim=0), x.sum()
    marks.append(text(130, 20, "x.sum(dim=1): (2,)", bold=True))
    marks += cells(130, 30, size, [[str(v)] for v in by_row.tolist()], lambda *_: ORANGE)
    marks.append(text(8, 112, "x.sum(dim=0): (3,)", bold=True))
    marks += cells(8, 120, size, [[str(v) for v in by_column.tolist()]], lambda *_: GREEN)
    marks.append(text(160, 112, "x.sum(): ()", bold=True))
    marks += cells(160, 120, size, [[str(all_of_it.item())]], lambda *_: PURPLE)
    kept = [
        ("dim=0", x.sum(0)),
        ("dim=1", x.sum(1)),
        ("dim=0, keepdim=True", x.sum(0, keepdim=True)),
        ("dim=1, keepdim=True", x.sum(1, keepdim=True)),
    ]
    for row, (call, result) in enumerate(kept):
        marks.append(text(290, 40 + 18 * row, f"{call}: {tuple(result.shape)}"))
    marks.append(text(290, 118, "dim names the dimension", size=11))
    marks.append(text(290, 133, "that goes away.", size=11))
    return Picture(
        "Which dimension a sum removes",
        "A tensor of shape (2, 3). sum(dim=1) adds along each row and leaves (2,): 6 and 15. sum(dim=0) "
        "adds down each column and leaves (3,): 5, 7, 9. sum() leaves one number, 21. keepdim=True leaves "
        "a length of 1 in place.",
        160,
        tuple(marks),
    )


@picture
def distributed_shares() -> Picture:
    samples, ranks = 10, 4
    marks, size = [], 28
    for column, drop_last in enumerate((False, True)):
        left, seen = 8 + 250 * column, set()
        marks.append(text(left, 20, f"drop_last={drop_last}", bold=True))
        shares = [
            list(DistributedSampler(range(samples), ranks, rank, shuffle=False, drop_last=drop_last))
            for rank in range(ranks)
        ]
        again = set()
        for step in range(len(shares[0])):
            for rank in range(ranks):
                if shares[rank][step] in seen:
                    again.add((rank, step))
                seen.add(shares[rank][step])
        for rank in range(ranks):
            marks.append(text(left, 49 + size * rank, f"rank {rank}"))
        labels = [[str(value) for value in share] for share in shares]
        marks += cells(left + 50, 30, size, labels, lambda r, c, a=again: ORANGE if (r, c) in a else BLUE)
        missing = sorted(set(range(samples)) - seen)
        note = f"{len(again)} samples come twice" if again else f"{', '.join(map(str, missing))} are left out"
        marks.append(text(left + 50, 160, note, size=11, colour=ORANGE if again else INK))
    return Picture(
        "Ten samples among four processes",
        "How DistributedSampler deals ten samples to four ranks without shuffling: three each, of which "
        "ranks 2 and 3 get the samples 0 and 1 again; with drop_last=True two each, and the samples 8 and "
        "9 are left out.",
        168,
        tuple(marks),
    )


@picture
def float_formats() -> Picture:
    dtypes = [torch.float32, torch.bfloat16, torch.float16, torch.float8_e5m2, torch.float8_e4m3fn]
    marks, size, left = [], 8.4, 108
    for row, dtype in enumerate(dtypes):
        info = torch.finfo(dtype)
        fraction = round(-torch.tensor(info.eps).log2().item())
        exponent = info.bits - 1 - fraction
        top = 26 + 36 * row
        marks.append(text(8, top + 15, str(dtype).removeprefix("torch.")))
        x = float(left)
        for count, colour in ((1, PURPLE), (exponent, ORANGE), (fraction, BLUE)):
            marks.append(box(x, top, count * size, 22, fill=colour, stroke="none"))
            if count > 1:
                marks.append(
                    text(x + count * size / 2, top + 15, str(count), colour="#ffffff", anchor="middle")
                )
            marks += [
                line([(x + i * size, top), (x + i * size, top + 4)], colour="#ffffff", width=0.5)
                for i in range(1, count)
            ]
            x += count * size + 1
        marks.append(text(x + 8, top + 15, f"max {info.max:.{5 if info.max < 1e6 else 2}g}", size=11))
    for x, name, colour in (
        (8, "sign", PURPLE),
        (60, "exponent: range", ORANGE),
        (190, "fraction: precision", BLUE),
    ):
        marks += [box(x, 206, 12, 12, fill=colour, stroke="none"), text(x + 18, 217, name, size=11)]
    return Picture(
        "Bits of the floating-point formats",
        "Bits of five formats: float32 has 8 for the exponent and 23 for the fraction; bfloat16 has 8 and "
        "7, so the same range; float16 has 5 and 10 and ends at 65504; the two 8-bit formats have 5 and "
        "2, or 4 and 3.",
        226,
        tuple(marks),
    )
