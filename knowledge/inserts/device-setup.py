# /// torchlore
# title = "Choose the device"
# description = "The accelerator of this machine (CUDA, ROCm, MPS, XPU), else the CPU, and the model on it."
# card = "cuda-and-devices"
# imports = ["import torch"]
# [holes]
# model = "Module"
# ///
device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
model = model.to(device)
