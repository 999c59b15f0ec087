"""What `doctor` says of a device: what it is, what is free, and whether others compute on it."""

from __future__ import annotations

import pytest
from torchlore.cli.doctor import device_row
from torchlore.device import DeviceInfo
from torchlore.device.choice import Use

GIB = 1 << 30
GPU = DeviceInfo("cuda:0", "cuda", "H200", 140 * GIB, 139 * GIB)


@pytest.mark.parametrize(
    ("free", "busy", "row"),
    [
        (130, 0, "cuda:0: H200, 130.0 of 140.0 GiB free, 0 % in use"),
        (130, None, "cuda:0: H200, 130.0 of 140.0 GiB free"),
        (130, 97, "cuda:0: H200, 130.0 of 140.0 GiB free, busy (97 %)"),
        (0.25, 97, "cuda:0: H200, 0.2 of 140.0 GiB free, full: nothing can start on it, busy (97 %)"),
    ],
)
def test_a_gpu(free: float, busy: int | None, row: str) -> None:
    assert device_row(GPU, Use("H200", "GPU-a", 140 * GIB, int(free * GIB), busy)) == row


def test_without_a_driver_that_says_more() -> None:
    assert device_row(GPU, None) == "cuda:0: H200, 139.0 of 140.0 GiB free"
    assert device_row(DeviceInfo("mps:0", "mps", "Apple", None, None), None) == "mps:0: Apple"
