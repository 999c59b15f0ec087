"""What autograd records, and what it keeps in memory."""

from __future__ import annotations

import weakref
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.checkpoint import checkpoint

from .plots import Axes, curve, frame, legend
from .svg import BLUE, GREEN, ORANGE, Picture, arrow, box, line, picture, text


@picture
def autograd_graph() -> Picture:
    x, y = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    w = (x * y) ** 2 + 10
    depths, edges = _graph(w.grad_fn)
    gradients: dict[Any, float] = {}
    for node in depths:
        node.register_prehook(lambda found, node=node: gradients.__setitem__(node, found[0].item()))
    w.backward()
    columns: dict[int, list[Any]] = {}
    for node, depth in depths.items():
        columns.setdefault(depth, []).append(node)
    places = {
        node: (430 - 126.0 * depth, 84 + 76 * (row - (len(nodes) - 1) / 2))
        for depth, nodes in columns.items()
        for row, node in enumerate(nodes)
    }
    leaves = {id(x): "x = 2", id(y): "y = 3"}
    marks = [text(8, 18, "w = (x * y) ** 2 + 10", bold=True)]
    for start, end in edges:
        (from_x, from_y), (to_x, to_y) = places[start], places[end]
        marks.append(arrow((from_x - 43, from_y), (to_x + 44, to_y), colour=ORANGE))
    for node, (across, down) in places.items():
        name = node.name().rpartition("::")[2].removesuffix("0").removesuffix("Backward")
        leaf = getattr(node, "variable", None)
        title = leaves[id(leaf)] if leaf is not None else name
        marks.append(
            box(across - 42, down - 18, 84, 36, fill=GREEN if leaf is not None else BLUE, stroke="none")
        )
        marks.append(text(across, down - 3, title, colour="#ffffff", anchor="middle"))
        kind = "leaf" if leaf is not None else "Backward0"
        marks.append(text(across, down + 11, kind, colour="#ffffff", anchor="middle", size=11))
        marks.append(text(across, down + 33, f"gradient {gradients[node]:g}", colour=ORANGE, anchor="middle"))
    return Picture(
        "The graph that autograd records",
        "The graph of w = (xy)² + 10 for x = 2 and y = 3. Backward goes from AddBackward0 to "
        "PowBackward0, MulBackward0 and the two leaves; the gradient that arrives is 1, 1, 12, and 36 for "
        "x and 24 for y.",
        166,
        tuple(marks),
    )


def _graph(root: Any) -> tuple[dict[Any, int], list[tuple[Any, Any]]]:
    """The nodes with their distance from the root, and the edges, where all paths are as long."""
    depths, edges, waiting = {root: 0}, [], [root]
    while waiting:
        node = waiting.pop(0)
        for before, _ in node.next_functions:
            if before is not None:
                edges.append((node, before))
                if before not in depths:
                    depths[before] = depths[node] + 1
                    waiting.append(before)
    return depths, edges


class _Memory(TorchDispatchMode):
    """Follows how much the tensors that operations make take, from one operation to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0
        self.track: list[int] = []
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        given = {
            a.untyped_storage()._cdata for a in tree_leaves((args, kwargs)) if isinstance(a, torch.Tensor)
        }
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor):
                self._note(tensor.untyped_storage(), given)
        self.track.append(self.bytes)
        return out

    def _note(self, storage: torch.UntypedStorage, given: set[int]) -> None:
        place = storage._cdata
        if place in self._known or place in given:
            return
        self._known.add(place)
        self.bytes += storage.nbytes()
        weakref.finalize(storage, self._forget, place, storage.nbytes())

    def _forget(self, place: int, size: int) -> None:
        self._known.discard(place)
        self.bytes -= size


@picture
def checkpointed_memory() -> Picture:
    plain, turn = _memory_track(segments=0)
    saving, turn_saving = _memory_track(segments=4)
    top = max(plain)
    axes = Axes(34, 10, 430, 160, x=(0, max(len(plain), len(saving))), y=(0, 1.08 * top))
    marks = frame(
        axes, y_ticks=[(0, "0"), (top / 2, "½"), (top, "1")], x_label="operations, forward then backward"
    )
    for track, middle, colour in ((plain, turn, BLUE), (saving, turn_saving, ORANGE)):
        marks += curve(axes, range(len(track)), track, colour)
        x = axes.at(middle, 0)[0]
        marks.append(line([(x, 10), (x, 170)], colour=colour, width=1, dashes="4 3"))
    marks += legend(34, 204, [("without checkpointing", BLUE)]) + legend(
        210, 204, [("four segments checkpointed", ORANGE)]
    )
    marks.append(text(34, 224, "Memory of activations and gradients; dashed: backward begins.", size=11))
    return Picture(
        "Memory with and without checkpointing",
        "Memory of activations over the operations of one forward and backward. Without checkpointing it "
        "rises to its peak at the end of forward and falls in backward. With four checkpointed segments "
        "it stays low in forward, and in backward rises and falls once for each segment, for more "
        "operations in all.",
        234,
        tuple(marks),
    )


def _memory_track(segments: int) -> tuple[list[int], int]:
    """Bytes after each operation of one forward and backward, and where backward begins."""
    torch.manual_seed(0)
    layers = [nn.Sequential(nn.Linear(32, 32), nn.Tanh()) for _ in range(16)]
    for parameter in (p for layer in layers for p in layer.parameters()):
        parameter.grad = torch.zeros_like(parameter)  # gradients are there from the step before
    size = len(layers) // segments if segments else len(layers)
    parts = [nn.Sequential(*layers[i : i + size]) for i in range(0, len(layers), size)]
    x = torch.randn(256, 32)
    with _Memory() as memory:
        for part in parts:
            x = checkpoint(part, x, use_reentrant=False) if segments else part(x)
        loss = x.square().mean()
        del x
        turn = len(memory.track)
        loss.backward()
    return memory.track, turn
