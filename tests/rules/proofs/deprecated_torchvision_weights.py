"""TL906: `pretrained` warns; `weights` names the weights that it stood for."""

import warnings
from types import ModuleType

import pytest


def untrained():
    from torchvision.models import resnet18

    return resnet18(pretrained=False)


def chosen(trained: bool):
    from torchvision.models import alexnet

    return alexnet(pretrained=trained, num_classes=3)


def prove(bad: ModuleType, good: ModuleType) -> None:
    pytest.importorskip("torchvision", reason="the models are torchvision's")
    for call in (lambda module: module.untrained(), lambda module: module.chosen(False)):
        with pytest.warns(UserWarning, match=r"The parameter 'pretrained' is deprecated since 0\.13"):
            old = call(bad)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            new = call(good)
        assert [p.shape for p in old.parameters()] == [p.shape for p in new.parameters()]
