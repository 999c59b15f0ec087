"""Self and total time, a schedule, floating-point operations, and a fair comparison of two variants."""

import os

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the tracer's own log
import torch
from torch.profiler import ProfilerActivity, profile, record_function, schedule
from torch.utils.benchmark import Compare, Timer
from torch.utils.flop_counter import FlopCounterMode

device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
model = torch.nn.Sequential(torch.nn.Linear(64, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10)).to(device)
x = torch.randn(32, 64, device=device)

with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:  # with CUDA two rows a name
    with record_function("forward"):
        model(x)
averages = profiler.key_averages()
rows = {row.key: row for row in averages}
assert rows["aten::addmm"].count == 2 and rows["forward"].self_cpu_time_total < rows["forward"].cpu_time_total
print(averages.table(sort_by="self_cpu_time_total", row_limit=3, max_name_column_width=12))

seen = []
plan = schedule(wait=1, warmup=1, active=2, repeat=1)
with profile(schedule=plan, on_trace_ready=lambda p: seen.append((p.step_num, len(p.events())))) as profiler:
    for _ in range(8):
        model(x)
        profiler.step()
assert len(seen) == 1 and seen[0][0] == 4  # called once, after wait + warmup + active steps

with FlopCounterMode(display=False) as counter:
    model(x).sum().backward()
first, second = 2 * 32 * 64 * 256, 2 * 32 * 256 * 10  # x needs no gradient: two products, not three
assert counter.get_total_flops() == 2 * first + 3 * second

names = {"model": model, "x": x, "grad": torch.enable_grad(), "off": torch.inference_mode()}
timers = [Timer(f"with {m}: model(x)", globals=names, description=m) for m in ("grad", "off")]
Compare([timer.blocked_autorange(min_run_time=0.2) for timer in timers]).print()
