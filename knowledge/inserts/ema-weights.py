# /// torchlore
# title = "Moving average of the weights (EMA)"
# description = "Train the model, evaluate its average: updated every step, BatchNorm's statistics too."
# card = "weight-averaging"
# imports = ["from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# optimizer = "Optimizer"
# criterion = "Loss"
# device = "Device"
# ///
# 0.999 averages over the last thousand updates or so: choose it by how many there are in all.
ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.999), use_buffers=True)
for epoch in range(10):
    model.train()
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        optimizer.zero_grad()
        criterion(model(inputs), targets).backward()
        optimizer.step()
        ema.update_parameters(model)  # not once an epoch: that would average a few points far apart
averaged = ema.module.eval()  # a model with the names of the first: evaluate it and save its state_dict
