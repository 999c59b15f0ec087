# /// torchlore
# title = "Training loop with a CSV log"
# description = "Loss and rate of each epoch, as plain numbers, in a file that outlives a run cut short."
# card = "loss-not-decreasing"
# imports = ["import csv", "import time", "from pathlib import Path", "import torch"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# optimizer = "Optimizer"
# criterion = "Loss"
# device = "Device"
# ///
with Path("metrics.csv").open("w", newline="", encoding="utf-8") as file:
    log = csv.writer(file)
    log.writerow(["epoch", "loss", "lr", "seconds"])
    for epoch in range(10):
        started = time.perf_counter()
        loss_sum, count = torch.zeros((), device=device), 0
        model.train()
        for inputs, targets in loader:
            inputs, targets = inputs.to(device), targets.to(device)
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()
            loss_sum += loss.detach() * len(targets)  # undetached, the sum would keep every graph
            count += len(targets)
        mean_loss = loss_sum.item() / count  # waits for the device, once an epoch
        rate = optimizer.param_groups[0]["lr"]
        log.writerow([epoch, mean_loss, rate, round(time.perf_counter() - started, 2)])
        file.flush()
