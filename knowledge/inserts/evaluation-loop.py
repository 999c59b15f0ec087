# /// torchlore
# title = "Evaluation loop"
# description = "Mean loss and accuracy of a classifier, in evaluation mode and without a graph."
# card = "train-vs-eval"
# imports = ["import torch"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# criterion = "Loss"
# device = "Device"
# ///
model.eval()
loss_sum = torch.zeros((), device=device)  # on the device, so that no batch waits for a copy
correct = torch.zeros((), dtype=torch.int64, device=device)
count = 0
with torch.inference_mode():
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        outputs = model(inputs)
        loss_sum += criterion(outputs, targets) * len(targets)  # the last batch may be smaller
        correct += (outputs.argmax(dim=1) == targets).sum()
        count += len(targets)
mean_loss, accuracy = loss_sum.item() / count, correct.item() / count
print(f"loss {mean_loss:.4f}, accuracy {accuracy:.1%}")
