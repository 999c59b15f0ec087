"""Calls that raise, or warn, what the cards about saving, deploying and devices quote."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import pickle
import sys
import tempfile
import types
from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch import fx, nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import Shard, distribute_tensor
from torch.distributed.tensor.parallel import ColwiseParallel, parallelize_module
from torch.export import Dim, export
from torch.library import custom_op
from torch.nn.parallel import DistributedDataParallel as ddp
from torch.profiler import ProfilerActivity, profile, schedule, tensorboard_trace_handler


def saved(content: Any) -> io.BytesIO:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    buffer.seek(0)
    return buffer


def load_with_a_prefix() -> None:
    layer = nn.Linear(4, 3)
    layer.load_state_dict({f"module.{name}": value for name, value in layer.state_dict().items()})


@dataclasses.dataclass
class Config:
    width: int = 8


Config.__module__ = "__main__"


def load_a_config() -> None:
    sys.modules["__main__"].Config = Config  # type: ignore[attr-defined]
    try:
        torch.load(saved(Config()))
    finally:
        del sys.modules["__main__"].Config  # type: ignore[attr-defined]


def load_a_class_whose_module_is_gone() -> None:
    sys.modules["oldpkg"] = package = types.ModuleType("oldpkg")
    exec("class Net: pass", package.__dict__)  # noqa: S102
    try:
        content = saved(package.Net())
    finally:
        del sys.modules["oldpkg"]
    torch.load(content, weights_only=False)


def load_from_a_checkpoint(state: dict[str, torch.Tensor]) -> None:
    """Raises what one rank raises: CheckpointException wraps it, and is not an Exception."""
    with tempfile.TemporaryDirectory() as folder:
        writer = dcp.FileSystemWriter(folder, overwrite=False)
        dcp.save({"w": torch.arange(4.0)}, storage_writer=writer, no_dist=True)
        try:
            if state:
                dcp.load(state, checkpoint_id=folder, no_dist=True)
            else:
                dcp.save({"w": torch.ones(1)}, storage_writer=writer, no_dist=True)
        except dcp.CheckpointException as error:
            raise error.failures[0][0] from error


class Traced(nn.Module):
    """A module whose forward is the function given."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Any, n: Any = None) -> Any:
        return self.function(x) if n is None else self.function(x, n)


ONES = torch.ones(4, 3)


def double_if_positive(x: torch.Tensor) -> torch.Tensor:
    return x * 2 if x.sum() > 0 else x


def untyped(x, n):  # type: ignore[no-untyped-def]
    return x * n


