# /// torchlore
# title = "Train with early stopping"
# description = "Train until the validation loss has not improved for some epochs, and keep the best weights."
# card = "overfitting"
# imports = ["import copy", "import torch"]
# [holes]
# model = "Module"
# train_loader = "DataLoader"
# val_loader = "DataLoader"
# optimizer = "Optimizer"
# criterion = "Loss"
# device = "Device"
# ///
patience, epochs_without_gain = 5, 0
best_loss, best_state = float("inf"), copy.deepcopy(model.state_dict())
for epoch in range(100):
    model.train()
    for inputs, targets in train_loader:
        inputs, targets = inputs.to(device), targets.to(device)
        optimizer.zero_grad()
        criterion(model(inputs), targets).backward()
        optimizer.step()

    model.eval()
    loss_sum, count = torch.zeros((), device=device), 0
    with torch.inference_mode():
        for inputs, targets in val_loader:
            inputs, targets = inputs.to(device), targets.to(device)
            loss_sum += criterion(model(inputs), targets) * len(targets)
            count += len(targets)
    val_loss = loss_sum.item() / count

    if val_loss < best_loss:
        best_loss, epochs_without_gain = val_loss, 0
        best_state = copy.deepcopy(model.state_dict())  # a state_dict refers to the live tensors
    else:
        epochs_without_gain += 1
        if epochs_without_gain == patience:
            break
model.load_state_dict(best_state)
