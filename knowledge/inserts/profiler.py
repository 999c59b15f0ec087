# /// torchlore
# title = "Profile the training loop"
# description = "Record a few steps after the slow first ones: a table of the costs, and a trace."
# card = "profiling"
# imports = ["import torch", "from torch.profiler import profile, schedule"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# optimizer = "Optimizer"
# criterion = "Loss"
# device = "Device"
# ///
def report(profiler: profile) -> None:
    on_device = torch.device(device).type != "cpu"
    order = "self_device_time_total" if on_device else "self_cpu_time_total"
    print(profiler.key_averages().table(sort_by=order, row_limit=12))
    profiler.export_chrome_trace("trace.json")  # open it at ui.perfetto.dev


model.train()
# The first steps allocate memory and choose kernels. All of them recorded would fill gigabytes.
with profile(schedule=schedule(wait=1, warmup=1, active=3, repeat=1), on_trace_ready=report) as profiler:
    for _, (inputs, targets) in zip(range(5), loader):
        inputs, targets = inputs.to(device), targets.to(device)
        optimizer.zero_grad()
        criterion(model(inputs), targets).backward()
        optimizer.step()
        profiler.step()  # says that a step is over
