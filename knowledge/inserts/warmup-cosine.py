# /// torchlore
# title = "Warm-up and cosine decay"
# description = "A linear warm-up, then a cosine to 0; lengths and steps are both counted in batches."
# card = "lr-scheduling"
# imports = ["from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# optimizer = "Optimizer"
# criterion = "Loss"
# device = "Device"
# ///
epochs = 10
total_steps = epochs * len(loader)  # updates: with gradient accumulation there are fewer than batches
warmup_steps = max(1, total_steps // 20)
warmup = LinearLR(optimizer, start_factor=0.01, total_iters=warmup_steps)
cosine = CosineAnnealingLR(optimizer, T_max=total_steps - warmup_steps)
scheduler = SequentialLR(optimizer, [warmup, cosine], milestones=[warmup_steps])
for epoch in range(epochs):
    model.train()
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        optimizer.zero_grad()
        criterion(model(inputs), targets).backward()
        optimizer.step()
        scheduler.step()  # after the optimizer, once a batch: the unit of all lengths above
