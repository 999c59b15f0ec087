# /// torchlore
# title = "Overfit one batch"
# description = "A sanity check: a copy of the model must drive the loss on one batch towards 0."
# card = "loss-not-decreasing"
# imports = ["import copy", "import torch"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# criterion = "Loss"
# device = "Device"
# ///
inputs, targets = next(iter(loader))
inputs, targets = inputs.to(device), targets.to(device)
probe = copy.deepcopy(model).train()  # the model itself stays as it is
probe_optimizer = torch.optim.Adam(probe.parameters(), lr=1e-3)
for step in range(501):
    probe_optimizer.zero_grad()
    loss = criterion(probe(inputs), targets)
    loss.backward()
    probe_optimizer.step()
    if step % 100 == 0:
        print(f"step {step}: loss {loss.item():.4f}")
