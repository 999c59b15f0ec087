# /// torchlore
# title = "Training loop"
# description = "One epoch: clear the gradients, forward, loss, backward, step."
# card = "zero-grad"
# imports = []
# [holes]
# model = "Module"
# loader = "DataLoader"
# optimizer = "Optimizer"
# criterion = "Loss"
# device = "Device"
# ///
model.train()
for inputs, targets in loader:
    inputs, targets = inputs.to(device), targets.to(device)
    optimizer.zero_grad()
    loss = criterion(model(inputs), targets)
    loss.backward()
    optimizer.step()
