# /// torchlore
# title = "Training loop with gradient clipping"
# description = "Clip the norm of all gradients between backward and step, and watch what it was before."
# card = "gradient-clipping"
# imports = ["import torch"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# optimizer = "Optimizer"
# criterion = "Loss"
# device = "Device"
# ///
model.train()
for step, (inputs, targets) in enumerate(loader):
    inputs, targets = inputs.to(device), targets.to(device)
    optimizer.zero_grad()
    loss = criterion(model(inputs), targets)
    loss.backward()
    # Returns the norm before clipping. If nearly every step is above the bound, it only lowers the rate.
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
    optimizer.step()
    if step % 100 == 0:
        print(f"step {step}: loss {loss.item():.4f}, gradient norm {norm.item():.3f}")
