# /// torchlore
# title = "Learning-rate range test"
# description = "Raise the rate until the loss diverges, on copies: model and optimizer stay as they are."
# card = "lr-scheduling"
# imports = ["import copy", "import itertools"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# optimizer = "Optimizer"
# criterion = "Loss"
# device = "Device"
# ///
probe, probe_optimizer = copy.deepcopy((model, optimizer))  # in one call: it must step the copied parameters
lowest, highest, steps = 1e-6, 10.0, 200
batches = itertools.chain.from_iterable(itertools.repeat(loader))  # itertools.cycle would keep every batch
best_loss, best_rate, smooth = float("inf"), lowest, None
probe.train()
for step, (inputs, targets) in zip(range(steps), batches):
    rate = lowest * (highest / lowest) ** (step / (steps - 1))
    for group in probe_optimizer.param_groups:
        group["lr"] = rate
    inputs, targets = inputs.to(device), targets.to(device)
    probe_optimizer.zero_grad()
    loss = criterion(probe(inputs), targets)
    loss.backward()
    probe_optimizer.step()
    smooth = loss.item() if smooth is None else 0.9 * smooth + 0.1 * loss.item()
    if smooth < best_loss:
        best_loss, best_rate = smooth, rate
    if not smooth < 4 * best_loss:  # true of a loss that is not a number too
        break
print(f"lowest loss at a rate of {best_rate:.1e}: start with {best_rate / 10:.1e}")
