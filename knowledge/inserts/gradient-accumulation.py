# /// torchlore
# title = "Gradient accumulation"
# description = "One update for several batches; exact for equal batches, even if the last group is shorter."
# card = "gradient-accumulation"
# imports = []
# [holes]
# model = "Module"
# loader = "DataLoader"
# optimizer = "Optimizer"
# criterion = "Loss"
# device = "Device"
# ///
accumulation_steps = 4
model.train()
optimizer.zero_grad()
for index, (inputs, targets) in enumerate(loader):
    inputs, targets = inputs.to(device), targets.to(device)
    group_start = index - index % accumulation_steps
    group_size = min(accumulation_steps, len(loader) - group_start)
    loss = criterion(model(inputs), targets) / group_size  # the gradient of the group is then a mean
    loss.backward()
    if index + 1 == group_start + group_size:
        optimizer.step()
        optimizer.zero_grad()
