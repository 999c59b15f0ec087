"""Which device a run gets, and what there is to say about it before it starts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torchlore.device.environment import visible
from torchlore.device.trust import NotAllowed

ENOUGH = 600 << 20
"""Bytes that must be free on a GPU: a context alone, before the first tensor, takes up to half a gigabyte."""

BUSY = 80
"""Per cent of the time from which on a GPU computes so much for others that it is worth saying."""


@dataclass(frozen=True, slots=True)
class Use:
    """A GPU as its driver sees it. Memory in bytes; `busy` in per cent, None where unknown."""

    description: str
    uuid: str | None
    memory_total: int
    memory_free: int
    busy: int | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A device (None: what the snippet chooses), and sentences for the user."""

    device: str | None
    notices: tuple[str, ...] = ()


def choose(asked: str | None, gpus: Sequence[Use], environ: Mapping[str, str]) -> Choice:
    """The device that a run gets.

    Args:
        asked: a device's name; None for the best that there is.
        gpus: all GPUs, in the order of their places on the bus.
        environ: the variables that are set, since they may hide some or change their order.

    Raises:
        NotAllowed: the GPU that was asked for has too little memory free to even start on.
    """
    named = as_torch_names_them(gpus, environ)
    kind, _, index = (asked or "cuda").partition(":")
    if kind != "cuda" or not named:
        return Choice(asked)
    place = int(index or 0)
    if asked is not None and place >= len(named):
        count = "1 GPU is" if len(named) == 1 else f"{len(named)} GPUs are"
        raise NotAllowed(f"There is no {asked} here: {count} visible, counted from cuda:0.")
    wanted = named[place]
    if wanted.memory_free >= ENOUGH:
        return Choice(asked, _about(place, wanted))
    full = f"{_called(place, wanted)} has {_free(wanted)} free, too little to start on"
    if asked is not None:
        raise NotAllowed(f"{full}; free some of it, or run on another device.")
    other = max(range(len(named)), key=lambda at: named[at].memory_free)
    if named[other].memory_free >= ENOUGH:
        device = f"cuda:{other}"
        return Choice(device, (f"{full}, so this runs on {device}.", *_about(other, named[other])))
    return Choice("cpu", (f"{full}, so this runs on the cpu.",))


def as_torch_names_them(gpus: Sequence[Use], environ: Mapping[str, str]) -> Sequence[Use]:
    """The GPUs as `cuda:0`, `cuda:1`, …; none where it is not certain which is which.

    CUDA puts the fastest first unless CUDA_DEVICE_ORDER says otherwise; among equal ones the order is that of
    the bus.
    """
    shown = visible("cuda", environ)
    if shown is not None:
        by_name = {gpu.uuid: gpu for gpu in gpus if gpu.uuid}
        if all(name in by_name for name in shown):
            return [by_name[name] for name in shown]
    in_order = environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
    if not in_order and len({gpu.description for gpu in gpus}) > 1:
        return []
    if shown is None:
        return gpus
    if not all(re.fullmatch(r"\d+", name) and int(name) < len(gpus) for name in shown):
        return []
    return [gpus[int(name)] for name in shown]


def _about(place: int, gpu: Use) -> tuple[str, ...]:
    if gpu.busy is None or gpu.busy < BUSY:
        return ()
    return (f"{_called(place, gpu)} is busy ({gpu.busy} %), so times say little.",)


def _called(place: int, gpu: Use) -> str:
    return f"cuda:{place} ({gpu.description})"


def _free(gpu: Use) -> str:
    return f"{gpu.memory_free / 2**30:.1f} of {gpu.memory_total / 2**30:.1f} GiB"
