"""TL203: a context manager that is made but not entered switches nothing."""

import warnings
from types import ModuleType

import torch

X = torch.linspace(-1, 1, 32).reshape(8, 4)


def model() -> torch.nn.Linear:
    torch.manual_seed(0)
    return torch.nn.Linear(4, 2)


def predict() -> torch.Tensor:
    net = model()
    torch.no_grad()
    return net(X)


def infer() -> torch.Tensor:
    net = model()
    torch.inference_mode()
    return net(X)


def lower() -> torch.dtype:
    net = model()
    torch.autocast("cpu", dtype=torch.bfloat16)
    out = net(X)
    return out.dtype


def state_after_drawing() -> torch.Tensor:
    torch.manual_seed(0)
    draw()
    return torch.get_rng_state()


def draw() -> torch.Tensor:
    torch.random.fork_rng(devices=[])
    return torch.rand(3)


def anomaly() -> bool:
    warnings.simplefilter("ignore", UserWarning)
    torch.autograd.detect_anomaly(check_nan=True)
    return torch.is_anomaly_enabled()


def moved() -> int:
    """How many tensors the hooks were given."""
    seen: list[torch.Tensor] = []
    net = model()
    torch.autograd.graph.saved_tensors_hooks(lambda x: seen.append(x) or x, lambda x: x)
    net(X).pow(2)
    return len(seen)


def prove(bad: ModuleType, good: ModuleType) -> None:
    assert bad.predict().requires_grad
    assert not good.predict().requires_grad
    assert not bad.infer().is_inference()
    assert good.infer().is_inference()
    assert bad.lower() is torch.float32
    assert good.lower() is torch.bfloat16
    torch.manual_seed(0)
    fresh = torch.get_rng_state()
    assert not torch.equal(bad.state_after_drawing(), fresh)
    assert torch.equal(good.state_after_drawing(), fresh)
    assert not bad.anomaly()
    assert good.anomaly()
    assert bad.moved() == 0
    assert good.moved() > 0
