"""What a model is made of and what training it takes, found out without allocating any of it."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import weakref
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any

from torchlore_agent import probe
from torchlore_agent.optimizer_state import state_bytes
from torchlore_agent.stand_ins import as_fake, fake_mode, masks_unread, on_meta, tensor

MOST = 2000
"""Layers that are told of one model."""


def measure(make: Callable[[], Any], order: dict[str, Any]) -> dict[str, Any]:
    """What the order asks about a model.

    Args:
        make: makes it.
        order: `kind`: "shapes" (see `layers`) or "fit" (see `needs`); `inputs`: of its `forward`, each with
            `shape` and `dtype`; for "fit", `optimizer`: the `name` of a class of `torch.optim`, and the
            `options` that it is given.

    Raises:
        Exception: whatever the model raises on these inputs.
    """
    if order["kind"] == "shapes":
        return layers(make, order["inputs"])
    return needs(make, order["inputs"], order["optimizer"])


def layers(make: Callable[[], Any], inputs: list[dict[str, Any]]) -> dict[str, Any]:
    """The modules in the order in which they are called, run on the meta device in evaluation mode.

    Returns:
        `layers`: of each module that has none in it, or parameters of its own, `name`, `type`, `output` (the
        shapes of the tensors that it gave last), `calls`, `parameters` and `bytes` (its own, and those of
        modules in it that it does not call, but computes with), `output_bytes`,
        `flops` (of all calls; None where this torch counts none); `blocks`: of the other modules that are
        attributes of the model, `name`, `output` and `parameters` (of all that is in it); `parameters`,
        `trainable`, `bytes` and `flops` of the whole, shared ones counted once; `output`: its shapes.
    """
    torch: Any = importlib.import_module("torch")
    model = on_meta(make, inputs).eval()
    names = {module: name for name, module in model.named_modules()}
    called: dict[Any, dict[str, Any]] = {}

    def note(module: Any, _inputs: Any, output: Any) -> None:
        seen = called.setdefault(module, {"calls": 0})
        found = list(_tensors(output))
        seen["calls"] += 1
        seen["output"] = [list(one.shape) for one in found]
        seen["output_bytes"] = sum(one.numel() * one.element_size() for one in found)

    hooks = [module.register_forward_hook(note) for module in names]
    try:
        # What forward itself makes belongs there, too: the positions of tokens, a mask.
        with torch.device("meta"), torch.no_grad(), masks_unread(), _flops(torch) as counter:
            output = model(*(tensor(one, "meta") for one in inputs))
    finally:
        for hook in hooks:
            hook.remove()
    counted = counter.get_flop_counts() if counter is not None else {}
    of_class = type(model).__name__
    rows = [
        {
            "name": names[module],
            "type": type(module).__name__,
            **seen,
            **_weights(_used_by(module, called)),
            "flops": _flops_of(counted, f"{of_class}.{names[module]}" if names[module] else of_class),
        }
        for module, seen in called.items()
        if _is_told(module)
    ]
    blocks = [
        {
            "name": name,
            "output": called[module]["output"],
            "parameters": _weights(module.parameters())["parameters"],
        }
        for name, module in model.named_children()
        if module in called and not _is_told(module)
    ]
    whole = _weights(model.parameters())
    whole["trainable"] = sum(one.numel() for one in model.parameters() if one.requires_grad)
    shapes = [list(one.shape) for one in _tensors(output)]
    flops = _flops_of(counted, "Global")
    return {"layers": rows[:MOST], "blocks": blocks[:MOST], **whole, "flops": flops, "output": shapes}


def _used_by(module: Any, called: Container[Any]) -> Iterator[Any]:
    """Attention calls its last projection by no module: what it computes with is its own in the table."""
    yield from module.parameters(recurse=False)
    for child in module.children():
        if child not in called:
            yield from _used_by(child, called)


def needs(make: Callable[[], Any], inputs: list[dict[str, Any]], optimizer: dict[str, Any]) -> dict[str, Any]:
    """The bytes that one step of training holds at most, counted on tensors without memory.

    Returns:
        `weights` (with buffers), `gradients`, `optimizer` (its state), `activations` (what is kept between
        forward and backward, inputs included), `peak`: most that is held at one moment of forward and
        backward, the state included; `devices`: what each has (see `probe.describe`).

    Raises:
        Exception: whatever the model raises on these inputs; ValueError where nothing that it gives has a
            gradient, or the optimizer cannot train it.
    """
    mode = fake_mode()
    model = as_fake(make, inputs, mode).train()
    with mode:
        given = [tensor(one, "cpu") for one in inputs]
        own = [*model.parameters(), *model.buffers()]
        weights = _held(own)
        held = _Held([*own, *given])
        with _told_of_numbers(), masks_unread(), held.watching():
            results = [one for one in _tensors(model(*given)) if one.requires_grad]
            if not results:
                raise ValueError("nothing that the model gives has a gradient")
            activations = held.now - weights
            sum((one.abs() if one.is_complex() else one).sum() for one in results).backward()
        learned = [one for one in model.parameters() if one.grad is not None]
        gradients = _held([one.grad for one in learned])
        state = state_bytes(optimizer["name"], optimizer["options"], learned)
    return {
        "weights": weights,
        "gradients": gradients,
        "optimizer": state,
        "activations": activations,
        "peak": held.peak + state,
        "devices": probe.describe()["devices"],
    }


@contextlib.contextmanager
def _told_of_numbers() -> Iterator[None]:
    """A model that asks a tensor for its numbers is told that there are none, on the line where it asks."""
    try:
        yield
    except RuntimeError as error:
        if type(error).__name__ != "DataDependentOutputException":
            raise
        message = "what the model does depends on the numbers in a tensor, and here it has none"
        raise ValueError(message).with_traceback(error.__traceback__) from None


class _Held:
    """The bytes of the storages that live, now and at most."""

    def __init__(self, tensors: list[Any]) -> None:
        self.now = self.peak = 0
        self._known: Any = weakref.WeakSet()
        self.add(tensors)

    def add(self, values: Any) -> None:
        for storage in _storages(_tensors(values)):
            if storage not in self._known:
                self._known.add(storage)
                size = storage.nbytes()
                self.now += size
                self.peak = max(self.peak, self.now)
                weakref.finalize(storage, self._release, size)

    def watching(self) -> Any:
        """What is made in this block is counted."""
        held = self
        base: Any = importlib.import_module("torch.utils._python_dispatch").TorchDispatchMode

        class Watch(base):  # type: ignore[misc]
            def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                result = func(*args, **(kwargs or {}))
                held.add(result)
                return result

        return Watch()

    def _release(self, size: int) -> None:
        self.now -= size


def _tensors(value: Any) -> Iterator[Any]:
    """The tensors in a result, however it nests them."""
    if dataclasses.is_dataclass(value):
        value = vars(value)
    if hasattr(value, "untyped_storage"):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _tensors(one)


def _is_told(module: Any) -> bool:
    has_parameters = next(module.parameters(recurse=False), None) is not None
    return has_parameters or next(module.children(), None) is None


def _weights(parameters: Any) -> dict[str, Any]:
    found = list(parameters)
    size = sum(one.numel() * one.element_size() for one in found)
    return {"parameters": sum(one.numel() for one in found), "bytes": size}


def _held(tensors: list[Any]) -> int:
    """The bytes of their storages, shared ones counted once."""
    return sum({one._cdata: int(one.nbytes()) for one in _storages(tensors)}.values())


def _storages(tensors: Iterable[Any]) -> Iterator[Any]:
    """Where the numbers of tensors lie; a sparse one, such as an embedding's gradient, does not say."""
    for one in tensors:
        with contextlib.suppress(NotImplementedError):
            yield one.untyped_storage()


@contextlib.contextmanager
def _flops(torch: Any) -> Iterator[Any]:
    """A counter of floating point operations; None where this torch has none."""
    try:
        counter: Any = importlib.import_module("torch.utils.flop_counter").FlopCounterMode(display=False)
    except (ImportError, AttributeError, TypeError):
        yield None
        return
    with counter:
        yield counter


def _flops_of(counted: Any, name: str) -> int | None:
    if not counted:
        return None
    return sum(int(count) for count in counted.get(name, {}).values())
