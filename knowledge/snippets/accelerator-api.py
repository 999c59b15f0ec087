"""One code path for every machine: pick the device, then use only what all of them have."""

import time

import torch

available = torch.accelerator.is_available()
device = torch.accelerator.current_accelerator() if available else torch.device("cpu")
module = torch.get_device_module(device)  # torch.cuda, torch.mps, torch.xpu or torch.cpu
print("device", device, "| count", torch.accelerator.device_count(), "| module", module.__name__)
assert torch.ones(2, device=device).device.type == device.type
assert (torch.accelerator.device_count() > 0) is available


def timed(work, repeat=10):
    """Milliseconds for each call, with the queue empty at both ends."""
    work()
    module.synchronize()
    start = time.perf_counter()
    for _ in range(repeat):
        work()
    module.synchronize()
    return 1e3 * (time.perf_counter() - start) / repeat


a = torch.randn(256, 256, device=device)
with torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type != "mps"):
    print(f"256 x 256 product: {timed(lambda: a @ a):.3f} ms in {(a @ a).dtype}")

with torch.accelerator.device_index(None):  # None leaves the current device alone, on any machine
    assert (a + 1).device == a.device
if not available:
    for call in (torch.accelerator.synchronize, torch.accelerator.current_device_index):
        try:
            call()
            raise SystemExit("unexpected")
        except RuntimeError as error:
            print(f"{call.__name__}: {error}")
