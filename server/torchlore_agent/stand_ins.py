"""Models whose tensors have shapes and types, and no memory: on the meta device, or fake ones of the CPU."""

from __future__ import annotations

import contextlib
import importlib
import logging
from collections.abc import Callable, Iterator
from typing import Any


def on_meta(make: Callable[[], Any], inputs: list[dict[str, Any]]) -> Any:
    """The model as `make` makes it, on the meta device.

    Args:
        make: makes it; called a second time where its constructor does what such tensors cannot.
        inputs: of its `forward`, each with `shape` and `dtype`.

    Raises:
        Exception: whatever the constructor raises.
    """
    torch: Any = importlib.import_module("torch")
    with contextlib.suppress(RuntimeError), torch.device("meta"):
        return make().to("meta")
    model = _with_parameters_on_meta(torch, make, inputs).to("meta")
    for module in model.modules():
        for name, one in list(vars(module).items()):
            if torch.is_tensor(one):  # One that it keeps without registering it.
                setattr(module, name, one.to("meta"))
    return model


def as_fake(make: Callable[[], Any], inputs: list[dict[str, Any]], mode: Any) -> Any:
    """As `on_meta`, of fake tensors that say they are on the CPU.

    Args:
        make: see `on_meta`.
        inputs: see `on_meta`.
        mode: from `fake_mode`.
    """
    with contextlib.suppress(RuntimeError), mode:
        return make()
    torch: Any = importlib.import_module("torch")
    model = _with_parameters_on_meta(torch, make, inputs)
    with mode:
        _become_fake(torch, model)
    return model


def fake_mode() -> Any:
    """In it all that torch makes is fake, and what was real before is taken for fake."""
    fake_tensor: Any = importlib.import_module("torch._subclasses.fake_tensor")
    logging.getLogger("torch._subclasses.fake_tensor").setLevel(logging.CRITICAL)  # The exception says it.
    return fake_tensor.FakeTensorMode(allow_non_fake_inputs=True)


@contextlib.contextmanager
def masks_unread() -> Iterator[None]:
    """In it torch's own transformers do not compare their mask with a causal one, which has no numbers here.

    They do that to choose a kernel; what comes out has the same shapes.
    """
    transformer: Any = importlib.import_module("torch.nn.modules.transformer")
    detect = getattr(transformer, "_detect_is_causal_mask", None)
    if detect is None:  # This torch does not compare.
        yield
        return
    transformer._detect_is_causal_mask = lambda mask, is_causal=None, size=None: is_causal is True
    try:
        yield
    finally:
        transformer._detect_is_causal_mask = detect


def tensor(asked: dict[str, Any], device: str) -> Any:
    """An input without values; ValueError where torch has no such dtype."""
    torch: Any = importlib.import_module("torch")
    dtype = getattr(torch, asked["dtype"], None)
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"torch has no dtype `{asked['dtype']}`")
    return torch.empty(asked["shape"], dtype=dtype, device=device)


def _with_parameters_on_meta(torch: Any, make: Callable[[], Any], inputs: list[dict[str, Any]]) -> Any:
    """The model made of real tensors, whose parameters give their memory back as soon as they are set.

    That is for constructors that convert what they have made, or ask a tensor for its numbers, and for layers
    whose sizes the first batch tells.
    """
    with _moving_parameters(torch):
        model = make()
    if any(map(torch.nn.parameter.is_lazy, model.parameters())):
        with torch.device("meta"), torch.no_grad():
            model(*(tensor(one, "meta") for one in inputs))
    return model


@contextlib.contextmanager
def _moving_parameters(torch: Any) -> Iterator[None]:
    """Parameters move to the meta device when a module gets them."""
    module: Any = torch.nn.Module
    register = module.register_parameter

    def registered(self: Any, name: str, parameter: Any) -> None:
        register(self, name, parameter)
        if parameter is None or parameter.device.type == "meta":
            return  # One that two modules share has moved already.
        if torch.nn.parameter.is_lazy(parameter):
            moved = type(parameter)(parameter.requires_grad, device="meta", dtype=parameter.dtype)
        else:
            moved = torch.nn.Parameter(parameter.detach().to("meta"), parameter.requires_grad)
        self._parameters[name] = moved

    module.register_parameter = registered
    try:
        yield
    finally:
        module.register_parameter = register


def _become_fake(torch: Any, model: Any) -> None:
    """What the modules hold becomes fake tensors of the CPU; what they share stays shared."""
    known: dict[int, Any] = {}
    for module in model.modules():
        for name, one in [*module._parameters.items(), *module._buffers.items()]:
            if one is None:
                continue
            if id(one) not in known:
                made = torch.empty_strided(one.size(), one.stride(), dtype=one.dtype, device="cpu")
                is_parameter = isinstance(one, torch.nn.Parameter)
                known[id(one)] = torch.nn.Parameter(made, one.requires_grad) if is_parameter else made
            # Not into the dictionary: an LSTM notes its weights elsewhere, too.
            setattr(module, name, known[id(one)])
