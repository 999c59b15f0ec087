# /// torchlore
# title = "Resume from a checkpoint"
# description = "Load model, optimizer and scheduler, all built beforehand, and find the epoch to go on with."
# card = "save-and-load"
# imports = ["import torch"]
# [holes]
# model = "Module"
# optimizer = "Optimizer"
# scheduler = "Scheduler"
# ///
# Through the CPU: each load_state_dict copies to where its own parameters are.
checkpoint = torch.load("checkpoint.pt", map_location="cpu", weights_only=True)
model.load_state_dict(checkpoint["model"])
optimizer.load_state_dict(checkpoint["optimizer"])
scheduler.load_state_dict(checkpoint["scheduler"])
start_epoch = checkpoint["epoch"] + 1
