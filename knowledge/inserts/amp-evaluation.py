# /// torchlore
# title = "Evaluation in mixed precision"
# description = "Autocast around forward alone; outputs are float32 again before anything is added up."
# card = "mixed-precision"
# imports = ["import torch"]
# [holes]
# model = "Module"
# loader = "DataLoader"
# criterion = "Loss"
# device = "Device"
# ///
device_type = torch.device(device).type
has_bfloat16 = device_type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)
amp_dtype = torch.bfloat16 if has_bfloat16 else torch.float16
model.eval()
loss_sum = torch.zeros((), device=device)
correct = torch.zeros((), dtype=torch.int64, device=device)
count = 0
with torch.inference_mode():
    for inputs, targets in loader:
        inputs, targets = inputs.to(device), targets.to(device)
        with torch.autocast(device_type, dtype=amp_dtype):
            outputs = model(inputs)
        outputs = outputs.float()  # bfloat16 has 8 bits of precision: too few for a mean over many samples
        loss_sum += criterion(outputs, targets) * len(targets)
        correct += (outputs.argmax(dim=1) == targets).sum()
        count += len(targets)
print(f"loss {loss_sum.item() / count:.4f}, accuracy {correct.item() / count:.1%}")
