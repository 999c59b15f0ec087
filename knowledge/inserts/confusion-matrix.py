# /// torchlore
# title = "Confusion matrix"
# description = "Counts, precision and recall of each class, exact over batches of any size."
# card = "bce-and-imbalance"
# imports = ["import torch"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# device = "Device"
# ///
model.eval()
matrix = torch.zeros((), dtype=torch.int64, device=device)
with torch.inference_mode():
    for inputs, targets in loader:
        outputs = model(inputs.to(device))
        classes = outputs.shape[1]
        pairs = targets.to(device) * classes + outputs.argmax(dim=1)  # one number for each (true, predicted)
        matrix = matrix + pairs.bincount(minlength=classes**2).view(classes, classes)
# Rows are true classes, columns predictions. Mean precision of batches would not be that of the whole.
precision = matrix.diag() / matrix.sum(dim=0).clamp(min=1)
recall = matrix.diag() / matrix.sum(dim=1).clamp(min=1)
print(matrix)
print("precision", precision.tolist(), "recall", recall.tolist())
