"""What `pretrained=True` stands for is what torchvision says that it stands for."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import pytest
from torchlore.rules.api.deprecated_torchvision_weights import weights_by_model

pytest.importorskip("torchvision", reason="the weights are torchvision's")


@pytest.mark.parametrize("name", weights_by_model())
def test_the_weights_are_those_that_pretrained_loads(name: str) -> None:
    home, _, model = name.rpartition(".")
    builder = getattr(importlib.import_module(home), model)
    for parameter, weights in weights_by_model()[name].items():
        said = _said(builder, parameter)
        assert said == f"{_NEW[parameter]}={weights}" if weights else True


_NEW = {"pretrained": "weights", "pretrained_backbone": "weights_backbone"}


_BACKBONES = {"resnet_fpn_backbone": "resnet18", "mobilenet_backbone": "mobilenet_v2"}


def _said(builder: Any, parameter: str) -> str:
    """What torchvision says that the parameter stands for; "" for no weights. Nothing is loaded."""
    wrapped = builder.__wrapped__.__wrapped__
    others = {"backbone_name": _BACKBONES[builder.__name__]} if builder.__name__ in _BACKBONES else {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cell = next(c for c in builder.__wrapped__.__closure__ if c.cell_contents is wrapped)
        cell.cell_contents = lambda *args, **kwargs: None
        try:
            builder(**{parameter: True}, **others)
        except ValueError:
            return ""
        finally:
            cell.cell_contents = wrapped
    text = next(str(w.message) for w in caught if "equivalent" in str(w.message))
    passed = text.split("passing `")[1].split("`")[0]
    new, _, value = passed.partition("=")
    return f"{new}={value.rpartition('.')[2]}"
