"""Percentiles after a warm-up, throughput against latency, and how a queue makes the tail."""

import time

import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
model = nn.Sequential(nn.Linear(512, 1024), nn.ReLU(), nn.Linear(1024, 512)).to(device).eval()


@torch.inference_mode()
def percentiles(batch, warm_up=20, runs=200):  # in milliseconds; .cpu() waits for the device
    x, times = torch.randn(batch, 512, device=device), []
    for run in range(warm_up + runs):
        start = time.perf_counter()
        assert not model(x).cpu().requires_grad
        times.append(1000 * (time.perf_counter() - start))
    return torch.tensor(times[warm_up:]).quantile(torch.tensor([0.5, 0.99])).tolist()


for batch in (1, 8, 64):
    median, tail = percentiles(batch)
    print(f"batch {batch:2}: median {median:.3f} ms, p99 {tail:.3f}, {1000 * batch / median:6.0f} samples/s")


def queue(utilisation, service=1.0, requests=50_000):
    """Median and 99th percentile of waiting and service, one at a time, for arrivals at random."""
    arrivals = torch.empty(requests).exponential_(utilisation / service).double().cumsum(0)
    waits = arrivals - service * torch.arange(requests)  # the k-th starts when all before are done:
    ends = service * (torch.arange(requests) + 1) + waits.cummax(0).values  # max over the k before it
    return (ends - arrivals).quantile(torch.tensor([0.5, 0.99], dtype=torch.double)).tolist()


tails = {load: queue(load) for load in (0.3, 0.5, 0.7, 0.9)}
print("1 ms of work, (median, p99) by utilisation:", {k: [round(v, 1) for v in q] for k, q in tails.items()})
assert tails[0.9][1] > 3 * tails[0.5][1] and tails[0.5][0] < 1.5