def any_number(x: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
    return x


def fix_a_size_marked_dynamic() -> None:
    torch._dynamo.mark_dynamic(x := torch.ones(3), 0)
    torch.compile(lambda x: x + torch.ones(3), backend="eager")(x)


def aliased(x: torch.Tensor) -> torch.Tensor:
    return x


@custom_op("mylib::np_sin", mutates_args=())
def np_sin(x: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(x.detach().numpy())


def quantised() -> torch.Tensor:
    torch.set_warn_always(True)  # otherwise only the first call of the process warns
    try:
        return torch.quantize_per_tensor(ONES, 0.1, 0, torch.qint8)
    finally:
        torch.set_warn_always(False)


def prepacked() -> Any:
    return torch.ops.quantized.linear_prepack(quantised(), None)


def profile_without_steps() -> None:
    with profile(schedule=schedule(wait=1, warmup=1, active=1)) as profiler:
        torch.ones(1)
    profiler.key_averages()


def export_a_trace_twice() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with profile(on_trace_ready=tensorboard_trace_handler(folder)) as profiler:
            torch.ones(1)
        profiler.export_chrome_trace(f"{folder}/trace.json")


def profile_cuda_alone() -> None:
    with contextlib.suppress(AssertionError), profile(activities=[ProfilerActivity.CUDA]):
        pass


def alone(call: Callable[[], Any]) -> Any:
    """What a call does in a process group of one."""
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        return call()
    finally:
        dist.destroy_process_group()


def mesh() -> dist.DeviceMesh:
    return dist.init_device_mesh("cpu", (1,))


def leave_parameters_unused() -> None:
    model = ddp(nn.ModuleDict({"used": nn.Linear(1, 1), "unused": nn.Linear(1, 1)}))
    model.module.forward = lambda x: model.module["used"](x)
    for _ in range(2):
        model(torch.ones(1, 1)).sum().backward()


def backward_past_a_collective() -> None:
    torch.set_warn_always(True)
    try:
        dist.all_reduce(y := torch.ones(1, requires_grad=True) * 2)
        y.backward()
    finally:
        torch.set_warn_always(False)


RAISING: dict[str, list[Callable[[], Any]]] = {
    "save-and-load": [
        load_with_a_prefix,
        lambda: nn.Linear(4, 3).load_state_dict("model.pt"),
        lambda: torch.load(saved({"w": torch.ones(1)}), map_location="cuda"),
        lambda: torch.load(io.BytesIO(saved({"w": torch.ones(1)}).getvalue()[:-200])),
    ],
    "weights-only-load": [
        load_a_config,
        load_a_class_whose_module_is_gone,
        lambda: torch.load(saved(1), pickle_module=pickle, weights_only=True),
    ],
    "distributed-checkpoint": [
        lambda: load_from_a_checkpoint({"head": torch.ones(1)}),
        lambda: load_from_a_checkpoint({"w": torch.ones(3, 3)}),
        lambda: load_from_a_checkpoint({}),
        lambda: torch.load(tempfile.gettempdir()),
    ],
    "torch-compile": [
        fix_a_size_marked_dynamic,
        lambda: torch.compile(torch.jit.script(nn.ReLU()), backend="eager")(ONES),
    ],
    "torch-export": [
        lambda: export(Traced(torch.relu), (ONES,)).module()(torch.ones(7, 3)),
        lambda: export(Traced(lambda x: x + torch.ones(4, 3)), (ONES,), dynamic_shapes={"x": {0: Dim("b")}}),
        lambda: export(nn.Dropout(), (ONES,)).module().eval(),
        lambda: export(nn.ReLU(), (ONES,))(ONES),
        lambda: export(Traced(lambda x, n: x * n), (ONES,), {"n": 3}).module()(ONES, n=4),
        lambda: export(Traced(lambda x: torch.from_numpy(x.numpy() * 2)), (ONES,)),
        lambda: fx.symbolic_trace(double_if_positive),
        lambda: fx.symbolic_trace(lambda x: x * len(x)),
    ],
    "torchscript-legacy": [
        lambda: torch.jit.trace(double_if_positive, ONES),
        lambda: torch.jit.trace(nn.Dropout(), ONES),
        lambda: torch.jit.script(untyped)(ONES, 3),
        lambda: torch.jit.script(any_number),
        lambda: torch.jit.load(saved({})),
        lambda: torch.jit.freeze(torch.jit.script(nn.ReLU())),
        lambda: export(torch.jit.script(nn.ReLU()), (ONES,)),
    ],
    "custom-ops": [
        lambda: np_sin(torch.ones(1, requires_grad=True)).sum().backward(),
        lambda: custom_op("mylib::aliased", mutates_args=())(aliased)(ONES),
        lambda: custom_op("mylib::untyped", mutates_args=())(lambda x: x),
        lambda: torch.ops.mylib.nothing,
    ],
    "profiling": [profile_without_steps, export_a_trace_twice, profile_cuda_alone],
    "accelerator-api": [
        torch.accelerator.synchronize,
        lambda: torch.ones(1, device="xpu"),
        lambda: torch.ones(1, device="mps"),
    ],
    "async-and-streams": [torch.cuda.synchronize],
    "ddp": [
        lambda: alone(lambda: ddp(nn.ReLU())),
        lambda: alone(lambda: ddp(nn.Linear(1, 1)).in_features),
        lambda: alone(leave_parameters_unused),
        dist.get_rank,
        lambda: dist.init_process_group("gloo"),
    ],
    "fsdp2": [
        lambda: alone(lambda: nn.functional.linear(ONES, fully_shard(nn.Linear(3, 3)).weight)),
        lambda: alone(lambda: fully_shard(nn.ModuleList([nn.Linear(1, 1)]))),
        lambda: alone(lambda: fully_shard(fully_shard(nn.Linear(1, 1)))),
    ],
    "collectives": [
        lambda: alone(backward_past_a_collective),
        lambda: alone(lambda: dist.all_reduce(torch.tensor([1]), op=dist.ReduceOp.AVG)),
        dist.get_rank,
    ],
    "dtensor-and-mesh": [
        lambda: alone(lambda: distribute_tensor(ONES, mesh(), [Shard(0)]) + ONES),
        lambda: alone(lambda: dist.init_device_mesh("cpu", (2, 2))),
        lambda: alone(lambda: parallelize_module(nn.Sequential(), mesh(), {"mlp": ColwiseParallel()})),
    ],
    "meta-and-lazy": [
        lambda: nn.Linear(1, 1, device="meta").to("cpu"),
        lambda: ONES.to("meta") + ONES,
        lambda: ONES.to("meta")[0, 0].item(),
        lambda: nn.LazyLinear(2).weight.numel(),
        lambda: nn.Linear(5, 3)(torch.ones(1, 6)),
    ],
    "gpu-underused": [torch.cuda.utilization],
    "quantization": [
        lambda: torch.ao.quantization.quantize_dynamic(nn.Sequential()),
        quantised,
        lambda: torch.ops.quantized.linear(ONES, prepacked(), 1.0, 0),
        lambda: quantised() + quantised(),
        lambda: ONES.to(torch.float8_e4m3fn) + ONES.to(torch.float8_e4m3fn),
    ],
}


ELSEWHERE = {
    "UserWarning: Exporting a model while it is in training mode": "onnxscript",
    "TorchExportError: Failed to export": "onnxscript",
    "OutOfMemoryError: CUDA out of memory.": "CUDA",
    "AcceleratorError: CUDA error: device-side assert": "CUDA",
    "RuntimeError: Cannot re-initialize CUDA in forked subprocess.": "CUDA",
    "RuntimeError: Error: accessing tensor output of CUDAGraphs": "CUDA and inductor",
}
"""How quotes begin that this machine cannot be made to give, and what it would take."""
