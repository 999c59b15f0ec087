# /// torchlore
# title = "Predict"
# description = "Classes and probabilities in the order of the data, in evaluation mode and without a graph."
# card = "no-grad-vs-inference-mode"
# imports = ["import torch"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# device = "Device"
# ///
model.eval()
outputs = []
with torch.inference_mode():
    for inputs, _ in loader:  # of a loader without shuffle and drop_last, or rows are not those of the data
        outputs.append(model(inputs.to(device)).cpu())  # what stays on the device piles up there
# The model gives logits, as CrossEntropyLoss wants them: probabilities are made here alone.
probabilities = torch.cat(outputs).softmax(dim=1)
confidence, classes = probabilities.max(dim=1)
