"""The memory that an optimizer keeps between its steps, seen on fake tensors."""

from __future__ import annotations

import importlib
from typing import Any


def state_bytes(name: str, options: dict[str, Any], parameters: list[Any]) -> int:
    """The bytes that an optimizer keeps for these parameters from its first step on.

    Args:
        name: of a class of `torch.optim`.
        options: what its constructor is given beside the parameters.
        parameters: fake ones that have gradients. To be called in their mode.

    Raises:
        ValueError: torch has no such optimizer, or it cannot train these parameters with these options.
    """
    torch: Any = importlib.import_module("torch")
    kind = getattr(torch.optim, name, None)
    if not (isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)) or name == "Optimizer":
        raise ValueError(f"torch.optim has no optimizer `{name}`")
    if not parameters:
        return 0
    try:
        made = kind(parameters, **{"lr": 1e-3, **options})
        if name == "LBFGS":
            return _of_history(made, parameters)
        with _numbers(torch):
            made.step()
    except Exception as error:
        raise ValueError(f"{name} cannot train this model: {error}") from None
    kept = [one for state in made.state.values() for one in state.values() if torch.is_tensor(one)]
    return _size(kept)


def _of_history(made: Any, parameters: list[Any]) -> int:
    """LBFGS fills its history in as many steps: a direction and a difference of gradients for each, and both
    once more for the next.
    """
    history: int = made.defaults["history_size"]
    return (2 * history + 2) * _size(parameters)


def _size(tensors: list[Any]) -> int:
    return sum(int(one.numel()) * int(one.element_size()) for one in tensors)


def _numbers(torch: Any) -> Any:
    """In it a fake tensor that is asked for its number has one. What is kept does not depend on it."""
    modes: Any = importlib.import_module("torch.utils._python_dispatch")

    class Numbers(modes.TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            try:
                return func(*args, **(kwargs or {}))
            except RuntimeError:
                if func is not torch.ops.aten._local_scalar_dense.default:
                    raise
                return 1.0

    return Numbers()
