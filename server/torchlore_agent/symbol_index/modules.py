"""Which modules of torch are looked at, and importing them."""

from __future__ import annotations

import contextlib
import importlib
import io
import types
import warnings
from collections.abc import Iterator
from pathlib import Path

# Not for users: test helpers, generated code, vendored packages, experiments, tools run from a shell.
_LEFT_OUT = {
    "ao.ns",
    "ao.pruning.sparsifier",
    "benchmark.examples",
    "benchmark.op_fuzzers",
    "bin",
    "contrib",
    "csrc",
    "data.datapipes",
    "distributed.benchmarks",
    "distributed.debug",
    "distributed.examples",
    "distributed.flight_recorder",
    "distributed.launcher",
    "elastic.timer",
    "experimental",
    "fx.passes",
    "headeronly",
    "include",
    "jit.frontend",
    "jit.quantized",
    "lib",
    "onnx.symbolic_helper",
    "share",
    "test",
    "testing.internal",
    "utils.collect_env",
    "utils.hipify",
    "utils.model_dump",
    "utils.serialization",
}
# Left out or private by their path, and yet used by people's code.
_WANTED = (
    "torch.__config__",
    "torch._dynamo",
    "torch.distributed._functional_collectives",
    "torch.distributed.algorithms._checkpoint.checkpoint_wrapper",
    "torch.distributed.tensor.experimental",
    "torch.fx.experimental.proxy_tensor",
    "torch.fx.experimental.symbolic_shapes",
    "torch.utils._pytree",
)


def import_modules(torch: types.ModuleType) -> dict[str, types.ModuleType]:
    """Every module of torch for users that can be imported here, by name."""
    found: dict[str, types.ModuleType] = {"torch": torch}
    for name in (*_module_names(Path(torch.__path__[0])), *_WANTED):
        module = _import(name)
        if module is not None:
            found[name] = module
    return found


def is_for_users(name: str) -> bool:
    """Whether a module of torch, by its dotted name, is meant for users: not private, no test, no tool."""
    inside = name.removeprefix("torch.")
    if any(part.startswith(("_", "test_")) for part in inside.split(".")):
        return False
    return not any(f".{left_out}." in f".{inside}." for left_out in _LEFT_OUT)


def _module_names(root: Path) -> Iterator[str]:
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        name = ".".join(("torch", *parts))
        if parts and is_for_users(name):
            yield name


def _import(name: str) -> types.ModuleType | None:
    # A module may print, warn, exit, or fail in any way where its optional dependency is missing.
    quiet = io.StringIO()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return None
