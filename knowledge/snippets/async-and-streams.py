"""Prefetching on a side stream where there is one, and the same code without; what makes Python wait."""

import time

import torch

available = torch.accelerator.is_available()
device = torch.accelerator.current_accelerator() if available else torch.device("cpu")


def prefetched(batches):
    """Copy the next batch while the current one is in use."""
    side, ready = torch.Stream(device), None
    for batch in [*batches, None]:
        if available and ready is not None:
            current = torch.accelerator.current_stream()
            current.wait_stream(side)  # the copy must be there before it is used
            ready.record_stream(current)  # and its memory must outlive the use
        arrived, ready = ready, None
        if batch is not None:
            with side:
                source = batch.pin_memory() if available else batch
                ready = source.to(device, non_blocking=True)
        if arrived is not None:
            yield arrived


batches = [torch.full((256, 256), float(i)) for i in range(5)]
assert [b.mean().item() for b in prefetched(batches)] == [0, 1, 2, 3, 4]
a = torch.randn(2048, 2048, device=device)
(a @ a).sum().item()  # warm up
start = time.perf_counter()
queued = a @ a
called = 1e3 * (time.perf_counter() - start)
queued[0, 0].item()  # a value is needed: wait for the queue
done = 1e3 * (time.perf_counter() - start)
print(f"{device.type}: the call returned after {called:.2f} ms, its value was there after {done:.2f} ms")
assert called <= done and (available or called > 0.5 * done)  # on a CPU the call is the work
